"""Whether two runs may be compared at all: values mean the same only if they came about in the same way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from penstock.bundle.models import Machine, Run
from penstock.families.registry import timed_metrics
from penstock.foundation.errors import UsageError

PARAMETERS_SINCE = 2
"""Version of ``run.json`` that records parameters; an empty set in an older one is an unknown set."""
MAX_NAMED = 5
NO_GPU = "no GPU"
_DRIVER = re.compile(r",\s*[0-9][0-9.]*$")
_ABSENT = "not set"


@dataclass(frozen=True)
class Difference:
    """One thing in which two runs differ."""

    what: str
    """``suite``, ``GPU model``, ``extractor 'lipsync'``, ``parameter 'inference_steps'``."""
    candidate: str
    baseline: str

    def __str__(self) -> str:
        return f"{self.what}: {self.candidate} in the candidate, {self.baseline} in the baseline"


def check_comparable(candidate: Run | None, baseline: Run | None) -> None:
    """Refuse to compare measurements that did not come about in the same way.

    Args:
        candidate: what ran; ``None`` for bare measurements, of which only their extractors are known (and held, rule by
            rule).
        baseline: the same of the other side; ``None`` also where there is no baseline.

    Raises:
        UsageError: the suites, the extractors of one role, the models of the GPU, or the parameters are not the same.
            Each difference is named with both values.
    """
    if candidate is None or baseline is None:
        return
    found = list(differences(candidate, baseline))
    if not found:
        return
    shown = "; ".join(str(difference) for difference in found[:MAX_NAMED])
    more = f"; and {len(found) - MAX_NAMED} more" if len(found) > MAX_NAMED else ""
    raise UsageError(
        f"the two runs cannot be compared: {shown}{more}",
        where=f"{candidate.run_id} against {baseline.run_id}",
        todo="Write 'baseline: rerun' into the policy: the released model is then run beside the candidate, "
        "under the same conditions. Or run one of the two again under the conditions of the other.",
    )


def differences(candidate: Run, baseline: Run) -> Iterator[Difference]:
    """What forbids a comparison. A thing that one of the two does not record cannot be held."""
    ours, theirs = candidate.suite, baseline.suite
    if ours is not None and theirs is not None and ours.digest != theirs.digest:
        yield Difference("suite", *(f"{len_of(s.cases)}, sha256:{s.digest[:12]}" for s in (ours, theirs)))
    for role in sorted(candidate.extractors.keys() & baseline.extractors.keys()):
        if candidate.extractors[role] != baseline.extractors[role]:
            yield Difference(f"extractor '{role}'", candidate.extractors[role], baseline.extractors[role])
    our_gpus, their_gpus = gpu_models(candidate), gpu_models(baseline)
    if our_gpus is not None and their_gpus is not None and our_gpus != their_gpus:
        yield Difference("GPU model", *(" and ".join(sorted(gpus)) for gpus in (our_gpus, their_gpus)))
    if _knows_parameters(candidate) and _knows_parameters(baseline):
        for name in sorted(candidate.parameters.keys() | baseline.parameters.keys()):
            ours_value, theirs_value = (run.parameters.get(name, _ABSENT) for run in (candidate, baseline))
            if ours_value != theirs_value:
                yield Difference(f"parameter '{name}'", *(f"{value}"[:80] for value in (ours_value, theirs_value)))


def notes(candidate: Run | None, baseline: Run | None) -> list[str]:
    """What a reader should know about a comparison that is allowed: what differs and forbids nothing, and what could
    not be held.
    """
    if candidate is None or baseline is None:
        return []
    found = []
    ours, theirs = candidate.machine, baseline.machine
    if ours is not None and theirs is not None:
        if (ours.processor, ours.cores) != (theirs.processor, theirs.cores):
            machines = " and ".join(f"{machine.processor} ({machine.cores} cores)" for machine in (ours, theirs))
            timed = ", ".join(timed_metrics())
            found.append(f"The runs were on different machines, {machines}: {timed} measure them, too.")
        if ours.gpu != theirs.gpu and gpu_models(candidate) == gpu_models(baseline):
            found.append(f"The drivers of the GPU differ: {ours.gpu} and {theirs.gpu}.")
        moved = [
            name
            for name in ours.versions.keys() & theirs.versions.keys()
            if ours.versions[name] != theirs.versions[name]
        ]
        if moved:
            found.append(f"Measured with other versions of {', '.join(sorted(moved))}.")
    if candidate.penstock != baseline.penstock:
        found.append(f"Measured by Penstock {candidate.penstock} and {baseline.penstock}.")
    if candidate.model and baseline.model and candidate.model != baseline.model:
        found.append(f"These are two models: {candidate.model} and {baseline.model}.")
    unknown = [what for what, known in _held(candidate, baseline) if not known]
    if unknown:
        found.append(f"Not recorded by both, and so not held: {', '.join(unknown)}.")
    return found


def _held(candidate: Run, baseline: Run) -> Iterator[tuple[str, bool]]:
    runs = (candidate, baseline)
    yield "suite", all(run.suite is not None for run in runs)
    yield "GPU model", all(gpu_models(run) is not None for run in runs)
    yield "parameters", all(_knows_parameters(run) for run in runs)


def gpu_models(run: Run) -> frozenset[str] | None:
    """The models of the cards that the outputs came from, without the driver's version; ``None``: unknown.

    Outputs that were taken over from an earlier run were made where that one ran its model. This run's other steps may
    have been on a machine without a card, which says nothing about them.
    """
    shards = run.inference.shards if run.inference is not None else []
    known = {_model(machine) for machine in (run.machine, *(shard.machine for shard in shards)) if machine is not None}
    if run.inference is not None and run.inference.unchanged:
        known.discard(NO_GPU)
        if run.inference.machine is not None:
            known.add(_model(run.inference.machine))
    return frozenset(known) or None


def _model(machine: Machine) -> str:
    """``NVIDIA H200, 550.54.15`` is an NVIDIA H200."""
    return _DRIVER.sub("", machine.gpu).strip() or NO_GPU


def _knows_parameters(run: Run) -> bool:
    return bool(run.parameters) or run.schema_version >= PARAMETERS_SINCE


def len_of(cases: int) -> str:
    """``1 case``, ``8 cases``."""
    return f"{cases} case{'s' if cases != 1 else ''}"
