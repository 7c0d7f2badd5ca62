"""What a family says of itself is loaded when it is used."""

from __future__ import annotations

import pytest

from penstock.families.registry import family, family_names
from penstock.foundation.references import load


def test_reference_is_module_and_name() -> None:
    assert load("penstock.foundation.files:sha256_json")({}) == load("penstock.foundation.files:sha256_json")({})
    with pytest.raises((ImportError, AttributeError, ValueError)):
        load("penstock.foundation.files:no_such_function")


@pytest.mark.parametrize("name", family_names())
def test_every_reference_of_every_family_leads_somewhere(name: str) -> None:
    found = family(name)
    references = [found.case, found.measurer, *found.commands.values()]
    references += [role.loader for role in found.roles.values()]
    assert all(callable(load(reference)) for reference in references)


@pytest.mark.parametrize("name", family_names())
def test_metrics_name_roles_that_are_there_and_each_metric_once(name: str) -> None:
    found = family(name)
    names = [metric.name for metric in found.metrics]
    assert len(names) == len(set(names))
    assert {metric.role for metric in found.metrics if metric.role} <= set(found.roles)
    assert {metric.instead for metric in found.metrics if metric.instead} <= set(names)


def test_input_without_a_rule_may_be_anything_that_is_read() -> None:
    found = family("talking-head")
    assert found.kinds_of("image") == ("image",)
    assert set(found.kinds_of("something-else")) >= {"image", "audio", "video"}
