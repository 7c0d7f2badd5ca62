"""A released model that was run again, compared with its release's evidence: which values moved, and what else did.

A rule's metric has moved if its paired change is not 0 beyond what chance explains, in either direction: better is
drift as well, since the next candidate is compared with the stored values. A metric that measures the machine, too, has
moved if it changed by more than its rule lets a candidate.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Iterator

from penstock.bundle.directory import Bundle, read_model
from penstock.bundle.drift_record import ConditionKind, DriftOutcome, DriftRecord, MovedCondition, RuleMovement
from penstock.bundle.environment_record import environment_record
from penstock.bundle.models import Machine, Manifest, Run
from penstock.bundle.verdict_record import RuleResult
from penstock.families.registry import is_timed
from penstock.foundation.errors import one_line
from penstock.foundation.files import sha256_file
from penstock.gating.comparable import differences, gpu_models
from penstock.gating.compare import change_of
from penstock.gating.decision import ROUNDING
from penstock.gating.measurements import Table, Values
from penstock.gating.wording import named

_KINDS: tuple[tuple[str, ConditionKind], ...] = (
    ("suite", "data"),
    ("extractor", "network"),
    ("GPU model", "card"),
    ("parameter", "parameter"),
)
"""How a difference that forbids a comparison begins → what kind of condition it is."""
MAX_PACKAGES = 50
"""Packages of the model that are named."""


def drift_of(released: Bundle, again: Bundle, *, version: str, now: datetime.datetime) -> DriftRecord:
    """Compare a new run of a released model with the evidence of its release.

    Args:
        released: the archived bundle; of it ``run.json``, ``verdict.json``, ``measurements.jsonl`` and, where there is
            one, ``environment.json`` are read.
        again: the new run's, up to its measurements.
        version: of the release.
        now: the time.

    Raises:
        UsageError: one of the two is not complete, or of a newer version.
    """
    then, today, verdict = released.run(), again.run(), released.verdict()
    rules = _distinct(verdict.rules)
    level = verdict.level / (2 * max(1, len(rules)))
    tables = Table("release", released.measurements()), Table("run", again.measurements())
    moved = [_movement(rule, *tables, level) for rule in rules]
    conditions = [*_conditions(then, today), *_packages(released, again)]
    answers = list(_same_answers(released, again))
    return DriftRecord(
        model=then.model,
        version=version,
        released_run=then.run_id,
        run=today.run_id,
        time=now.astimezone(datetime.UTC).isoformat(timespec="seconds"),
        level=verdict.level,
        outcome=_outcome(moved, conditions),
        conditions=conditions,
        rules=moved,
        answers=len(answers),
        answers_same=sum(answers),
        not_known=list(_not_known(then, today)),
    )


def _distinct(rules: Iterable[RuleResult]) -> list[RuleResult]:
    """One rule for each metric and slice, with the widest margin: the policy and the floor may name the same."""
    found: dict[tuple[str, str | None], RuleResult] = {}
    for rule in rules:
        before = found.get((rule.metric, rule.slice))
        if before is None or (rule.margin or 0.0) > (before.margin or 0.0):
            found[rule.metric, rule.slice] = rule
    return list(found.values())


def _outcome(rules: list[RuleMovement], conditions: list[MovedCondition]) -> DriftOutcome:
    states = {rule.state for rule in rules}
    if "moved" in states:
        return "values"
    return "conditions" if conditions or "open" in states else "same"


def _movement(rule: RuleResult, then: Table, now: Table, level: float) -> RuleMovement:
    """What became of one rule's metric, at ``level`` for each of its two bounds."""
    known = {"metric": rule.metric, "slice": rule.slice}
    there, here = then.values(rule.metric, rule.slice), now.values(rule.metric, rule.slice)
    if not there.by_case:
        return RuleMovement(**known, state="not run", note="the release has no value of it")
    if rule.metric not in now.by_metric:
        return RuleMovement(**known, state="not run", note="only a whole release measures it")
    if gone := {case: why for case, why in here.lost.items() if case in there.by_case}:
        return RuleMovement(**known, state="moved", n=len(there.by_case), note=f"no value any more for {named(gone)}")
    change = change_of(rule.metric, rule.slice, now, then, rule.better, level)
    found = RuleMovement(
        **known,
        unit=change.unit,
        state="open",
        then=change.baseline,
        now=change.candidate,
        change=change.change,
        interval=change.interval,
        n=change.n,
        note=change.note,
    )
    if change.change is None:
        return found
    if is_timed(rule.metric):
        return _timed(found, rule)
    if not _differ(there, here):
        return found.model_copy(update={"state": "same"})
    if change.interval is None:
        return found.model_copy(update={"note": found.note or "too few cases to tell it from chance"})
    low, high = change.interval
    if low > 0 or high < 0:
        return found.model_copy(update={"state": "moved"})
    if there.by_case.keys() != here.by_case.keys():
        return found
    return found.model_copy(update={"state": "same", "note": "it differs by no more than chance explains"})


