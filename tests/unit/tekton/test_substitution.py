"""Putting values into text: Tekton's way, and Kubernetes'."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.tekton.manifest_base import format_duration, parse_duration
from penstock.tekton.manifest_file import parse_manifests
from penstock.tekton.substitution import Replacements, expand, expressions, references, replace, replace_value
from penstock.tekton.values import from_json_text, from_yaml, go_float, go_json

NAMES = st.text(alphabet=string.ascii_letters + string.digits + "-_.", min_size=1, max_size=8)
TEXTS = st.text(alphabet="ab$()[]*.\"' \\xé{}", max_size=30)


@given(name=NAMES, value=TEXTS, before=TEXTS.filter(lambda text: "$" not in text), after=TEXTS)
def test_a_value_is_put_in_once_and_not_looked_at_again(name, value, before, after):
    strings = {f"params.{name}": value}
    rest = replace(after, strings)
    assert replace(f"{before}$(params.{name}){after}", strings) == before + value + rest


@given(text=TEXTS)
def test_text_without_known_variables_stays(text):
    assert replace(text, {"params.known": "x"}) == text
    replace_value(text, Replacements({"params.known": "x"}))
    references(text, "params")
    expressions([text])


@given(items=st.lists(TEXTS, max_size=5), name=NAMES)
def test_a_whole_array_is_put_in_as_it_is(items, name):
    replacements = Replacements()
    replacements.add_param(name, items)
    assert replace_value([f"$(params.{name}[*])"], replacements) == items
    assert replace_value(["a", f"$(params.{name})", "b"], replacements) == ["a", *items, "b"]


@given(values=st.dictionaries(NAMES, TEXTS, max_size=4), text=TEXTS)
def test_expansion_never_fails_and_keeps_what_it_does_not_know(values, text):
    expand(text, values.get)
    assert expand(text.replace("$", ""), values.get) == text.replace("$", "")


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("$(A)", "1"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$1"),
        ("$(B)", "$(B)"),
        ("$A $", "$A $"),
        ("$(A", "$(A"),
        ("$((A))", "$((A))"),
    ],
)
def test_kubernetes_expansion(text, expanded):
    assert expand(text, {"A": "1"}.get) == expanded


def test_a_text_that_is_one_reference_takes_the_type_of_its_value():
    replacements = Replacements()
    replacements.add_param("list", ["a"])
    replacements.add_param("map", {"k": "v"})
    assert replace_value("$(params.list[*])", replacements) == ["a"]
    assert replace_value("$(params.map[*])", replacements) == {"k": "v"}
    assert replace_value("$(params.map.k)", replacements) == "v"
    assert replace_value("x$(params.list[*])", replacements) == "x$(params.list[*])"


def test_nested_references_are_resolved_from_the_inside():
    assert replace("$(params.$(params.a))", {"params.a": "b", "params.b": "no"}) == "$(params.b)"


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (1, "1"),
        (True, "true"),
        (None, ""),
        (1.0, "1"),
        ([1, 2], "[1,2]"),
        (["a", "b"], ["a", "b"]),
        ({"a": 1}, '{"a":1}'),
        ({"a": "<"}, {"a": "<"}),
        ({"a": ["<"]}, '{"a":["\\u003c"]}'),
        ([], []),
    ],
)
def test_values_of_yaml(raw, value):
    assert from_yaml(raw) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", ""),
        ("x", "x"),
        ('"x"', "x"),
        ("1", "1"),
        ("null", ""),
        ('["a"]', ["a"]),
        ("[1]", "[1]"),
        ("[", "["),
        ("NaN", "NaN"),
    ],
)
def test_values_of_result_files(text, value):
    assert from_json_text(text) == value


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1.5, "1.5"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (0.0, "0"),
        (-2.0, "-2"),
    ],
)
def test_floats_as_go_writes_them(number, text):
    assert go_float(number) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_keep_their_value(number):
    assert float(go_float(number)) == number


def test_json_as_go_writes_it():
    assert go_json({"b": ["é", "&"], "a": "1"}) == '{"a":"1","b":["é","\\u0026"]}'


@pytest.mark.parametrize(
    ("plain", "value"),
    [
        ("yes", True),
        ("off", False),
        ("010", 8),
        ("0x1f", 31),
        ("1_000", 1000),
        ("1e3", 1000.0),
        ("2020-01-01", "2020-01-01"),
        ("1:30", "1:30"),
        ("~", None),
        ("09", 9.0),
        ("1.2.3", "1.2.3"),
        ("'yes'", "yes"),
        ("y", True),
        ("N", False),
        ("'y'", "y"),
        ("yn", "yn"),
    ],
)
def test_plain_scalars_as_kubectl_reads_them(plain, value):
    assert parse_manifests(f"a: {plain}\n".encode(), name="f")[0].value == {"a": value}


def test_anchors_and_merges():
    text = b"base: &b {x: 1, z: 2}\nuse: {<<: *b, z: 3}\n"
    assert parse_manifests(text, name="f")[0].value["use"] == {"z": 3, "x": 1}


def test_keys_as_kubectl_reads_them():
    assert parse_manifests(b"{y: 1, N: 2, 010: 3, 'n': 4}", name="f")[0].value == {
        "true": 1,
        "false": 2,
        "8": 3,
        "n": 4,
    }


@pytest.mark.parametrize(
    ("text", "seconds"), [("1h30m", 5400), ("10s", 10), ("250ms", 0.25), ("1.5h", 5400), ("0", 0), ("-1m", -60)]
)
def test_durations(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "s", "1d", "1h 2m", "--1s", 10])
def test_what_is_no_duration(text):
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(3600, "1h0m0s"), (60, "1m0s"), (1.5, "1.5s"), (0.25, "250ms"), (0, "0s"), (5400.5, "1h30m0.5s"), (5, "5s")],
)
def test_durations_as_go_prints_them(seconds, text):
    assert format_duration(seconds) == text
