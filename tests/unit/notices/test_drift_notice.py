"""What people are told of a released model that moved, and that nobody is told where nothing did."""

from __future__ import annotations

from typing import Any

from tests.unit.bundle.test_drift_record import DRIFT

from penstock.bundle.drift_record import RuleMovement
from penstock.notices.drift_notice import drift_headline, drift_notice, moved_kinds


def changed(**more: Any) -> Any:
    return drift_notice(DRIFT.model_copy(update=more))


def test_nobody_is_told_of_nothing() -> None:
    assert changed(outcome="same", conditions=[], rules=[]) is None


def test_values_come_first_with_what_else_moved() -> None:
    notice = drift_notice(DRIFT)
    assert notice is not None
    assert notice.what == "m 1.0.0: its values moved; driver moved, too"
    assert notice.why.startswith("lse_d: 7 → 8, change +1 (+0.5 … +1.5). The release and its record stay as they are.")
    assert notice.details[0] == "card and driver: A, 550 → A, 560"
    assert notice.tone == "failure"


def test_conditions_alone_are_a_warning() -> None:
    notice = changed(outcome="conditions", rules=[])
    assert notice.what == "m 1.0.0: no value is known to have moved; driver moved"
    assert notice.why.startswith("card and driver: A, 550 → A, 560. Nothing to do yet")
    assert notice.tone == "warning"
    unsure = RuleMovement(metric="fid", state="open", note="too few cases")
    assert "fid: too few cases. Look at it" in changed(outcome="conditions", conditions=[], rules=[unsure]).why


def test_each_kind_is_named_once() -> None:
    assert moved_kinds(DRIFT.model_copy(update={"conditions": DRIFT.conditions * 2})) == ["driver"]


def test_the_headline_says_so_also_where_nothing_moved() -> None:
    assert drift_headline(DRIFT.model_copy(update={"outcome": "same", "conditions": []})) == "m 1.0.0: nothing moved"
    assert drift_headline(DRIFT) == "m 1.0.0: its values moved; driver moved, too"


def test_that_another_release_is_current_by_now_is_said_first() -> None:
    assert changed(current="1.1.0").details[0] == "By now m 1.1.0 is the current release."
