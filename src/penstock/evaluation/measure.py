"""Measuring what a model returned: one line a case and metric, and two values about the whole suite."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from penstock.bundle.directory import Bundle
from penstock.bundle.models import WHOLE_SUITE, Invocation, Measurement, Resamples
from penstock.contract.load import input_path
from penstock.contract.models import Case, Contract, Suite, Weights
from penstock.contract.presets import parameters
from penstock.evaluation.inputs import reference_frames
from penstock.extractors.shipped import shipped_file
from penstock.foundation.errors import PenstockError, UsageError
from penstock.foundation.files import inside, write_json
from penstock.metrics.registry import METRICS

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from penstock.extractors.image_features import ImageFeatures
    from penstock.extractors.session import Device
    from penstock.extractors.syncnet import SyncNet
    from penstock.families.talking_head.measurer import Answer
    from penstock.metrics.clip_resamples import ClipDraw

    Features = npt.NDArray[np.float32]

    class Resampled(Protocol):
        """A distance on resamples of the clips."""

        def __call__(
            self, clips: Sequence[Features], reference: Features, counts: npt.NDArray[np.int64], *, point: float
        ) -> npt.NDArray[np.float64]:
            """One value a resample."""


log = logging.getLogger(__name__)

FRAMES_FILE = "frames.json"
MAX_WORKERS = 4
SUITE_METRICS = ("fid", "kid")
RESAMPLE_DIGITS = 9
"""Significant digits of a resampled value: more is rounding that differs between machines."""
Progress = Callable[[int, int, str], None]
"""Cases done, cases in all, what was done last."""


@dataclass(frozen=True)
class Networks:
    """The extractors that a contract names, loaded."""

    lipsync: SyncNet | None
    frechet: ImageFeatures | None

    def names(self) -> dict[str, str]:
        """Role → ``name@sha256:…``."""
        found = {}
        if self.lipsync is not None:
            found["lipsync"] = self.lipsync.label
        if self.frechet is not None:
            found["frechet"] = self.frechet.name
        return found


def extractor_names(contract: Contract, source_dir: Path) -> dict[str, str]:
    """Role (``lipsync``, ``frechet``) → ``name@sha256:…`` of the extractors that the contract names.

    Raises:
        UsageError: one is missing, is not what the contract's SHA-256 says, or is no extractor of its kind.
    """
    return open_networks(contract, source_dir).names()


def open_networks(
    contract: Contract, source_dir: Path, *, threads: int | None = None, device: Device = "cpu"
) -> Networks:
    """Load the extractors that the contract names.

    Raises:
        UsageError: as :func:`extractor_names`.
        WorldError: this installation lacks an extractor that comes with Penstock; ``cuda`` asked for where there is
            none.
    """
    lipsync, frechet = contract.extractors.lipsync, contract.extractors.frechet
    syncnet: SyncNet | None = None
    features: ImageFeatures | None = None
    if lipsync is not None:
        from penstock.extractors.syncnet import open_syncnet

        syncnet = open_syncnet(_file(source_dir, lipsync, "lipsync"), threads=threads, device=device)
        _check_digest(lipsync, syncnet.label, "lipsync")
    if frechet is not None:
        from penstock.extractors.image_features import ImageFeatures

        features = ImageFeatures.load(_file(source_dir, frechet, "frechet"), threads=threads, device=device)
        _check_digest(frechet, features.name, "frechet")
    return Networks(syncnet, features)


def _file(source_dir: Path, named: Weights | str, role: str) -> Path:
    """The file in the repository, or of the extractor that comes with Penstock."""
    if isinstance(named, str):
        return shipped_file(named)
    return inside(source_dir, named.path, where=f"extractors.{role}.path")


def _check_digest(named: Weights | str, label: str, role: str) -> None:
    """Prove that what was loaded is what the contract names; one that comes with Penstock was proven before."""
    if isinstance(named, Weights) and not label.endswith(f"@sha256:{named.sha256}"):
        raise UsageError(
            f"'{named.path}' is not the file that the contract names: it is {label}",
            where=f"extractors.{role}.sha256",
            todo="Fetch the weights again, or correct the SHA-256.",
        )


def measure(
    contract: Contract,
    suite: Suite,
    bundle: Bundle,
    source_dir: Path,
    *,
    on_progress: Progress | None = None,
    workers: int | None = None,
    device: Device = "cpu",
) -> list[Measurement]:
    """Measure every case's answer and the suite as a whole; write and return the values.

    Every metric has a line for every case, with a value or the reason why there is none; a case whose call failed has
    the call's reason everywhere. The lip-sync metrics come in where the contract names a ``lipsync`` extractor, FID and
    KID (case ``*``, all frames of all cases against ``suite.reference``) where it names a ``frechet`` one and the suite
    a reference, GPU memory where any call used some. FID and KID carry ``resamples``: their values on 1000 resamples of
    the cases, from two cases on (:mod:`penstock.metrics.clip_resamples`).

    ``measurements.jsonl`` is written, and for each video ``outputs/CASE/frames.json``: ``fps``, ``sync_distance``
    (entry i: the window of 5 frames that starts at frame i, at the clip's best shift; empty without a value),
    ``jitter`` (``null`` for the first and the last frame), ``face`` (x, y, width, height as shares of the frame, or
    ``null``) and, where the sound was read, ``sound``: ``peaks``, of which there are so many ``per_second``.

    Args:
        contract: names the extractors.
        suite: the cases, and the reference of FID and KID.
        bundle: holds ``invocations.jsonl`` and the outputs.
        source_dir: the model's repository.
        on_progress: told after each case.
        workers: cases that are measured at a time; by default as many as there are cores, at most 4.
        device: what the networks run on. Values of a card and of a CPU differ in their last digits: compare like with
            like.

    Raises:
        UsageError: an extractor or the reference is missing or broken; there is no ``invocations.jsonl``.
    """
    calls = {call.case: call for call in bundle.invocations()}
    cores = len(os.sched_getaffinity(0))
    count = max(1, min(workers or min(cores, MAX_WORKERS), len(suite.cases)))
    networks = open_networks(contract, source_dir, threads=max(1, cores // count), device=device)
    reference = _reference_features(contract, suite, source_dir, networks)
    gpu = any(call.gpu_memory_mib is not None for call in calls.values())
    measurements: list[Measurement] = []
    answers: list[Answer] = []
    pool = ThreadPoolExecutor(count, thread_name_prefix="measure")

    def examined(case: Case) -> Answer:
        return _examine(contract, case, calls.get(case.name), bundle, source_dir, networks, gpu)

    try:
        jobs = [pool.submit(examined, case) for case in suite.cases]
        for done, (case, job) in enumerate(zip(suite.cases, jobs, strict=True), 1):
            answer = job.result()
            answers.append(answer)
            measurements += _lines(case, answer, networks, gpu)
            if on_progress is not None:
                on_progress(done, len(suite.cases), case.name)
    finally:
        pool.shutdown(cancel_futures=True)
    if networks.frechet is not None and reference is not None:
        measurements += _of_the_suite(
            [case.name for case in suite.cases],
            [answer.features for answer in answers],
            reference,
            networks.frechet.name,
        )
    bundle.write_measurements(measurements)
    return measurements


def _examine(
    contract: Contract,
    case: Case,
    call: Invocation | None,
    bundle: Bundle,
    source_dir: Path,
    networks: Networks,
    gpu: bool,
) -> Answer:
    from penstock.families.talking_head.measurer import PEAKS_PER_SECOND, Answer, examine, metric_names, unmeasured

    if call is None or call.status != "ok" or call.output is None:
        reason = "the case was not put to the model" if call is None else call.error or f"the call was {call.status}"
        return Answer(values=dict.fromkeys(metric_names(lip_sync=networks.lipsync is not None, gpu=gpu), reason))
    video = inside(bundle.path, call.output, where=str(bundle.invocations_file))
    inputs = {name: input_path(source_dir, contract, file) for name, file in case.inputs.items()}
    given = parameters(contract, case)
    try:
        answer = examine(case, call, video, inputs, given, syncnet=networks.lipsync, frechet=networks.frechet)
    except PenstockError:
        raise
    except Exception as error:  # the video is hostile: what it does to a decoder is this case's fault, not the run's
        reason = f"the output cannot be measured: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        log.warning("case '%s': %s", case.name, reason, exc_info=error)
        return unmeasured(call, reason, lip_sync=networks.lipsync is not None)
    frames = {"fps": 25, "sync_distance": answer.sync_distance, "jitter": answer.jitter, "face": answer.face}
    if answer.sound:
        frames["sound"] = {"per_second": PEAKS_PER_SECOND, "peaks": answer.sound}
    write_json(bundle.outputs / case.name / FRAMES_FILE, frames)
    return answer


def _lines(case: Case, answer: Answer, networks: Networks, gpu: bool) -> Iterator[Measurement]:
    from penstock.families.talking_head.measurer import LIP_SYNC, metric_names

    for name in metric_names(lip_sync=networks.lipsync is not None, gpu=gpu):
        label = networks.lipsync.label if networks.lipsync is not None and name in LIP_SYNC else None
        yield measurement(case.name, name, answer.values[name], slices=case.slices, extractor=label)


def measurement(
    case: str, metric: str, value: float | str, *, slices: list[str] | None = None, extractor: str | None = None
) -> Measurement:
    """One line: a value, or the reason why there is none. A value that is not finite is a reason."""
    reason = value if isinstance(value, str) else None
    if not isinstance(value, str) and not -float("inf") < value < float("inf"):
        reason = f"the value is {value}, not a finite number"
    return Measurement(
        case=case,
        metric=metric,
        value=None if reason is not None or isinstance(value, str) else float(value),
        unit=METRICS[metric].unit,
        slices=slices or [],
        extractor=extractor,
        error=reason,
    )


def _of_the_suite(
    names: Sequence[str], features: Sequence[Features | None], reference: Features, label: str
) -> Iterator[Measurement]:
    """FID and KID over all frames of all cases, each with its values on resamples of the cases."""
    import numpy as np

    from penstock.metrics.clip_resamples import draw_clips, resampled_frechet, resampled_kernel
    from penstock.metrics.frechet import frechet_distance, kernel_distance

    there = [part for part in features if part is not None]
    if failed := len(features) - len(there):
        for name in SUITE_METRICS:
            yield measurement(WHOLE_SUITE, name, f"{failed} of {len(features)} cases failed", extractor=label)
        return
    clips = [clip for _, clip in sorted(zip(names, there, strict=True), key=itemgetter(0))]
    draw = draw_clips(names)
    statistics = (frechet_distance, resampled_frechet), (kernel_distance, resampled_kernel)
    for name, (distance, resampled) in zip(SUITE_METRICS, statistics, strict=True):
        try:
            point = distance(np.concatenate(clips), reference)
        except UsageError as error:
            yield measurement(WHOLE_SUITE, name, error.what, extractor=label)
            continue
        line = measurement(WHOLE_SUITE, name, point, extractor=label)
        values = None if line.value is None or len(clips) < 2 else _values(resampled, clips, reference, draw, point)
        again = None if values is None else Resamples(cases=len(clips), key=draw.key, values=values)
        yield line.model_copy(update={"resamples": again})


def _values(
    resampled: Resampled, clips: Sequence[Features], reference: Features, draw: ClipDraw, point: float
) -> list[float] | None:
    """The values on the resamples; ``None`` where a resample of these clips has none (two clips of one frame)."""
    try:
        values = resampled(clips, reference, draw.counts, point=point)
    except UsageError:
        return None
    rounded = [float(f"{value:.{RESAMPLE_DIGITS}g}") for value in values]
    return rounded if all(map(math.isfinite, rounded)) else None


def _reference_features(contract: Contract, suite: Suite, source_dir: Path, networks: Networks) -> Features | None:
    if networks.frechet is None or suite.reference is None:
        return None
    return networks.frechet.features(reference_frames(contract, source_dir, suite.reference))
