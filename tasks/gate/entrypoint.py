"""Judge the measurements by the policy, and compare them with the current release.

Of a released model that is run again, nothing is judged: it is compared with its own record (docs/watch.md).
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.checked_contract import read_checked
from penstock.bundle.directory import Bundle, write_model
from penstock.bundle.drift_record import is_watched
from penstock.bundle.metric_history import HISTORY_FILE, History
from penstock.bundle.steps import recorded
from penstock.bundle.verdict_record import Verdict
from penstock.contract.engine_rules import with_engine_rules
from penstock.contract.floor import FLOOR_FILE, floor_in
from penstock.contract.load import read_policy
from penstock.contract.models import CONTRACT_FILE
from penstock.contract.policy import Policy
from penstock.families.registry import directions
from penstock.foundation.errors import UsageError
from penstock.foundation.files import disk_errors, inside, replacing
from penstock.gating.calibration import calibration_of
from penstock.gating.comparable import check_comparable
from penstock.gating.floor import Floor, read_floor
from penstock.gating.gate import gate, headline
from penstock.gating.run_waivers import run_waivers
from penstock.gating.short_suite import is_harmless
from penstock.notices.drift_notice import drift_headline
from penstock.ratings.counting import counted_ratings
from penstock.ratings.records import RATINGS_FILE
from penstock.releases.kept_drift import compare_and_keep
from penstock.releases.measured_again import measured_again
from penstock.releases.metric_history import past_releases
from penstock.releases.quick_track import VERIFY
from penstock.releases.quick_verdict import quick_headline, quick_verdict
from penstock.releases.rerun_baseline import baseline_of
from penstock.steps.entrypoint import log, param, run_step, shorten, workspace
from penstock.store.open import open_store
from penstock.store.store import Store


@dataclass(frozen=True)
class Arguments:
    """Answer pass, fail or inconclusive; of a released model that is run again: same, values or conditions."""

    store: str = param(
        "where releases are kept: a directory or s3://bucket/prefix; empty, on the verify track: nothing is compared",
        default="",
    )
    policy: str = param("a policy file below the repository; empty: the contract's", default="")
    slice: str = param(
        "on the verify track: the only cases that were run, those with this slice; empty: all", default=""
    )
    waive: str = param(
        "on the verify track: waivers of this run alone, a JSON list of {metric, slice, reason, expires, by}",
        default="",
    )
    source: Path = workspace("the model's repository")
    bundle: Path = workspace("the run's bundle")
    baseline: Path = workspace("where the baseline's bundle goes")
    store_credentials: Path | None = workspace("for S3", optional=True)
    policy_floor: Path | None = workspace("the platform's rules: policy-floor.yaml", optional=True)


RESULTS: tuple[str, ...] = ("verdict", "baseline", "reason", "harmless")


def step(arguments: Arguments) -> dict[str, str]:
    """Fetch the baseline, decide, write ``verdict.json``. It is a result: evidence is stored before it counts."""
    bundle = Bundle(arguments.bundle)
    if is_watched(bundle.run()):
        return _drift(arguments, bundle)
    contract = read_checked(bundle, arguments.source).contract
    policy, policy_file = contract.policy, arguments.source / CONTRACT_FILE
    if arguments.policy:
        policy_file = inside(arguments.source, arguments.policy, where="policy")
        policy, warnings = read_policy(policy_file, directions())
        for fault in warnings:
            log("fault", what=str(fault), warning=True)
    policy = with_engine_rules(policy, contract)
    with recorded(bundle, "gate") as note:
        if bundle.run().track == VERIFY:
            verdict = _quick(arguments, bundle, contract.name, policy, policy_file.parent)
            note.note = verdict.verdict
            reason = quick_headline(verdict, headline(verdict) if verdict.rules else "")
            return {
                "verdict": verdict.verdict,
                "baseline": verdict.baseline or "",
                "reason": shorten(reason, 500),
                "harmless": str(is_harmless(verdict)).lower(),
            }
        if not arguments.store:
            raise UsageError("a release is judged against a store", where="--store", todo="Name it.")
        store = open_store(arguments.store, arguments.store_credentials)
        floor = _floor(arguments.policy_floor, bundle)
        rules = [*policy.rules, *(floor.rules.rules if floor is not None else [])]
        pointer, released = baseline_of(store, contract.name, policy, bundle, arguments.baseline, rules=rules)
        if released is not None and policy.baseline == "stored":
            check_comparable(bundle.run(), released.run())
        if pointer is not None and any(rule.ratings_wanted is not None for rule in rules):
            _count_ratings(store, bundle, contract.name, pointer.run_id)
        verdict = gate(
            bundle.measurements(),
            released.measurements() if released else None,
            policy,
            candidate_name=bundle.run().run_id,
            baseline_name=pointer.run_id if pointer else None,
            cases=[call.case for call in bundle.invocations()],
            calibration=calibration_of(policy, policy_file.parent),
            floor=floor,
        )
        again = measured_again(released) if released else None
        bundle.write_verdict(verdict.model_copy(update={"measured_again": again}))
        write_model(bundle.path / HISTORY_FILE, past_releases(store, contract.name, pointer))
        note.note = verdict.verdict
    if again is not None:
        log("measured again", metrics=again.metrics, stored=again.stored, now=again.measured)
    reason = headline(verdict)
    found = {"verdict": verdict.verdict, "baseline": pointer.run_id if pointer else "", "reason": shorten(reason, 500)}
    return found | {"harmless": "false"}


def _quick(arguments: Arguments, bundle: Bundle, model: str, policy: Policy, folder: Path) -> Verdict:
    """Judge a commit that is not released, and write the verdict. No history: its values are of other cases."""
    store = open_store(arguments.store, arguments.store_credentials) if arguments.store else None
    given = run_waivers(arguments.waive)
    verdict = quick_verdict(
        store,
        model,
        policy,
        bundle,
        arguments.baseline,
        slice_name=arguments.slice,
        calibration=calibration_of(policy, folder),
        waivers=given,
        floor=_floor(arguments.policy_floor, bundle),
    )
    for waiver in given:
        if not any((rule.metric, rule.slice) == (waiver.metric, waiver.slice) for rule in verdict.rules):
            log("fault", what=f"there is no rule for '{waiver.metric}' to waive, or it was not asked", warning=True)
    bundle.write_verdict(verdict)
    write_model(bundle.path / HISTORY_FILE, History(model=model))
    return verdict


def _drift(arguments: Arguments, bundle: Bundle) -> dict[str, str]:
    """Compare a released model's new run with its record, which the step weights has brought; keep what was found."""
    store = open_store(arguments.store, arguments.store_credentials)
    drift, kept = compare_and_keep(store, Bundle(arguments.baseline), bundle)
    headline = drift_headline(drift)
    log("compared", outcome=drift.outcome, what=headline, kept=kept)
    found = {"verdict": drift.outcome, "baseline": drift.released_run, "reason": shorten(headline, 500)}
    return found | {"harmless": "false"}


