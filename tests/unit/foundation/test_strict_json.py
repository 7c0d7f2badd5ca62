"""JSON that a stranger wrote has one meaning and bounds, or is refused."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.foundation import strict_json
from penstock.foundation.strict_json import MAX_DEPTH, MAX_SHOWN, JsonError, read_json, show_json

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.slow
@given(VALUES, st.booleans())
def test_what_json_writes_is_read(value: Any, ascii_only: bool) -> None:
    assert read_json(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@pytest.mark.slow
@given(st.binary(max_size=60) | st.text('[]{}",:\\0123456789.eE-+nulltrfasNI \x00', max_size=60).map(str.encode))
def test_any_bytes_are_json_or_refused(content: bytes) -> None:
    with contextlib.suppress(JsonError):
        value = read_json(content)
        assert json.loads(json.dumps(value, allow_nan=False)) == value


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"a": NaN}', "NaN is not a JSON number"),
        (b"[-Infinity]", "-Infinity is not a JSON number"),
        (b"[1e999]", "the number 1e999 is not finite"),
        (b"[1.5, -2E+0309]", "the number -2E+0309 is not finite"),
        (b"[" + b"9" * 250 + b".0e99]", f"the number {'9' * 20} is not finite"),
        (b"[" + b"9" * 5000 + b"]", "a number has 5000 digits"),
        (b"[" * 65 + b"]" * 65, "it is nested over 64 levels"),
        (b"[" * 1_000_000, "it is nested over 64 levels"),
        (b'{"a": 1, "a": 2}', 'the name "a" is twice in one object'),
        (b'[{"b": 1, "a": 1, "\\u0061": 2}]', 'the name "a" is twice in one object'),
        (b'["\xff"]', "it is not UTF-8 (byte 2)"),
        (b'["\\ud800"]', "it holds a text that is no Unicode (a lone surrogate)"),
        (b'{"\\uDFFF": 1}', "it holds a text that is no Unicode (a lone surrogate)"),
        (b'[{"a": ["\\ude00\\ud83d"]}]', "it holds a text that is no Unicode (a lone surrogate)"),
        (b'{"a": 1}\n x', "Extra data (line 2, column 2)"),
        (b"", "Expecting value (line 1, column 1)"),
    ],
)
def test_a_second_meaning_or_no_bounds_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(JsonError) as caught:
        read_json(content)
    assert str(caught.value) == reason


@pytest.mark.slow
def test_values_are_counted_before_they_are_built() -> None:
    with pytest.raises(JsonError, match="it has more than 1,000,000 values"):
        read_json(b"[" + b"[]," * 1_100_000 + b"1]")


def test_each_limit_itself_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    deep: Any = []
    for _ in range(MAX_DEPTH - 1):
        deep = [deep]
    assert read_json(json.dumps(deep).encode()) == deep
    assert read_json(b"9" * MAX_SHOWN) == 10**MAX_SHOWN - 1
    monkeypatch.setattr(strict_json, "MAX_BYTES", 10)
    assert read_json(b" " * 9 + b"1") == 1
    with pytest.raises(JsonError, match="it is larger than"):
        read_json(b" " * 10 + b"1")
    monkeypatch.setattr(strict_json, "MAX_VALUES", 4)
    assert read_json(b"[1,2,3]") == [1, 2, 3]
    with pytest.raises(JsonError, match="it has more than 4 values"):
        read_json(b"[1,2,3,4]")


def test_lists_side_by_side_are_no_depth() -> None:
    assert read_json(b"[" + b",".join([b"[{}]"] * 100) + b"]") == [[{}]] * 100


def test_a_deep_looking_text_is_no_depth() -> None:
    text = "[" * 500 + '\\"' * 50 + "{" * 500
    assert read_json(json.dumps([text]).encode()) == [text]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"a": [1, 2.5, None, True, "ä\n"]}, '{"a": [1, 2.5, null, true, "\\u00e4\\n"]}'),
        ("x" * 60, f'"{"x" * 60}"'),
        ("x" * 61, f'"{"x" * 57}..."'),
        ({"n" * 70: 1}, f'{{"{"n" * 60}": 1}}'),
        (list(range(9)), "[0, 1, 2, 3, 4, 5, 6, 7]"),
        ([[[[[0]]]]], '[[[["[...]"]]]]'),
        ([[[[{"a": 0}]]]], '[[[["{...}"]]]]'),
    ],
)
def test_shown(value: Any, shown: str) -> None:
    assert show_json(value) == shown


def test_an_object_is_shown_up_to_its_sixteenth_name() -> None:
    assert json.loads(show_json({chr(97 + index): index for index in range(17)})) == {
        chr(97 + index): index for index in range(16)
    }


@pytest.mark.slow
@given(VALUES)
def test_what_is_shown_is_one_short_line_of_ascii(value: Any) -> None:
    shown = show_json(value)
    assert len(shown) <= MAX_SHOWN
    assert shown.removesuffix("…").isascii()
    assert shown.splitlines() == [shown]


def test_it_needs_the_standard_library_alone() -> None:
    code = (
        "import sys; before = set(sys.modules); import penstock.foundation.strict_json; "
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}; "
        "assert new - set(sys.stdlib_module_names) == {'penstock'}, new"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("content", "value"),
    [(b'["\\ud83d\\ude00"]', ["\U0001f600"]), (b'["\\\\ud800"]', ["\\ud800"]), (b'["\\ud7ff"]', ["\ud7ff"])],
)
def test_a_pair_of_surrogates_is_a_character(content: bytes, value: Any) -> None:
    assert read_json(content) == value


@pytest.mark.slow
def test_a_name_twice_among_many_is_found_at_once() -> None:
    names = ",".join(f'"{number}":0' for number in range(100_000))
    began = time.process_time()
    with pytest.raises(JsonError, match='the name "z" is twice in one object'):
        read_json(f'{{{names},"z":1,"z":2}}'.encode())
    assert time.process_time() - began < 5
