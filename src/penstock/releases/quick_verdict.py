"""The verdict on a commit that is not released: the track verify, before a merge.

It is compared with what the current release's record says of the same cases. Nothing is run a second time, whatever the
policy says of its baseline: a pull request waits for an answer. What cannot be compared so is held to its bounds
alone, and the verdict says why. The platform's floor is held as far as such a run can answer it, and where the policy
asks less than the current release's did, the verdict says so.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from penstock.bundle.checked_contract import CheckedRecord
from penstock.bundle.directory import Bundle, read_model
from penstock.bundle.models import Measurement, Run
from penstock.bundle.verdict_record import RuleResult, Verdict, Weakened
from penstock.contract.policy import Policy, Waiver
from penstock.families.registry import directions
from penstock.foundation.errors import UsageError
from penstock.gating.calibration import Calibration
from penstock.gating.comparable import differences
from penstock.gating.floor import Floor
from penstock.gating.floor_on_verify import AskedFloor, floor_on_verify
from penstock.gating.gate import gate
from penstock.gating.rules import NO_BASELINE
from penstock.gating.short_suite import asked, of_cases
from penstock.gating.weaker_policy import weakened
from penstock.releases.baseline import Baseline, baseline
from penstock.releases.quick_track import as_on_verify
from penstock.releases.rerun_baseline import baseline_of
from penstock.store.archive import fetch
from penstock.store.store import Store

MAX_NAMED = 3
NOTHING_ASKED = "no rule of the policy could be asked of these cases"
UNREADABLE = "the policy of the current release cannot be read, so that nobody knows what is weaker"


def quick_verdict(
    store: Store | None,
    model: str,
    policy: Policy,
    bundle: Bundle,
    directory: Path,
    *,
    slice_name: str,
    calibration: Calibration | None,
    waivers: Sequence[Waiver] = (),
    floor: Floor | None = None,
) -> Verdict:
    """Judge a run by the rules that it can answer.

    Args:
        store: where releases are kept; ``None``: bounds alone are held.
        model: its name there.
        policy: the contract's.
        bundle: the run's, measured.
        directory: where the release's bundle goes.
        slice_name: the only cases that were run; empty: the whole suite.
        calibration: the policy's record of the noise.
        waivers: of this run alone; none reaches the floor.
        floor: the platform's; ``None``: it has set none.

    Returns:
        The verdict; ``inconclusive`` also if there was no rule to ask.

    Raises:
        WorldError: the store cannot be reached, or what it has of the release is damaged.
        UsageError: the policy cannot be applied.
    """
    measurements = bundle.measurements()
    own = policy
    policy, left = asked(as_on_verify(policy), measurements, slice_name=slice_name)
    policy = policy.model_copy(update={"waivers": [*policy.waivers, *waivers]})
    pointer = baseline(store, model) if store is not None else None
    uncompared, weaker = "no store is named, so nothing is compared", list[Weakened]()
    if store is not None and pointer is None:
        uncompared = "nothing is released yet"
    elif store is not None and pointer is not None:
        uncompared, weaker = _beside_record(store, model, pointer, bundle, own)
    held = floor_on_verify(floor, measurements, slice_name=slice_name) if floor is not None else AskedFloor(None, [])
    released: list[Measurement] | None = None
    cases = [call.case for call in bundle.invocations()]
    if store is not None and pointer is not None and not uncompared:
        _, fetched = baseline_of(store, model, policy, bundle, directory)
        released = of_cases(fetched.measurements(), cases) if fetched is not None else None
    verdict = gate(
        measurements,
        released,
        policy,
        candidate_name=bundle.run().run_id,
        baseline_name=pointer.run_id if pointer is not None else None,
        cases=cases,
        calibration=calibration,
        floor=held.floor,
    )
    known = {
        "cases": slice_name,
        "not_asked": [*left, *held.left],
        "floor": floor.record if floor is not None else None,
        "weakened": weaker,
        "uncompared": uncompared,
        "rules": [_said(rule, uncompared) for rule in verdict.rules],
        "verdict": verdict.verdict if verdict.rules else "inconclusive",
    }
    return verdict.model_copy(update=known)


def quick_headline(verdict: Verdict, said: str) -> str:
    """The headline of the gate for such a verdict, which does not call anything a first release.

    Args:
        verdict: of :func:`quick_verdict`.
        said: the gate's own headline.
    """
    if not verdict.rules:
        return f"inconclusive: {NOTHING_ASKED}"
    return said.replace(" (first release)", f" ({verdict.uncompared})") if verdict.uncompared else said


def _beside_record(
    store: Store, model: str, pointer: Baseline, bundle: Bundle, policy: Policy
) -> tuple[str, list[Weakened]]:
    """Why the release cannot be compared with (empty: it can), and where the policy asks less than the release's."""
    with tempfile.TemporaryDirectory(prefix="penstock-released-") as folder:
        record = fetch(
            store,
            model,
            pointer.run_id,
            Path(folder),
            only=("run.json", "contract.json"),
            manifest_sha256=pointer.manifest_sha256,
        )
        weaker = _weaker_than(record, policy)
        run = record.run()
    if not (found := list(differences(_over_the_whole(bundle.run(), run), run))):
        return "", weaker
    more = f" and {len(found) - MAX_NAMED} more" if len(found) > MAX_NAMED else ""
    return f"not compared with {pointer.version}: {'; '.join(map(str, found[:MAX_NAMED]))}{more}", weaker


def _weaker_than(released: Bundle, policy: Policy) -> list[Weakened]:
    """Where the policy asks less than the one in the release's record; a record of an older version says so."""
    try:
        before = Policy.model_validate(read_model(released.contract_file, CheckedRecord).contract["policy"])
    except (UsageError, KeyError, ValidationError):
        return [Weakened(what=UNREADABLE)]
    return weakened(before, policy, known=directions())


def _over_the_whole(run: Run, record: Run) -> Run:
    """The run, of which a slice of the release's own suite counts as that suite: its cases are among the release's."""
    ours, theirs = run.suite, record.suite
    if ours is None or theirs is None or not ours.whole or ours.whole != theirs.digest:
        return run
    return run.model_copy(update={"suite": theirs})


def _said(rule: RuleResult, uncompared: str) -> RuleResult:
    """A rule's answer where the gate calls the missing baseline a first release: here it may have another reason."""
    if not uncompared or rule.not_compared is None:
        return rule
    texts = {"reason": rule.reason, "predicate": rule.predicate}
    return rule.model_copy(update={name: text.replace(NO_BASELINE, uncompared) for name, text in texts.items()})
