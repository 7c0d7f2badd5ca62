"""A section ``log`` that does not fit the policy is told before anything runs."""

from __future__ import annotations

from tests.unit.contract.conftest import Write

from penstock.contract.check import check_repository
from penstock.families.registry import directions

LOG = "log: {required: [%s]}\nsuite: suite\n"


def told(write: Write, *changes: tuple[str, str]) -> list[str]:
    root = write(*changes)
    return [str(fault) for fault in check_repository(root, metrics=directions()).faults if not fault.warning]


def test_a_log_that_fits_is_no_fault(repository: Write) -> None:
    assert told(repository, ("suite: suite\n", LOG % "event, latency_ms")) == []


def test_a_field_that_is_asked_for_twice(repository: Write) -> None:
    (fault,) = told(repository, ("suite: suite\n", LOG % "event, latency_ms, event"))
    assert "log.required[2]: 'event' is there twice" in fault


def test_a_rule_for_a_log_of_which_nothing_is_said(repository: Write) -> None:
    (fault,) = told(repository, ("  rules:\n", "  rules:\n    - {metric: log, min: 1}\n"))
    assert "'log' is what was found in the model's log, and the contract has no 'log'" in fault