def _timed(found: RuleMovement, rule: RuleResult) -> RuleMovement:
    """Of a metric that measures the machine as well, which is never twice the same."""
    if rule.margin is None:
        bounds = (rule.minimum, rule.maximum)
        if bounds == (None, None):  # of a first release, or one whose verdict has its bounds in words only
            note = "the release's verdict has neither a margin nor bounds to hold it to"
            return found.model_copy(update={"state": "not run", "note": note})
        mean = found.now if found.now is not None else 0.0
        broken = (bounds[0] is not None and mean < bounds[0]) or (bounds[1] is not None and mean > bounds[1])
        return found.model_copy(update={"state": "moved" if broken else "same", "note": "held to its bounds alone"})
    told = found.model_copy(update={"tolerance": rule.margin, "state": "same"})
    if found.interval is None:
        beyond = abs(found.change or 0.0) > rule.margin
        return told.model_copy(update={"state": "open" if beyond else "same"})
    low, high = found.interval
    return told.model_copy(update={"state": "moved"}) if low > rule.margin or high < -rule.margin else told


def _differ(there: Values, here: Values) -> bool:
    """Whether a case has another value, by more than floating point adds, or has none."""
    if there.by_case.keys() != here.by_case.keys():
        return True
    return any(not math.isclose(value, here.by_case[case], rel_tol=ROUNDING) for case, value in there.by_case.items())


def _same_answers(released: Bundle, again: Bundle) -> Iterator[bool]:
    """Whether each file that the model returned both times is the same: then by its digest in the manifest."""
    if not (released.manifest_file.exists() and again.invocations_file.exists()):
        return
    digests = read_model(released.manifest_file, Manifest).files
    for name in sorted(output for call in again.invocations() for output in call.outputs):
        if name in digests and (again.path / name).is_file():
            yield sha256_file(again.path / name) == digests[name]


def _conditions(then: Run, now: Run) -> Iterator[MovedCondition]:
    """What the two runs themselves record."""
    for found in differences(now, then):
        kind = next(kind for begins, kind in _KINDS if found.what.startswith(begins))
        yield _condition(kind, found.what, found.baseline, found.candidate)
    if then.source is not None and now.source is not None and then.source.tree != now.source.tree:
        yield _condition(
            "data", "files of the commit", *(f"sha256:{run.tree[:12]}" for run in (then.source, now.source))
        )
    if gpu_models(then) == gpu_models(now) and (drivers := _moved(_cards(then), _cards(now))):
        yield _condition("driver", "card and driver", *drivers)
    if then.use_onnx != now.use_onnx:
        words = {True: "the exported file", False: "the trained weights", None: "not compared"}
        yield _condition("export", "computes with", words[then.use_onnx], words[now.use_onnx])
    if then.penstock != now.penstock:
        yield _condition("software", "Penstock", then.penstock, now.penstock)
    ours, theirs = now.machine, then.machine
    if ours is not None and theirs is not None:
        if (ours.processor, ours.cores) != (theirs.processor, theirs.cores):
            yield _condition("machine", "processor", *(f"{at.processor}, {at.cores} cores" for at in (theirs, ours)))
        versions = {"Python": theirs.python} | theirs.versions, {"Python": ours.python} | ours.versions
        for name in sorted(versions[0].keys() & versions[1].keys()):
            if versions[0][name] != versions[1][name]:
                yield _condition("software", name, versions[0][name], versions[1][name])


def _packages(released: Bundle, again: Bundle) -> Iterator[MovedCondition]:
    """What the model's image, or its recipe, has: of an image by its digest that cannot move, of a recipe it can."""
    then, now = environment_record(released), environment_record(again)
    if then is None or now is None or then.unreadable is not None or now.unreadable is not None:
        return
    names = sorted(then.packages.keys() | now.packages.keys())
    moved = [name for name in names if then.packages.get(name) != now.packages.get(name)]
    for name in moved[:MAX_PACKAGES]:
        before, after = (at.packages.get(name, "not there") for at in (then, now))
        yield _condition("software", f"{name} of the model", before, after)
    if then.driver and now.driver and then.driver != now.driver:
        yield _condition("driver", "NVIDIA's driver", then.driver, now.driver)


def _not_known(then: Run, now: Run) -> Iterator[str]:
    runs = (then, now)
    if any(run.suite is None for run in runs):
        yield "suite"
    if any(gpu_models(run) is None for run in runs):
        yield "card"
    if any(run.source is None for run in runs):
        yield "files of the commit"
    if any(run.machine is None for run in runs):
        yield "versions"


def _moved(then: frozenset[str], now: frozenset[str]) -> tuple[str, str] | None:
    """Both in words, where both are known and not the same."""
    if not then or not now or then == now:
        return None
    return " and ".join(sorted(then)), " and ".join(sorted(now))


def _cards(run: Run) -> frozenset[str]:
    """Cards with their drivers, where the model ran; without shards, where the run did."""
    shards = run.inference.shards if run.inference is not None else []
    machines: list[Machine | None] = [shard.machine for shard in shards] or [run.machine]
    return frozenset(machine.gpu for machine in machines if machine is not None and machine.gpu)


def _condition(kind: ConditionKind, what: str, then: object, now: object) -> MovedCondition:
    return MovedCondition(kind=kind, what=one_line(what), then=one_line(f"{then}"[:200]), now=one_line(f"{now}"[:200]))
