"""The baseline of a run: the release's stored bundle, as it is or its outputs measured again; or the released model run
again beside the candidate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Source
from penstock.bundle.rerun_bundle import (
    TRACK,
    hold_side_by_side,
    is_measured_again,
    is_rerun,
    keep_evidence,
    released_errors,
)
from penstock.bundle.steps import begin
from penstock.contract.policy import Policy, Rule
from penstock.foundation.errors import WorldError
from penstock.releases.baseline import Baseline, baseline, release_of
from penstock.releases.measured_again import put_in_place
from penstock.store.archive import fetch
from penstock.store.store import Store


@dataclass(frozen=True)
class Released:
    """The model that is to be run again."""

    run_id: str
    """Of its release."""
    source: Source


def plan_rerun(store: Store, model: str, directory: Path) -> Released | None:
    """Begin the bundle of the released model's new run.

    Args:
        store: where releases are kept.
        model: the model's name.
        directory: where the bundle goes; what an earlier attempt has begun for the same release goes on.

    Returns:
        What was released; ``None`` before the first release.

    Raises:
        WorldError: the store cannot be reached, or what it says of the release is damaged.
        UsageError: the directory holds another bundle.
    """
    pointer = baseline(store, model)
    if pointer is None:
        return None
    release = release_of(store, pointer)
    source = Source(
        url=release.url,
        revision=release.commit,
        commit=release.commit,
        committer_date="",
        version=release.version,
        tree=release.tree,
    )
    bundle = Bundle(directory)
    run = begin(bundle, run_id=pointer.run_id, track=TRACK)
    known = {"model": model, "source": source, "image": release.image, "weights": release.weights}
    bundle.update_run(run.model_copy(update=known | {"use_onnx": release.use_onnx}))
    return Released(pointer.run_id, source)


def baseline_of(
    store: Store,
    model: str,
    policy: Policy,
    candidate: Bundle,
    directory: Path,
    *,
    rules: Sequence[Rule] | None = None,
) -> tuple[Baseline | None, Bundle | None]:
    """The current release and what the candidate is compared with; ``None`` for both before the first release.

    Args:
        store: where releases are kept.
        model: the model's name.
        policy: its ``baseline`` says which. ``stored``: the release's archived bundle is fetched; if its outputs were
            measured again, these values take the place of the stored ones. ``rerun``: the bundle of the released model
            that ran beside the candidate. What is not archived is kept in the candidate's bundle.
        candidate: the run's bundle.
        directory: where the baseline's bundle goes, or lies.
        rules: all that compare with it; the policy's by default.

    Raises:
        WorldError: the released model was not run again, or is not the current release any more, or not on the same
            machine as the candidate, or lacks a value that a margin needs; a value could not be measured again; the
            store cannot be reached.
        UsageError: the directory holds something else.
    """
    pointer = baseline(store, model)
    _hold_compared_with(candidate, pointer)
    if policy.baseline == "stored":
        if is_measured_again(Bundle(directory)):
            put_in_place(store, pointer, candidate, Bundle(directory))
            return pointer, Bundle(directory)
        stored = (
            fetch(store, model, pointer.run_id, directory, manifest_sha256=pointer.manifest_sha256) if pointer else None
        )
        return pointer, stored
    released = Bundle(directory)
    ran = released.run().run_id if is_rerun(released) else None
    if ran != (pointer.run_id if pointer else None):
        today = f"'{pointer.run_id}'" if pointer else "none"
        raise WorldError(
            f"the current release is {today}, and beside the candidate ran {f'{ran!r}' if ran else 'none'}",
            where="baseline: rerun",
            todo="Start the run again: another model was released meanwhile.",
        )
    if pointer is None:
        return None, None
    hold_side_by_side(candidate.run(), released.run())
    _hold_complete(policy.rules if rules is None else rules, candidate, released)
    keep_evidence(candidate, released)
    return pointer, released


def _hold_compared_with(candidate: Bundle, pointer: Baseline | None) -> None:
    """Check that values which compare with a release's answers compare with the current one's."""
    compared = candidate.run().compared_with
    if compared is not None and (pointer is None or pointer.run_id != compared):
        today = f"'{pointer.run_id}'" if pointer else "none"
        raise WorldError(
            f"the current release is {today}, and the answers were compared with those of '{compared}'",
            where="baseline",
            todo="Start the run again: another model was released meanwhile.",
        )


def _hold_complete(rules: Sequence[Rule], candidate: Bundle, released: Bundle) -> None:
    """Check that the released model has every value that a margin compares with: what it lacks is not the candidate's.

    Raises:
        WorldError: names the first that is missing.
    """
    compared = {(rule.metric, rule.slice) for rule in rules if rule.margin is not None}
    metrics = {metric for metric, _ in compared}
    there = {(item.case, item.slice, item.metric) for item in candidate.measurements() if item.value is not None}
    for item in released.measurements():
        wanted = item.metric in metrics if item.slice is None else (item.metric, item.slice) in compared
        if item.value is None and wanted and (item.case, item.slice, item.metric) in there:
            with released_errors():
                raise WorldError(f"its answer has no '{item.metric}': {item.error}", where=f"case {item.case}")
