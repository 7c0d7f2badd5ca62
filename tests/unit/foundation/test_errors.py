"""What an error says cannot drive a terminal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from penstock.foundation.errors import printable


@given(st.text())
def test_what_is_printed_cannot_drive_a_terminal(text: str) -> None:
    assert all(c.isprintable() or c in "\n\t" for c in printable(text))
