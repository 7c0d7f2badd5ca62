"""A stored baseline of another arithmetic: its archived outputs are measured again, as the candidate's were.

The networks are the same, and the machine or a person's word had this run compute them in another way. So the values
that they gave are made anew, for both sides alike; all others stay as they are stored. The step *weights* brings the
outputs (it has the store's credentials), *measure* measures them (it has none), and the gate puts the values in place.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Measurement, Run
from penstock.bundle.rerun_bundle import MEASURED_AGAIN, is_measured_again, keep_evidence
from penstock.bundle.steps import FOLDERS
from penstock.bundle.verdict_record import MeasuredAgain
from penstock.contract.arithmetic import arithmetic_by_role, without_arithmetic
from penstock.foundation.errors import PenstockError, UsageError, WorldError
from penstock.foundation.files import disk_errors
from penstock.gating.comparable import check_comparable
from penstock.releases.archived_answers import fetch_answers
from penstock.releases.baseline import Baseline, baseline
from penstock.store.archive import fetch
from penstock.store.store import NotStoredError, Store


class NotMeasuredAgainError(WorldError):
    """The release's archived outputs cannot be brought: the candidate cannot be judged, by no fault of its own."""

    def __init__(self, error: PenstockError, candidate: Run, stored: Run) -> None:
        ours, theirs = (arithmetic_by_role(run.extractors) for run in (candidate, stored))
        first = "" if isinstance(error, NotStoredError) else error.todo  # a name that is wrong is not the reason here
        super().__init__(
            f"the archived outputs of the current release cannot be measured again: {error.what}",
            where=error.where,
            todo=f"{first} Its values are stored in {theirs}, this run's are in {ours}. Restore the release's files in "
            "the store from a copy; or write 'baseline: rerun' into the policy.".strip(),
        )
        self.full_disk = error.full_disk


def bring_outputs(store: Store, candidate: Run, directory: Path) -> Run:
    """Bring the current release's calls and outputs, each compared with its manifest, to be measured again.

    Args:
        store: where releases are kept.
        candidate: what ran; it has been measured.
        directory: where the release's bundle goes; what an earlier attempt has brought of it stays.

    Returns:
        The release's record; its ``track`` says what it is there for.

    Raises:
        UsageError: the two cannot be compared for another reason than the arithmetic.
        NotMeasuredAgainError: an output is gone or damaged, or the store cannot be reached.
        WorldError: there is no release any more, or another one than an earlier attempt has brought.
    """
    released = Bundle(directory)
    pointer = baseline(store, candidate.model)
    if is_measured_again(released):
        _hold_current(pointer, released)
    else:
        if pointer is None:
            raise _moved(None, "")
        stored = _bring(store, candidate, pointer, released)
        known = {"track": MEASURED_AGAIN, "stored_extractors": stored.extractors}
        released.update_run(stored.model_copy(update=known))
    with disk_errors(directory):
        released.manifest_file.unlink(missing_ok=True)  # from now on it is another bundle than the archived one
        for name in FOLDERS:
            (directory / name).mkdir(exist_ok=True)
    return released.run()


def _bring(store: Store, candidate: Run, pointer: Baseline, released: Bundle) -> Run:
    """Bring the record first: outputs may be many, and are of no use where something else forbids to compare."""
    run_id, digest = pointer.run_id, pointer.manifest_sha256
    record = (released.run_file.name,)
    stored = fetch(store, candidate.model, run_id, released.path, only=record, manifest_sha256=digest).run()
    check_comparable(_any_arithmetic(candidate), _any_arithmetic(stored))
    try:
        fetch_answers(store, candidate.model, pointer, released.path)
    except (UsageError, WorldError) as error:
        raise NotMeasuredAgainError(error, candidate, stored) from error
    return stored


def _any_arithmetic(run: Run) -> Run:
    labels = {role: without_arithmetic(label) for role, label in run.extractors.items()}
    return run.model_copy(update={"extractors": labels})


def put_in_place(store: Store, pointer: Baseline | None, candidate: Bundle, released: Bundle) -> None:
    """Complete what *measure* made of a release's outputs: the values that no network gave are the stored ones.

    The candidate's bundle keeps the records (:data:`penstock.bundle.rerun_bundle.EVIDENCE`).

    Args:
        store: where releases are kept.
        pointer: the current release.
        candidate: the run's bundle.
        released: the release's, brought by :func:`bring_outputs` and measured.

    Raises:
        WorldError: that is not the current release any more; a value that is stored could not be had again; the store
            cannot be reached.
    """
    _hold_current(pointer, released)
    run = released.run()
    with tempfile.TemporaryDirectory(prefix="penstock-stored-") as folder:
        only = (released.measurements_file.name,)
        manifest = pointer.manifest_sha256 if pointer is not None else None
        stored = fetch(store, run.model, run.run_id, Path(folder), only=only, manifest_sha256=manifest).measurements()
    released.write_measurements(list(_replaced(stored, released.measurements())))
    keep_evidence(candidate, released)


def _replaced(stored: Iterable[Measurement], measured: Iterable[Measurement]) -> Iterable[Measurement]:
    """The stored lines, in their order; one that a network gave in another arithmetic as it was measured again."""
    found = {(line.case, line.slice, line.metric): line for line in measured}
    for line in stored:
        again = found.get((line.case, line.slice, line.metric))
        if line.extractor is None or (again is not None and again.extractor == line.extractor):
            yield line
        elif again is not None and (again.value is not None or line.value is None):
            yield again
        else:
            why = again.error if again is not None else "it was not measured"
            raise WorldError(
                f"the release's '{line.metric}' is stored, and cannot be measured again: {why}",
                where=f"case {line.case}",
                todo="Measure where the stored values' arithmetic can be computed, or write 'baseline: rerun' into the "
                "policy.",
            )


def measured_again(released: Bundle) -> MeasuredAgain | None:
    """Which of the baseline's values are not the stored ones; ``None``: all are.

    Args:
        released: what the gate compares with.
    """
    if not is_measured_again(released):
        return None
    run = released.run()
    roles = [role for role, label in sorted(run.extractors.items()) if run.stored_extractors.get(role, label) != label]
    if not roles:
        return None
    measured = {role: run.extractors[role] for role in roles}
    metrics = {line.metric for line in released.measurements() if line.extractor in measured.values()}
    return MeasuredAgain(
        metrics=sorted(metrics),
        stored={role: run.stored_extractors[role] for role in roles},
        measured=measured,
    )


def _hold_current(pointer: Baseline | None, released: Bundle) -> None:
    brought = released.run().run_id
    if pointer is None or pointer.run_id != brought:
        raise _moved(pointer, brought)


def _moved(pointer: Baseline | None, brought: str) -> WorldError:
    today = f"'{pointer.run_id}'" if pointer is not None else "none"
    what = f", and the outputs of '{brought}' were measured again" if brought else ""
    todo = "Start the run again: the release has changed meanwhile."
    return WorldError(f"the current release is {today}{what}", where="baseline: stored", todo=todo)
