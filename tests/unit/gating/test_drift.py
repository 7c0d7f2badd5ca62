"""A released model that was run again: which values moved, and which conditions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.bundle.directory import Bundle
from penstock.bundle.drift_record import DriftRecord
from penstock.bundle.environment_record import EnvironmentRecord, write_environment_record
from penstock.bundle.models import (
    Inference,
    Invocation,
    Machine,
    Measurement,
    Run,
    ShardRecord,
    Source,
    SuiteRecord,
)
from penstock.bundle.verdict_record import RuleResult, Verdict
from penstock.gating.drift import drift_of

NOW = datetime(2026, 11, 27, tzinfo=UTC)
HERE = Machine(
    system="Linux", processor="A CPU", cores=2, memory_bytes=1, gpu="NVIDIA H200, 550.54", python="3.13.1", versions={}
)
LSE_D = {f"c{number}": 7.0 + number / 10 for number in range(20)}


def rule(metric: str, **more: Any) -> RuleResult:
    known = {"slice": None, "verdict": "pass", "reason": "", "baseline": None, "candidate": None, "change": None}
    return RuleResult.model_validate(known | {"metric": metric, "interval": None, "limit": "", "n": 1} | more)


def side(
    folder: Path,
    *rules: RuleResult,
    machine: Machine = HERE,
    run: Mapping[str, Any] | None = None,
    **metrics: Mapping[str, float | None],
) -> Bundle:
    bundle = Bundle(folder)
    shard = ShardRecord(shard="1/1", cases=1, started="2026-01-01T00:00:00+00:00", machine=machine)
    source = Source(url="u", revision="v1", commit="c" * 40, committer_date="", version="1.0.0", tree="a" * 64)
    known = Run(
        penstock="0.1.0",
        run_id=folder.name,
        model="m",
        source=source,
        suite=SuiteRecord(digest="5" * 64, cases=20),
        inference=Inference(unchanged=False, parts=["1/1"], shards=[shard]),
        machine=machine,
    )
    bundle.update_run(known.model_copy(update=run or {}))
    bundle.write_measurements(
        Measurement(case=case, metric=metric, value=value, error=None if value is not None else "it crashed")
        for metric, values in metrics.items()
        for case, value in values.items()
    )
    if rules:
        bundle.write_verdict(Verdict(verdict="pass", level=0.05, rules=list(rules)))
    return bundle


def drift(released: Bundle, again: Bundle) -> DriftRecord:
    return drift_of(released, again, version="1.0.0", now=NOW)


def kinds(found: DriftRecord) -> set[tuple[str, str]]:
    return {(condition.kind, condition.what) for condition in found.conditions}


def test_the_same_again_is_the_same(tmp_path: Path) -> None:
    released = side(tmp_path / "released", rule("lse_d", better="lower"), lse_d=LSE_D)
    found = drift(released, side(tmp_path / "again", lse_d=LSE_D))
    assert (found.outcome, found.conditions, found.not_known) == ("same", [], [])
    assert [(one.metric, one.state, one.change) for one in found.rules] == [("lse_d", "same", 0.0)]
    assert (found.released_run, found.run, found.time) == ("released", "again", "2026-11-27T00:00:00+00:00")


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_values_that_moved_either_way_are_drift(tmp_path: Path, sign: float) -> None:
    """Better, too: candidates are compared with the stored values."""
    moved = {case: value + sign * (0.1 + 0.01 * (index % 3)) for index, (case, value) in enumerate(LSE_D.items())}
    released = side(tmp_path / "released", rule("lse_d", better="lower", margin=5.0), lse_d=LSE_D)
    found = drift(released, side(tmp_path / "again", lse_d=moved))
    assert found.outcome == "values"
    (one,) = found.rules
    assert one.interval is not None
    assert one.interval[0] * sign > 0
    assert one.interval[1] * sign > 0


def test_noise_is_not_drift(tmp_path: Path) -> None:
    noisy = {case: value + (-1) ** index * 0.05 for index, (case, value) in enumerate(LSE_D.items())}
    released = side(tmp_path / "released", rule("lse_d", better="lower"), lse_d=LSE_D)
    found = drift(released, side(tmp_path / "again", lse_d=noisy))
    assert found.outcome == "same"
    assert found.rules[0].note == "it differs by no more than chance explains"


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=12))
def test_equal_values_never_moved(tmp_path_factory: pytest.TempPathFactory, values: list[float]) -> None:
    folder = tmp_path_factory.mktemp("drift")
    cases = {f"c{number}": value for number, value in enumerate(values)}
    released = side(folder / "released", rule("lse_d", better="lower"), lse_d=cases)
    assert drift(released, side(folder / "again", lse_d=cases)).outcome == "same"


def test_a_case_without_a_value_is_drift_and_one_case_cannot_tell(tmp_path: Path) -> None:
    released = side(tmp_path / "released", rule("lse_d", better="lower"), lse_d=LSE_D)
    lost = drift(released, side(tmp_path / "lost", lse_d=LSE_D | {"c3": None}))
    assert lost.outcome == "values"
    assert "no value any more for 'c3' (it crashed)" in lost.rules[0].note
    single = side(tmp_path / "single", rule("lse_d", better="lower"), lse_d={"a": 7.0})
    found = drift(single, side(tmp_path / "other", lse_d={"a": 7.5}))
    assert (found.outcome, found.rules[0].state) == ("conditions", "open")


def test_times_are_held_to_the_margin_or_the_bounds(tmp_path: Path) -> None:
    times = dict.fromkeys(LSE_D, 1.0)
    slower = dict.fromkeys(LSE_D, 1.1)
    slow = dict.fromkeys(LSE_D, 1.5)
    by_margin = side(tmp_path / "margin", rule("latency", better="lower", margin=0.2), latency=times)
    assert drift(by_margin, side(tmp_path / "slower", latency=slower)).outcome == "same"
    assert drift(by_margin, side(tmp_path / "slow", latency=slow)).outcome == "values"
    first = side(tmp_path / "first", rule("latency", better="lower", maximum=1.2), latency=times)
    assert drift(first, side(tmp_path / "slower2", latency=slower)).outcome == "same"
    assert drift(first, side(tmp_path / "slow2", latency=slow)).outcome == "values"
    bare = side(tmp_path / "bare", rule("latency", better="lower"), latency=times)
    found = drift(bare, side(tmp_path / "slow3", latency=slow)).rules[0]
    assert (found.state, found.now) == ("not run", 1.5), "nothing says how slow it may be: it is not called the same"


def test_what_only_a_whole_release_measures_is_not_run(tmp_path: Path) -> None:
    released = side(tmp_path / "released", rule("load_p50_ms"), load_p50_ms={"*": 20.0}, lse_d=LSE_D)
    found = drift(released, side(tmp_path / "again", lse_d=LSE_D))
    assert (found.outcome, found.rules[0].state) == ("same", "not run")


@pytest.mark.parametrize(
    ("machine", "run", "expected"),
    [
        (HERE.model_copy(update={"gpu": "NVIDIA H200, 560.1"}), {}, ("driver", "card and driver")),
        (HERE.model_copy(update={"gpu": "NVIDIA L4, 550.54"}), {}, ("card", "GPU model")),
        (HERE.model_copy(update={"processor": "Another"}), {}, ("machine", "processor")),
        (HERE.model_copy(update={"python": "3.14.0"}), {}, ("software", "Python")),
        (HERE, {"penstock": "0.2.0"}, ("software", "Penstock")),
        (HERE, {"suite": SuiteRecord(digest="6" * 64, cases=20)}, ("data", "suite")),
        (HERE, {"parameters": {"steps": 3}}, ("parameter", "parameter 'steps'")),
        (HERE, {"use_onnx": True}, ("export", "computes with")),
    ],
)
def test_which_condition_moved(
    tmp_path: Path, machine: Machine, run: dict[str, Any], expected: tuple[str, str]
) -> None:
    released = side(tmp_path / "released", rule("lse_d", better="lower"), lse_d=LSE_D)
    found = drift(released, side(tmp_path / "again", machine=machine, run=run, lse_d=LSE_D))
    assert found.outcome == "conditions"
    assert kinds(found) == {expected}


def test_networks_and_packages(tmp_path: Path) -> None:
    labels = [{"lipsync": f"syncnet@sha256:{digit * 64}"} for digit in "12"]
    released = side(tmp_path / "released", rule("lse_d", better="lower"), run={"extractors": labels[0]}, lse_d=LSE_D)
    again = side(tmp_path / "again", run={"extractors": labels[1]}, lse_d=LSE_D)
    for bundle, version in ((released, "2.6.0"), (again, "2.7.0")):
        write_environment_record(bundle, EnvironmentRecord(read="recipe", packages={"torch": version, "numpy": "2"}))
    assert kinds(drift(released, again)) == {("network", "extractor 'lipsync'"), ("software", "torch of the model")}


def test_answers_are_compared_byte_by_byte(tmp_path: Path) -> None:
    released = side(tmp_path / "released", rule("lse_d", better="lower"), lse_d=LSE_D)
    again = side(tmp_path / "again", lse_d=LSE_D)
    for bundle, second in ((released, b"2"), (again, b"3")):
        for case, content in (("a", b"1"), ("b", second)):
            path = bundle.path / "outputs" / case / "output.mp4"
            path.parent.mkdir(parents=True)
            path.write_bytes(content)
        bundle.write_invocations(
            Invocation(case=case, status="ok", output=f"outputs/{case}/output.mp4") for case in "ab"
        )
    released.seal()
    found = drift(released, again)
    assert (found.answers, found.answers_same, found.outcome) == (2, 1, "same")


def test_what_was_not_recorded_is_said(tmp_path: Path) -> None:
    released = side(
        tmp_path / "released", rule("lse_d"), run={"suite": None, "machine": None, "inference": None}, lse_d=LSE_D
    )
    assert drift(released, side(tmp_path / "again", lse_d=LSE_D)).not_known == ["suite", "card", "versions"]
