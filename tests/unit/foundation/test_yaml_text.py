from __future__ import annotations

import os
import re
import socket
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.foundation.errors import UsageError
from penstock.foundation.yaml_text import MAX_ALIASES, MAX_BYTES, parse_yaml, read_yaml


def value(text: str) -> object:
    return parse_yaml(text.encode(), name="x.yaml").value


def refusal(content: bytes | str) -> str:
    with pytest.raises(UsageError) as caught:
        parse_yaml(content.encode() if isinstance(content, str) else content, name="x.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("yes", "yes"),
        ("off", "off"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("2024-01-01", "2024-01-01"),
        ("1:30", "1:30"),
        ("012", "012"),
        ("0x1f", "0x1f"),
        ("1_000", "1_000"),
        ("25", 25),
        ("-3", -3),
        ("0", 0),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("00.5", "00.5"),
        ("'25'", "25"),
        ('"true"', "true"),
        ("!!str 25", "25"),
        ("1" * 64, "1" * 64),
        ("1" * 32 + "e" + "2" * 31, "1" * 32 + "e" + "2" * 31),
        ("5%", "5%"),
        ("|-\n  two\n  lines", "two\nlines"),
    ],
)
def test_types_without_surprises(text: str, wanted: object) -> None:
    found = value(f"a: {text}\n")
    assert found == {"a": wanted}
    assert type(found["a"]) is type(wanted)  # type: ignore[index]


def test_keys_are_text() -> None:
    assert value("on: 1\n1: 2\n'<<': 3\n") == {"on": 1, "1": 2, "<<": 3}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a: 1\nb: 2\na: 3\n", "x.yaml:3: the field 'a' is there twice, first in line 1"),
        ("a: 1\n---\nb: 2\n", "x.yaml:2: there is more than one document"),
        ("", "x.yaml:1: the file is empty"),
        ("# nothing\n", "x.yaml:1: the file is empty"),
        ("a:\n\t- b\n", "x.yaml:2: a tab stands where YAML wants spaces"),
        (
            "a: !!python/object/apply:os.system [id]\n",
            "the tag 'tag:yaml.org,2002:python/object/apply:os.system' is not",
        ),
        ("a: !!int x\n", "is not allowed"),
        ("a: .nan\n", "x.yaml:1: '.nan' is not a finite number"),
        ("a: -.inf\n", "is not a finite number"),
        ("a: 1e999\n", "the number 1e999 is too large"),
        ("<<: {a: 1}\n", "merge keys"),
        ("? [a]\n: b\n", "must be plain text"),
        ("a: &a [*a]\n", "contains itself"),
        ("a: *b\n", "has no anchor before it"),
        ("a: \x01\n", "control character"),
        ('a: "\\0"\n', "contains a NUL"),
        ("a: b: c\n", "x.yaml:1: not valid YAML"),
        ("a: 'b\n", "not valid YAML"),
        ("@a: 1\n", "not valid YAML"),
        (b"a: \xff\n", "x.yaml:1: the file is not UTF-8 text"),
        ("a: x".encode("utf-16"), "not UTF-8"),
        (b"a: 1\nb: \xed\xa0\x80\n", "x.yaml:2: the file is not UTF-8"),
    ],
)
def test_refusals_have_a_line(text: str | bytes, wanted: str) -> None:
    assert wanted in refusal(text)


def test_byte_order_mark_is_ignored() -> None:
    assert parse_yaml(b"\xef\xbb\xbfa: 1", name="x").value == {"a": 1}


def test_positions() -> None:
    document = parse_yaml(b"a: 1\nb:\n  - {c: 2,\n     d: 3}\n", name="x")
    assert [(document.locate(p).line, document.locate(p).column) for p in [("a",), ("b", 0), ("b", 0, "d")]] == [
        (1, 1),
        (3, 5),
        (4, 6),
    ]
    assert document.locate(("b", 0, "missing")).line == 3
    assert document.longest(("b", 0, "missing", "x")) == ("b", 0)


def test_few_aliases_are_allowed_many_are_not() -> None:
    assert value("a: &a [1, 2]\nb: *a\n") == {"a": [1, 2], "b": [1, 2]}
    many = "a: &a 1\nb: [" + ", ".join(["*a"] * (MAX_ALIASES + 1)) + "]\n"
    assert "more than 16 aliases" in refusal(many)


@pytest.mark.slow
def test_bomb_of_aliases_is_refused_by_what_it_expands_to() -> None:
    # 12 aliases in all, each doubling: small in the file, 50,000 values times 4096 expanded
    text = "a0: &a0 [" + "x," * 50_000 + "]\n"
    text += "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 7))
    assert "more than 200,000 values" in refusal(text)


@pytest.mark.parametrize("unit", ["[", "{a: ", "- ", "? "])
def test_deep_nesting_is_refused_before_it_is_followed(unit: str) -> None:
    assert refusal(unit * 200_000)


def test_depth_counts_through_aliases() -> None:
    text = "a: &a " + "[" * 30 + "]" * 30 + "\nb: [[[*a]]]\n"
    assert "nested deeper" in refusal(text)


def test_ten_megabytes_are_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    # Were it parsed, the complaint would be about its first line.
    path.write_bytes(b"@: [" + b"x," * 5_000_000 + b"]")
    with pytest.raises(UsageError, match="larger than 1 MiB"):
        read_yaml(path, name="x.yaml")
    assert "larger than 1 MiB" in refusal(b" " * (MAX_BYTES + 1))


def test_what_is_no_regular_file_is_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "directory").mkdir()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        for name in ("fifo", "socket"):
            with pytest.raises(UsageError, match="not a regular file"):
                read_yaml(tmp_path / name, name=name)
    with pytest.raises(UsageError, match="not a regular file"):
        read_yaml(Path("/dev/zero"), name="zero")
    with pytest.raises(UsageError, match="a directory"):
        read_yaml(tmp_path / "directory", name="x")
    with pytest.raises(UsageError, match="missing"):
        read_yaml(tmp_path / "none", name="x")
    with pytest.raises(UsageError, match="cannot be read"):
        read_yaml(tmp_path / ("n" * 300), name="x")


NUMBER_OF_1_2 = re.compile(r"[-+]?[\d.]+[eE][-+]?\d+")
"""`0E0` is text in YAML 1.1, which is what PyYAML writes, and a number in 1.2, which is what is read."""
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12).filter(
    lambda text: not NUMBER_OF_1_2.fullmatch(text)
)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(-1e9, 1e9).map(lambda x: round(x, 3)) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.dictionaries(TEXT, PLAIN, max_size=3))
def test_what_pyyaml_writes_reads_back(content: dict[str, object]) -> None:
    assert parse_yaml(yaml.safe_dump(content, allow_unicode=False).encode(), name="x").value == content


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | st.text(alphabet="ab:-[]{}&*!|>'\"#? \n\t,%@", max_size=120).map(str.encode))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    refused = None
    try:
        parse_yaml(content, name="x.yaml")
    except UsageError as error:
        refused = error
    assert refused is None or refused.where.startswith("x.yaml")
