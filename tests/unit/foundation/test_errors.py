"""What an error says cannot drive a terminal."""

from __future__ import annotations

import pickle

from hypothesis import given
from hypothesis import strategies as st

from penstock.foundation.errors import UsageError, one_line, printable


@given(st.text())
def test_what_is_printed_cannot_drive_a_terminal(text: str) -> None:
    assert all(c.isprintable() or c in "\n\t" for c in printable(text))


class _OfAFamily(UsageError):
    def __init__(self, file: str, line: int) -> None:
        super().__init__("it is odd", where=f"{file}:{line}", todo="Mend it.")
        self.line = line


def test_an_error_with_a_constructor_of_its_own_comes_whole_out_of_another_process() -> None:
    got = pickle.loads(pickle.dumps(_OfAFamily("a.txt", 3)))  # noqa: S301
    assert (type(got), got.what, got.where, got.todo, got.line) == (_OfAFamily, "it is odd", "a.txt:3", "Mend it.", 3)
    assert str(got) == "a.txt:3: it is odd. Mend it."


def test_one_line_is_one_whatever_breaks_it() -> None:
    assert one_line("a\nb\tc\x1b[2J") == "a b c\\x1b[2J"
    assert len(one_line("a\n\r\x0b\x0c\x1c\x85\u2028\u2029b").splitlines()) == 1
