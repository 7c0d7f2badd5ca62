"""Reading a bundle, comparing two and judging one, as functions for a notebook: see docs/api.md.

``penstock`` names them; import them from there.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Measurement
from penstock.bundle.verdict_record import Verdict
from penstock.contract.load import read_policy
from penstock.contract.policy import Policy
from penstock.families.registry import directions
from penstock.foundation.errors import UsageError
from penstock.gating import compare as comparing
from penstock.gating.compare import Comparison
from penstock.gating.floor import read_floor
from penstock.gating.judge import judge
from penstock.gating.measurements import MeasurementSource, read_source

log = logging.getLogger(__name__)
AnyPath = str | os.PathLike[str]
Side = Bundle | AnyPath | Sequence[Measurement]
"""One side of a comparison: a bundle, its directory, a ``measurements.jsonl``, or measurements made in the program."""
LEVEL = 0.05


def read_bundle(path: AnyPath) -> Bundle:
    """Open the bundle of a run, and verify it against its manifest if it has one.

    Args:
        path: the bundle's directory, or that of the run that holds it.

    Returns:
        The bundle: ``run()`` says what ran; ``measurements()``, ``invocations()`` and ``verdict()`` are its records;
        ``outputs`` is the directory of what the model answered. Each call reads one file.

    Raises:
        UsageError: it is no bundle, or files were changed, added or removed since it was sealed.
    """
    folder = _bundle_in(Path(path))
    if not folder.is_dir():
        what = "this is not a directory" if folder.exists() else "the directory is missing"
        raise UsageError(what, where=str(path), todo="Give a bundle, a directory that a run has filled.")
    bundle = Bundle(folder)
    bundle.run()
    if os.path.lexists(bundle.manifest_file):
        bundle.verify()
    return bundle


def compare(baseline: Side, candidate: Side, *, level: float = LEVEL) -> Comparison:
    """What changed from one run to another, how sure that is, and in which cases it is worst. No rules.

    Args:
        baseline: what the change is from.
        candidate: what it is to.
        level: of the intervals: how often each of their bounds may be wrong; above 0 and below 0.5.

    Returns:
        ``metrics`` has the change of each metric that both sides have, with its interval, in the metric's unit;
        ``worst`` the cases that became worst; ``notes`` what is not like with like.

    Raises:
        UsageError: a side cannot be read, has two values for one case, or shares no metric with the other.
    """
    if not 0 < level < 0.5:
        raise UsageError(f"{level:g} is not a level", where="level", todo="Give a number between 0 and 0.5.")
    return comparing.compare(_source(baseline, "baseline"), _source(candidate, "candidate"), level=level)


def gate(
    candidate: Side, baseline: Side | None, policy: Policy | AnyPath, *, policy_floor: AnyPath | None = None
) -> Verdict:
    """Judge a candidate by a policy, as ``penstock gate`` does.

    Args:
        candidate: what is judged.
        baseline: what it is compared with; ``None`` for a first release: only bounds are checked then.
        policy: the rules, or the file that has them: a policy, a ``penstock.yaml`` or the directory of one. The
            ``calibration`` that it names is relative to that file; of rules made in the program, to the working
            directory.
        policy_floor: a file with the platform's rules, which are judged as well.

    Returns:
        ``verdict`` is ``pass``, ``fail`` or ``inconclusive``; ``rules`` has the answer of each rule and its reason.

    Raises:
        UsageError: a side or the policy cannot be read, or the two sides cannot be compared: other cases, parameters,
            networks or another model of GPU.
    """
    rules, folder = _policy(policy)
    return judge(
        _source(candidate, "candidate"),
        _source(baseline, "baseline") if baseline is not None else None,
        rules,
        folder,
        floor=read_floor(Path(policy_floor)) if policy_floor is not None else None,
    )


def _bundle_in(path: Path) -> Path:
    """The bundle that a run's directory holds; any other path as it is."""
    inner = path / "bundle"
    return inner if not (path / "run.json").exists() and (inner / "run.json").is_file() else path


def _source(side: Side, name: str) -> MeasurementSource:
    if isinstance(side, Bundle):
        return read_source(side.path)
    if isinstance(side, str | os.PathLike):
        return read_source(_bundle_in(Path(side)))
    return MeasurementSource(name, list(side))


def _policy(policy: Policy | AnyPath) -> tuple[Policy, Path]:
    """The rules, and the directory that their ``calibration`` is relative to."""
    if isinstance(policy, Policy):
        return policy, Path()
    path = Path(policy)
    rules, warnings = read_policy(path, directions())
    for fault in warnings:
        log.warning("%s", fault)
    return rules, path if path.is_dir() else path.parent
