"""The template of a JSON body: where its placeholders are, and what stands in their place."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.contract.json_body import Placeholder, body_placeholders, filled_body
from penstock.foundation.errors import UsageError


def filled(template: Any, **parameters: Any) -> Any:
    return filled_body(
        template,
        parameters,
        {"image": "a.png"},
        lambda name, encoding: f"<{name} as {encoding}>",
        case="one",
        where="call.http.body.json",
    )


def test_placeholders_are_found_in_order_with_their_place() -> None:
    template = {"a": "{x} and {y|base64}", "{no}": [1, "{z}", {"b": ["{{w}}", "{image|other}"]}], "c": None}
    assert list(body_placeholders(template)) == [
        Placeholder("x", "", "a"),
        Placeholder("y", "base64", "a"),
        Placeholder("z", "", "{no}[1]"),
        Placeholder("image", "other", "{no}[2].b[1]"),
    ]
    assert list(body_placeholders("{x}")) == [Placeholder("x", "", "")]
    assert list(body_placeholders(["{x}"], "input")) == [Placeholder("x", "", "input[0]")]


@pytest.mark.parametrize("value", [3, 0.5, True, "text", "{m}"])
def test_a_text_that_is_nothing_but_a_placeholder_keeps_the_type(value: Any) -> None:
    found = filled("{n}", n=value)
    assert found == value
    assert type(found) is type(value)


def test_within_a_text_values_are_text() -> None:
    assert filled("{n}, {on}; {n}", n=3, on=True) == "3, true; 3"
    assert filled(" {n}", n=3) == " 3"


def test_inputs_are_read_as_the_template_says() -> None:
    assert filled(["{image|base64}", "it: {image|data-url}"]) == ["<image as base64>", "it: <image as data-url>"]


def test_braces_that_are_no_placeholder_stay() -> None:
    assert filled("{{n}}", n=1) == "{n}"
    assert filled("{{image|base64}} {n}", n=1) == "{image|base64} 1"
    assert filled('{"a": 1} {} {1}') == '{"a": 1} {} {1}'


def test_names_of_fields_and_other_values_are_left_alone() -> None:
    template = {"{n}": [1, 0.5, None, False, {"deep": "{n}"}]}
    assert filled(template, n=2) == {"{n}": [1, 0.5, None, False, {"deep": 2}]}
    assert template == {"{n}": [1, 0.5, None, False, {"deep": "{n}"}]}


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (
            {"a": ["{m}"]},
            "call.http.body.json: the case 'one' has nothing that fills '{m}'. "
            "Add the parameter to the case or to call.parameters. Known for this case: {n}.",
        ),
        ("{face|base64}", "call.http.body.json: the case 'one' has no input 'face'. Add it to the case's inputs."),
        (
            "x {image|hex}",
            "call.http.body.json: '{image|hex}' is not known. Write {image|base64} or {image|data-url}.",
        ),
    ],
)
def test_what_nothing_fills_is_named(template: Any, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        filled(template, n=1)
    assert str(caught.value) == message
