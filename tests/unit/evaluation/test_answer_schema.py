"""The schema of answers as they came: what breaks a reader is named, what does not is not."""

from __future__ import annotations

import doctest
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.evaluation import answer_schema as module
from penstock.evaluation.answer_schema import (
    MAX_PATHS,
    AnswerSchema,
    answer_schema,
    breaking_changes,
    joined,
    schema_breaks,
)

RELEASED = [
    {"objects": [{"label": "cat", "box": [1, 2.5]}, {"label": "cup"}], "text": "a", "note": "x"},
    {"objects": [], "text": ""},
]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)


def schema(*answers: Any) -> AnswerSchema:
    found = [answer_schema(answer) for answer in answers]
    return joined(one for one in found if one is not None)


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        (RELEASED, []),
        ([{**RELEASED[0], "more": 1}, RELEASED[1]], []),  # what is new breaks nobody
        ([{"objects": [], "text": "a"}] * 2, []),  # nor what was missing before, nor what stands in no object
        ([{"objects": []}, {"objects": [], "text": ""}], ["$.text is missing in 1 of 2"]),
        ([{"items": [], "text": ""}] * 2, ["$.objects is gone"]),
        ([{"objects": [{"name": "cat"}], "text": ""}], ["$.objects[].label is gone"]),
        (
            [{"objects": [{"label": None}, {"label": "a"}], "text": ""}],
            ["$.objects[].label is now null in 1 of 2, where it was text"],
        ),
        ([{"objects": {"cat": 1}, "text": ""}], ["$.objects is now an object, where it was a list"]),
        (
            [{"objects": [{"label": "a", "box": [{"x": 1}]}], "text": 3}],
            [
                "$.objects[].box[] is now an object, where it was a number",
                "$.text is now a number, where it was text",
            ],
        ),
        ([[]], ["$ is now a list, where it was an object"]),
    ],
)
def test_changes(answers: list[Any], told: list[str]) -> None:
    assert breaking_changes(schema(*RELEASED), schema(*answers)) == told


@pytest.mark.slow
@given(st.lists(json_values, min_size=1, max_size=4), st.lists(json_values, max_size=4))
def test_answers_never_break_themselves_nor_a_part_of_them_another_type(some: list[Any], more: list[Any]) -> None:
    assert breaking_changes(schema(*some), schema(*some)) == []
    assert not [told for told in breaking_changes(schema(*some, *more), schema(*some)) if "is now" in told]


def test_names_that_are_no_names_are_quoted() -> None:
    assert breaking_changes(schema({"a b": {"c.d": 1}}), schema({"a b": {}})) == ['$."a b"."c.d" is gone']


@pytest.mark.slow
def test_data_as_names_are_no_schema_and_take_no_time() -> None:
    began = time.process_time()
    assert answer_schema({f"thing {n}": n for n in range(MAX_PATHS)}) is None
    assert answer_schema({"objects": [{"label": "a"}] * 100_000}) is not None
    assert time.process_time() - began < 5
    line = schema_breaks([answer_schema({})], [None])
    assert line.value is None
    assert "an answer of the candidate has no schema" in str(line.error)
    assert "an answer of the released model" in str(schema_breaks([None], [answer_schema({})]).error)


def test_the_measurement_counts_and_names() -> None:
    before = answer_schema({f"f{n:02}": n for n in range(30)})
    line = schema_breaks([before], [answer_schema({"f00": "0"})])
    assert (line.case, line.metric, line.value) == ("*", "schema_breaks", 30.0)
    assert line.error is not None
    assert line.error.startswith("$.f01 is gone; $.f02 is gone; ")
    assert line.error.endswith("; and 10 more")
    same = schema_breaks([before], [before])
    assert (same.value, same.error) == (0.0, None)


def test_examples() -> None:
    assert doctest.testmod(module).failed == 0
