"""One value of a YAML file changes, and not a byte beside it."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from penstock.foundation.errors import UsageError
from penstock.targets.yaml_fields import get_fields, set_fields

FILE = """\
# the shop's values
image:   registry.example.org/a@sha256:0000   # by Penstock
größe: 3
spec:
  containers:
    - name: sonic     # keep
      image: "old"
    - {name: side, image: 'other'}   # untouched
anchored: &here kept
again: *here
long: |
  a
  b
empty:
number: 12
"""


def test_only_the_values_change() -> None:
    values = {("image",): "r.example.org/a@sha256:1111", ("spec", "containers", 0, "image"): 'new "one" ü'}
    after = set_fields(FILE.encode(), values, where="f").decode()
    assert after == FILE.replace("registry.example.org/a@sha256:0000", "r.example.org/a@sha256:1111").replace(
        '"old"', r'"new \"one\" ü"'
    )
    assert get_fields(after.encode(), list(values), where="f") == values
    assert set_fields(after.encode(), values, where="f").decode() == after


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (("imag",), r"f: imag: there is no 'imag'\. Add it there once"),
        (("spec", "containers", 2, "image"), "there is no '2'"),
        (("spec", "containers", "0", "image"), "there is no '0'"),
        (("image", "x"), "there is no 'x'"),
        (("spec",), "f:5: spec: this is not a text on one line"),
        (("long",), "not a text on one line"),
        (("empty",), "nothing stands there"),
        (("anchored",), "has an anchor"),
        (("again",), "has an anchor"),
    ],
)
def test_what_cannot_be_replaced(place: tuple[str | int, ...], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        set_fields(FILE.encode(), {place: "x"}, where="f")


@pytest.mark.parametrize(
    "content", [b"a: 1\n---\na: 2\n", b"a: !!python/object:os.x y\n", b"\xff", b"", b"\xef\xbb\xbfa: b"]
)
def test_files_that_are_none(content: bytes) -> None:
    with pytest.raises(UsageError):
        set_fields(content, {("a",): "x"}, where="f")


@pytest.mark.slow
@given(
    old=st.text(
        st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\x85\u2028\u2029\ufeff"), min_size=1
    ),
    new=st.text(st.characters(exclude_categories=("Cs",)), max_size=40),
    style=st.sampled_from(['"', "'", None]),
)
def test_whatever_stood_there_and_whatever_comes(old: str, new: str, style: str | None) -> None:
    whole = {"a": {"b": old, "c": "kept"}}
    content = yaml.safe_dump(whole, default_style=style, allow_unicode=True, width=10**6).encode()
    try:
        after = set_fields(content, {("a", "b"): new}, where="f")
    except UsageError:
        return  # said, and nothing changed
    assert yaml.safe_load(after) == {"a": {"b": new, "c": "kept"}}


@pytest.mark.parametrize("word", ["true", "null", "1.0", "2026-01-02", "yes", "", "a: b", "a #b", "- x", "x:y:"])
def test_a_word_that_means_something_is_quoted(word: str) -> None:
    assert set_fields(b"a: old # kept\n", {("a",): word}, where="f") == f'a: "{word}" # kept\n'.encode()


@pytest.mark.parametrize("content", [b"a: &both {image: x}\nb: *both\n", b"b: &both\n- {image: x}\na: *both\n"])
def test_what_stands_elsewhere_too_is_not_changed(content: bytes) -> None:
    place = ("a", "image") if b"- " not in content else ("a", 0, "image")
    with pytest.raises(UsageError, match="write out what has an anchor"):
        set_fields(content, {place: "y:z"}, where="f")
