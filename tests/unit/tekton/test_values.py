"""Values as kubectl, Go and Tekton read and write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.tekton.values import from_json_text, from_yaml, go_float, go_json


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
