"""One machine and a cluster do the same work: the same measurements, the same verdict, sharded or not."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from tests.e2e.local import LocalRun
from tests.e2e.run import Run
from tests.e2e.session import GOOD, WORSE

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Measurement
from penstock.bundle.verdict_record import RuleResult

OF_THE_MACHINE = {"real_time_factor", "latency", "peak_memory", "gpu_memory"}
"""How fast and how large: no two runs agree in them, also on one machine. They must be there for the same cases, and
the verdict of their rules must be what each run's own value says: the same unless the limit lies between the two."""
LIMIT = re.compile(r"≤ ([0-9.]+)")
RELATIVE = 1e-9


def close(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=RELATIVE, abs_tol=RELATIVE)


def differences(ours: list[Measurement], theirs: list[Measurement]) -> list[str]:
    """In words: every measurement in which two runs do not agree, and every one that only one of them has."""
    one, other = ({(item.case, item.slice, item.metric): item for item in side} for side in (ours, theirs))
    found = [f"only one has {key}" for key in sorted(one.keys() ^ other.keys())]
    for key in sorted(one.keys() & other.keys()):
        left, right = one[key], other[key]
        same = (left.unit, left.slices, left.extractor, left.error) == (
            right.unit,
            right.slices,
            right.extractor,
            right.error,
        )
        if left.metric in OF_THE_MACHINE:
            same = same and (left.value is None) == (right.value is None)
        else:
            same = same and close(left.value, right.value)
        if not same:
            found.append(f"{key}: {left} against {right}")
    return found


def rule_differences(ours: list[RuleResult], theirs: list[RuleResult]) -> list[str]:
    """In words: every rule in which two verdicts do not agree."""
    found = [] if len(ours) == len(theirs) else [f"{len(ours)} rules against {len(theirs)}"]
    for left, right in zip(ours, theirs, strict=False):
        names = ("metric", "slice", "severity", "limit", "n")
        same = all(getattr(left, name) == getattr(right, name) for name in names)
        if left.metric in OF_THE_MACHINE:
            same = same and follows(left) and follows(right)
        else:
            same = same and (left.verdict, left.reason) == (right.verdict, right.reason)
            same = same and all(
                close(getattr(left, name), getattr(right, name)) for name in ("baseline", "candidate", "change")
            )
            ends = [side.interval or (None, None) for side in (left, right)]
            same = same and all(close(one, other) for one, other in zip(*ends, strict=True))
        if not same:
            found.append(f"{left} against {right}")
    return found


def follows(rule: RuleResult) -> bool:
    """Whether the verdict of a rule with an upper bound is what its own value says."""
    bound = LIMIT.search(rule.limit)
    assert bound, rule.limit
    assert rule.candidate is not None
    return (rule.verdict == "pass") == (rule.candidate <= float(bound[1]))


@pytest.mark.parametrize("tag", [GOOD, WORSE])
def test_the_cluster_and_this_machine_agree(
    tag: str, first: Run, worse: Run, here: dict[str, LocalRun], bundles: Path
) -> None:
    run = first.must_be_green() if tag == GOOD else worse.must_be_red()
    cluster = run.bundle(bundles / f"cluster-{tag}")
    local = here[tag]
    assert local.exit_code == (0 if tag == GOOD else 1)
    assert differences(cluster.measurements(), local.bundle.measurements()) == []
    assert cluster.verdict().verdict == local.bundle.verdict().verdict
    assert rule_differences(cluster.verdict().rules, local.bundle.verdict().rules) == []


def test_the_comparison_finds_what_differs(here: dict[str, LocalRun]) -> None:
    """The two releases do differ: a comparison that sees nothing there would see nothing above."""
    good, worse = here[GOOD].bundle, here[WORSE].bundle
    assert differences(good.measurements(), worse.measurements())
    assert rule_differences(good.verdict().rules, worse.verdict().rules)


def test_two_shards_measure_what_one_does(sharded: Run, first: Run, bundles: Path) -> None:
    sharded.must_be_green()
    assert len({pod.task_run for pod in sharded.pods("infer")}) == 2
    one, two = (run.bundle(bundles / f"shards-{run.name}") for run in (first, sharded))
    assert [call.case for call in two.invocations()] == [call.case for call in one.invocations()]
    assert differences(two.measurements(), one.measurements()) == []
    assert two.verdict().verdict == "pass"


def test_the_sharded_run_was_compared_with_the_released_one(sharded: Run, first: Run, bundles: Path) -> None:
    bundle = Bundle(sharded.must_be_green().bundle(bundles / "sharded-verdict").path)
    assert bundle.verdict().baseline == first.name
    assert all(rule.change == 0 for rule in bundle.verdict().rules if rule.metric not in OF_THE_MACHINE)
