"""``{NAME}`` in a text of the contract, and what stands in its place."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from penstock.contract.placeholders import JSON_PLACEHOLDER, Scalar, filled, placeholders, text_of
from penstock.foundation.errors import UsageError


def test_names_are_found_in_order() -> None:
    assert placeholders("{b} {a-1}{_c}{b}") == ["b", "a-1", "_c", "b"]
    assert placeholders("{{a}} {} { a } {1} {a|base64} {-a} a}") == []


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (False, "false"), (1, "1"), (0.1, "0.1"), (2.0, "2.0"), (1e-7, "1e-07"), ("a'b", "a'b"), ("", "")],
)
def test_a_value_as_text(value: Scalar, text: str) -> None:
    assert text_of(value) == text


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("{a}/{b}/{a}", "{b}/2/{b}"),  # what comes in is not looked at again
        ("{{a}} {b}", "{a} 2"),
        ("{{c}}", "{c}"),
        ("{{{b}}}", "{{b}}"),
        ('{"a": {}} }{', '{"a": {}} }{'),
    ],
)
def test_placeholders_are_replaced_once(text: str, result: str) -> None:
    assert filled(text, {"a": "{b}", "b": "2"}, case="one", where="call") == result


def test_values_are_written_as_the_place_wants_and_the_text_around_is_not() -> None:
    assert filled("/a b/{x}?{{x}}", {"x": "/ä"}, case=None, where="call", written=lambda it: quote(it, safe="")) == (
        "/a b/%2F%C3%A4?{x}"
    )


def test_what_nothing_fills_is_said_with_what_is_known() -> None:
    with pytest.raises(UsageError) as caught:
        filled("{c}", {"b": "", "a": ""}, case="one", where="call.http.path")
    assert str(caught.value) == (
        "call.http.path: the case 'one' has nothing that fills '{c}'. "
        "Add the parameter to the case or to call.parameters. Known for this case: {a}, {b}."
    )
    with pytest.raises(UsageError) as caught:
        filled("{c}", {}, case=None, where="call.http.argv[0]")
    assert str(caught.value) == (
        "call.http.argv[0]: nothing fills '{c}'. Known here: none. Write '{{c}}' for the text itself."
    )


def test_in_json_a_file_says_how_it_is_written() -> None:
    found = [match.groups() for match in JSON_PLACEHOLDER.finditer("{a} {b|data-url} {{c}} {{d|base64}} {e|}")]
    assert found == [
        (None, "a", None),
        (None, "b", "data-url"),
        ("c", None, None),
        ("d|base64", None, None),
    ]
