"""What a case expects where the model must refuse it."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.contract.expectation import Expect


@pytest.mark.parametrize(
    ("status", "has", "has_not"),
    [
        (422, [422], [421, 423, 400, 200]),
        ("4xx", [400, 422, 499], [399, 500, 200]),
        ([400, "5xx"], [400, 500, 599], [401, 499, 200]),
    ],
)
def test_which_statuses_refuse(status: Any, has: list[int], has_not: list[int]) -> None:
    expect = Expect.model_validate({"status": status})
    assert [number for number in has + has_not if expect.has_status(number)] == has


def test_without_a_status_any_will_do() -> None:
    expect = Expect.model_validate({"json": {"$.code": None}})
    assert expect.has_status(200)
    assert expect.has_status(500)


@pytest.mark.parametrize("status", [200, 299, "2xx", [422, 204]])
def test_a_status_of_success_refuses_only_with_a_value(status: Any) -> None:
    with pytest.raises(ValueError, match="a status of success refuses nothing by itself"):
        Expect.model_validate({"status": status})
    assert Expect.model_validate({"status": status, "json": {"$.ok": False}}).values == {"$.ok": False}


@pytest.mark.parametrize("status", [100, 199, 300, 599, "1xx", "3xx"])
def test_every_other_status_refuses_by_itself(status: Any) -> None:
    assert Expect.model_validate({"status": status}).status == status


@pytest.mark.parametrize("status", [99, 600, True, "422", "6xx", "4xxx", 4.5, [422, "x"], [None, False]])
def test_what_is_no_status_is_refused_in_plain_words(status: Any) -> None:
    with pytest.raises(ValueError, match="must be a status such as 422, a class such as 4xx, or a list of them"):
        Expect.model_validate({"status": status})


@pytest.mark.parametrize("nothing", [{}, {"status": None}, {"call": "compare"}, {"json": {}}])
def test_something_must_be_expected(nothing: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="say what is expected: 'status', 'json', or both"):
        Expect.model_validate(nothing)


@pytest.mark.parametrize(
    ("expect", "words"),
    [
        ({"status": 422}, "422"),
        ({"status": ["4xx", 503]}, "4xx or 503"),
        ({"json": {"$.code": "no_face"}}, "$.code 'no_face'"),
        ({"status": 422, "json": {"$.a": 1, "$.b": None}}, "422 with $.a 1 with $.b None"),
    ],
)
def test_it_is_said_in_words(expect: dict[str, Any], words: str) -> None:
    assert Expect.model_validate(expect).in_words() == words


def test_it_is_written_as_it_is_read() -> None:
    said = {"status": [422, "5xx"], "json": {"$.code": 1}, "call": "compare"}
    assert Expect.model_validate(said).model_dump() == said