def _count_ratings(store: Store, bundle: Bundle, model: str, baseline: str) -> None:
    """Add what people have said of these outputs so far to the measurements; the bundle keeps what was counted."""
    lines = bundle.measurements()
    slices = {line.case: line.slices for line in lines if line.slices}
    counted, measured = counted_ratings(store, model, bundle.run(), baseline, slices)
    write_model(bundle.path / RATINGS_FILE, counted)
    names = {line.metric for line in measured}
    bundle.write_measurements([*(line for line in lines if line.metric not in names), *measured])
    log("ratings", run=counted.rated_run, counted=counted.count.counted, broken=len(counted.broken))


def _floor(folder: Path | None, bundle: Bundle) -> Floor | None:
    """The platform's floor, if there is one; the bundle keeps a copy of it."""
    kept = bundle.path / FLOOR_FILE
    file = floor_in(folder)
    with disk_errors(kept):
        kept.unlink(missing_ok=True)
        if file is None:
            return None
        with replacing(kept) as temporary:
            shutil.copyfile(file, temporary)
    return read_floor(kept)


def main(argv: Sequence[str] | None = None) -> int:
    """Console script ``penstock-gate``."""
    return run_step("gate", Arguments, RESULTS, step, argv)


if __name__ == "__main__":
    sys.exit(main())
