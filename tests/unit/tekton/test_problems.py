"""Checks of single texts that Tekton's webhook makes."""

from __future__ import annotations

import pytest

from penstock.tekton.problems import (
    DNS_LABEL,
    duplicates,
    duplicates_in_any_case,
    not_isolated,
    path_text,
    prohibited_variable,
    unknown_variable,
    whole_variable,
)


def test_path_of_a_field() -> None:
    assert path_text(("spec", "tasks", 2, "name")) == "spec.tasks[2].name"
    assert path_text(()) == ""


@pytest.mark.parametrize(
    ("text", "found"),
    [("$(params.a)", False), ("$(params.b)", True), ("$(params.a[0])", False), ("plain", False), ("$(other.b)", False)],
)
def test_unknown_variables(text: str, found: bool) -> None:
    assert bool(unknown_variable(text, "params", {"a"})) is found


def test_whole_arrays_where_text_is_wanted() -> None:
    assert prohibited_variable("x $(params.a[*])", "params", {"a"})
    assert not prohibited_variable("x $(params.b)", "params", {"a"})
    assert not_isolated("x $(params.a[*])", "params", {"a"})
    assert not not_isolated("$(params.a[*])", "params", {"a"})
    assert whole_variable("$(params.o[*])", "params", {"o"})
    assert not whole_variable("$(params.o.key)", "params", {"o"})


def test_names_that_are_there_twice() -> None:
    assert duplicates(["a", "b", "a", "A", "a"]) == [2, 4]
    assert duplicates_in_any_case(["a", "A"]) == [1]


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a" * 64, "a.b", "a\n"])
def test_what_is_no_label(name: str) -> None:
    assert not DNS_LABEL.fullmatch(name)
    assert DNS_LABEL.fullmatch("a" * 63)
