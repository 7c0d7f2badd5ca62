"""Records of a bundle: what counts as a value, what counts for the verdict, and what older files leave out."""

from __future__ import annotations

import math
from typing import Any

import pytest
from pydantic import ValidationError
from tests.unit.report.verdicts import EXPIRED, WAIVER, rule

from penstock.bundle.estimates import RatingCount, StandardError
from penstock.bundle.models import BuiltElsewhere, Image, Isolation, Measurement, Run, ShardRecord, Use
from penstock.bundle.verdict_record import Verdict


@pytest.mark.parametrize("value", [True, "7.9", float("nan"), float("inf"), [1.0]])
def test_what_is_no_value(value: Any) -> None:
    with pytest.raises(ValidationError):
        Measurement(case="a", metric="lse_d", value=value)


def test_missing_value_has_to_be_said() -> None:
    with pytest.raises(ValidationError):
        Measurement.model_validate({"case": "a", "metric": "lse_d"})
    assert Measurement(case="a", metric="lse_d", value=None, error="no face").value is None
    with pytest.raises(ValidationError):
        Measurement(case="", metric="lse_d", value=1.0)


@pytest.mark.parametrize(
    ("more", "blocks"),
    [
        ({}, True),
        ({"severity": "warn"}, False),
        ({"advisory": True}, False),
        ({"waiver": WAIVER}, False),
        ({"waiver": EXPIRED}, True),
    ],
)
def test_what_counts_for_the_verdict(more: dict[str, Any], blocks: bool) -> None:
    assert rule(**more).blocks is blocks


def test_time_of_use_is_that_of_every_attempt() -> None:
    uses = [Use(started="", ended="", seconds=seconds) for seconds in (1.5, 2.25)]
    assert ShardRecord(shard="1/1", cases=1, started="", uses=uses).used_s == 3.75
    assert str(Isolation(level="landlock", how="ABI 7")) == "landlock (ABI 7)"
    assert str(Isolation(level="none")) == "none"


def test_records_of_the_first_version_are_read() -> None:
    """What they lack has a meaning of its own: no parameters were recorded, the floor was none."""
    run = Run.model_validate_json('{"schema_version": 1, "penstock": "0.0.1", "run_id": "a"}')
    assert (run.parameters, run.regated_from, run.inference) == ({}, None, None)
    verdict = Verdict.model_validate_json('{"verdict": "pass", "level": 0.05, "rules": []}')
    assert (verdict.floor, verdict.comparison, verdict.baseline) == (None, "stored", None)


def test_records_do_not_change() -> None:
    with pytest.raises(ValidationError):
        rule().verdict = "pass"  # type: ignore[misc]


def test_what_a_model_says_is_one_line_and_drives_no_terminal() -> None:
    said = "the log ends: a\n[penstock] all is well\x1b[2J\ud800"
    found = Measurement(case="*", metric="page", value=0.0, error=said)
    assert found.error == r"the log ends: a [penstock] all is well\x1b[2J\ud800"
    assert Measurement.model_validate_json(found.model_dump_json()) == found


def test_an_image_that_penstock_built_is_recorded_as_before() -> None:
    built = Image(kind="image", url="r/m", digest="sha256:" + "a" * 64)
    assert "elsewhere" not in built.model_dump_json()
    taken = built.model_copy(update={"elsewhere": BuiltElsewhere(given="r/m@sha256:" + "b" * 64, compared=3)})
    assert Image.model_validate_json(taken.model_dump_json()) == taken
    assert built.same_as(taken)


@pytest.mark.parametrize(
    "change", [{"error": -1.0}, {"error": math.nan}, {"error": math.inf}, {"error": 1e300}, {"freedom": 0}]
)
def test_a_standard_error_that_is_none(change: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        StandardError.model_validate({"error": 0.1, "freedom": 11} | change)


@pytest.mark.parametrize("value", [-0.1, 7.0])
def test_a_share_of_ratings_is_a_share(value: float) -> None:
    with pytest.raises(ValidationError, match="between 0 and 1"):
        Measurement(case="*", metric="preference", value=value, ratings=RatingCount(counted=120))
