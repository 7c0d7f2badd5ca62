"""LSE-D, LSE-C and the audio-video offset: how well lips and sound fit together.
 Source: SyncNet's evaluation as joonson/syncnet_python (MIT) does it: the features of 5 frames are compared with those
of 20 MFCC columns at 31 shifts (15 frames each way); LSE-D is the least mean distance, LSE-C the median minus the
least, the offset is 15 minus the shift of the least. So the minimum forgives a desync of up to 0.6 s: rank the offset
on its own.

Where the reference is wrong or crashes:

- 5 frames or fewer, or less than 0.24 s of sound: it crashes (nothing to concatenate); here one message.
- no face found, or a track of 50 frames or fewer: its pipeline answers LSE-D 0, LSE-C 0, the best LSE-D there is; here
  the value is missing, and the gate counts that as a failure.
- several faces: its pipeline answers the least LSE-D and the greatest LSE-C of all tracks, so perhaps of two faces;
  here one face is scored (see :mod:`penstock.metrics.face`).
- fewer than 9 windows: its smoothed confidences are medians with zeros from beyond the ends; here the filter shrinks.
- silent sound: it answers some LSE-D and an offset of up to 15 frames; here the value is missing.
- It leaves out the last window of a clip; so does this, since all published numbers do.

What it makes of other frame rates and of late sound is told in :func:`penstock.media.read_frames` and
:func:`penstock.media.read_audio`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from penstock.foundation.errors import UsageError
from penstock.media.loudness import SILENT, is_silent
from penstock.metrics.median import median_filter
from penstock.metrics.mfcc import mfcc

SHIFT_FRAMES = 15
"""Shifts are compared from 15 frames one way to 15 the other (0.6 s)."""
SAMPLES_A_FRAME = 640
MIN_FRAMES = 6
"""Clips shorter than this have no window (the reference crashes on them)."""
_WINDOW_FRAMES = 5
_EPSILON = 1e-6
"""Added to every difference, as torch's ``pairwise_distance`` does."""
_BLOCK_FRAMES = 65
"""Frames kept in memory at a time: 60 windows and the 5 frames that the next ones need."""
_MEDIAN_FRAMES = 9
_BLOCK_WINDOWS = 1_000
_CASCADE = 16

Features = npt.NDArray[np.float32]
Frame = npt.NDArray[np.uint8]


class LipSyncExtractor(Protocol):
    """What :func:`score_lipsync` needs of a SyncNet (``penstock.extractors.syncnet.SyncNet``)."""

    def features(self, frames: npt.NDArray[np.uint8], mfcc: npt.NDArray[np.float32]) -> tuple[Features, Features]:
        """Features of the lips and of the sound, ``(n - 4, D)`` each."""


@dataclass(frozen=True)
class LipSync:
    """What SyncNet says about a clip.

    Attributes:
        lse_d: least mean distance over the shifts; lower is better, >= 0.
        lse_c: median minus least mean distance; higher is better, >= 0.
        offset_frames: shift at which sound and lips fit best, in frames of 40 ms, -15 to 15; positive: the sound comes
            before the lips.
        shift_distances: float64 ``(31,)``: mean distance at each shift; entry i is the offset ``15 - i``.
        frame_distances: float64 ``(n,)``: distance of each window at the best shift; entry i starts at frame i.
        frame_confidences: float64 ``(n,)``: median of ``shift_distances`` minus ``frame_distances``, median-filtered
            over 9 windows (the largest odd number in shorter clips).
    """

    lse_d: float
    lse_c: float
    offset_frames: int
    shift_distances: npt.NDArray[np.float64]
    frame_distances: npt.NDArray[np.float64]
    frame_confidences: npt.NDArray[np.float64]


def score_lipsync(
    frames: Iterable[Frame],
    audio: npt.NDArray[np.int16],
    extractor: LipSyncExtractor,
    *,
    where: str = "",
) -> LipSync:
    """Score a face crop against its sound.

    Args:
        frames: uint8 ``(224, 224, 3)`` BGR frames, 25 per second; an iterator is read once, 65 frames at a time.
        audio: int16 ``(n,)``, 16 kHz mono, beginning with the first frame.
        extractor: the network.
        where: name of the clip, for errors.

    Raises:
        UsageError: a frame of another size, or fewer than 6 frames or 0.24 s of sound: there would be no window to
            compare; or the sound beside the frames is silent (:func:`penstock.media.loudness.is_silent`): there would
            be nothing to compare with.

    Example:
        >>> class Mean:  # in place of a SyncNet
        ...     def features(self, frames, mfcc):
        ...         windows = len(frames) - 4
        ...         lips = frames.mean(axis=(1, 2))[:windows]
        ...         sound = np.stack([mfcc[:3, 4 * i : 4 * i + 20].mean(axis=1) for i in range(windows)])
        ...         return lips.astype(np.float32), sound
        >>> random = np.random.default_rng(1)
        >>> frames = random.integers(0, 255, (25, 224, 224, 3), np.uint8)
        >>> speech = random.normal(0, 3000, 16_000).astype(np.int16)
        >>> found = score_lipsync(frames, speech, Mean())
        >>> found.shift_distances.shape, found.frame_distances.shape
        ((31,), (20,))
    """
    limit = audio.size // SAMPLES_A_FRAME
    columns = mfcc(audio) if audio.size else np.empty((13, 0), np.float32)
    video: list[Features] = []
    sound: list[Features] = []
    start = 0
    for block in _blocks(frames, limit, where):
        windows = len(block) - _WINDOW_FRAMES
        lips, voice = extractor.features(block[:-1], columns[:, 4 * start : 4 * (start + windows - 1) + 20])
        video.append(lips)
        sound.append(voice)
        start += windows
    if is_silent(audio[: (start + _WINDOW_FRAMES) * SAMPLES_A_FRAME]):
        raise UsageError(SILENT, where=where, todo="Give a clip in which somebody speaks.")
    return compare(np.concatenate(video), np.concatenate(sound))


def _blocks(frames: Iterable[Frame], limit: int, where: str) -> Iterator[npt.NDArray[np.uint8]]:
    """Overlapping stacks ``(n, 224, 224, 3)`` of the first ``limit`` frames; at least one, or an error.

    A stack of n frames stands for the n - 5 windows that begin in it: the reference leaves out the last window of a
    clip, so the last frame of each stack is there for the next stack only.
    """
    held: list[Frame] = []
    usable = 0
    for frame in frames:
        if frame.shape != (224, 224, 3) or frame.dtype != np.uint8:
            raise UsageError(
                f"a frame is {frame.dtype} {frame.shape}, not uint8 (224, 224, 3)",
                where=where,
                todo="Crop the face first.",
            )
        if usable == limit:
            break
        usable += 1
        held.append(frame)
        if len(held) == _BLOCK_FRAMES:
            yield np.stack(held)
            held = held[-_WINDOW_FRAMES:]
    if len(held) > _WINDOW_FRAMES:
        yield np.stack(held)
    if usable < MIN_FRAMES:
        raise UsageError(
            f"the clip is too short for lip sync: {usable} frames of 40 ms have both picture and sound",
            where=where,
            todo=f"Give at least {MIN_FRAMES} frames (0.24 s) with sound.",
        )


def compare(video: Features, audio: Features) -> LipSync:
    """LSE-D, LSE-C and offset from features.

    Args:
        video: float32 ``(n, D)``, n >= 1: row i is the window that starts at frame i.
        audio: the same of the sound.

    Example:
        >>> lips = np.random.default_rng(1).normal(size=(40, 8)).astype(np.float32)
        >>> late = np.roll(lips, 2, axis=0)  # the sound comes two frames after the lips
        >>> found = compare(lips, late)
        >>> found.offset_frames, found.lse_d < 1 < found.lse_c
        (-2, True)
    """
    distances = shift_distances(video, audio)
    means = _mean_in_torch_order(distances.T)
    best = int(means.argmin())
    median = np.median(means)  # of 31: one of them
    at_best = distances[:, best].astype(np.float64)
    confidences = median_filter(float(median) - at_best, _MEDIAN_FRAMES)
    return LipSync(
        lse_d=float(means[best]),
        lse_c=float(median - means[best]),
        offset_frames=SHIFT_FRAMES - best,
        shift_distances=means.astype(np.float64),
        frame_distances=at_best,
        frame_confidences=confidences,
    )


def shift_distances(video: Features, audio: Features) -> Features:
    """Distance of every window of the lips to the windows of the sound around it.

    Args:
        video: float32 ``(n, D)``.
        audio: float32 ``(n, D)``.

    Returns:
        float32 ``(n, 31)``: entry (i, s) is ``|video[i] - audio[i + s - 15] + 1e-6|``; beyond the ends, audio is the
        zero vector.

    Example:
        >>> rows = np.eye(4, dtype=np.float32)
        >>> distances = shift_distances(rows, rows)
        >>> distances.shape, distances[:, 15].round(3).tolist()
        ((4, 31), [0.0, 0.0, 0.0, 0.0])
    """
    count, size = video.shape
    padded = np.zeros((count + 2 * SHIFT_FRAMES, size), np.float32)
    padded[SHIFT_FRAMES : SHIFT_FRAMES + count] = audio
    out = np.empty((count, 2 * SHIFT_FRAMES + 1), np.float32)
    for start in range(0, count, _BLOCK_WINDOWS):
        rows = video[start : start + _BLOCK_WINDOWS]
        for shift in range(out.shape[1]):
            partner = padded[start + shift : start + shift + len(rows)]
            out[start : start + len(rows), shift] = _norm_in_torch_order(rows - partner + np.float32(_EPSILON))
    return out


# LSE-C is a small difference of two means that the reference computes in float32: its own rounding moves LSE-C by as
# much as 2e-6. To agree with it to the last digit, distances and means are summed in float32 in the order in which
# PyTorch does it on x86-64: in 8 lanes, one after the other, then the lanes from left to right. The parity tests hold
# this against PyTorch.

_LANES = 8


def _norm_in_torch_order(rows: Features) -> Features:
    """Euclidean norm of each row of ``(n, D)``, rounded as ``torch.nn.functional.pairwise_distance`` rounds it."""
    squares = rows * rows
    whole = squares.shape[1] // _LANES * _LANES
    # Over an axis that is not the last, numpy adds one slice after the other
    lanes = squares[:, :whole].reshape(len(rows), -1, _LANES).sum(axis=1, dtype=np.float32)
    total = np.zeros(len(rows), np.float32)
    for column in range(_LANES):
        total = total + lanes[:, column]
    for column in range(whole, squares.shape[1]):
        total = total + squares[:, column]
    return np.sqrt(total)


def _mean_in_torch_order(rows: Features) -> Features:
    """Mean of each row of ``(m, n)``, rounded as ``torch.mean(rows, 1)`` rounds it for n from 8 to 8192."""
    size = rows.shape[1]
    vectors = size // _LANES
    # (4 interleaved accumulators) x (8 lanes), so one step takes 32 values
    steps = rows[:, : vectors // 4 * 4 * _LANES].reshape(len(rows), -1, 4, _LANES)
    sums = _cascade(steps)
    first = sums[:, 0]
    for vector in range(vectors // 4 * 4, vectors):
        first = first + rows[:, vector * _LANES : (vector + 1) * _LANES]
    for accumulator in (1, 2, 3):
        first = first + sums[:, accumulator]
    total = np.zeros(len(rows), np.float32)
    for column in range(vectors * _LANES, size):
        total = total + rows[:, column]
    for lane in range(_LANES):
        total = total + first[:, lane]
    return total / np.float32(size)


def _cascade(steps: Features) -> Features:
    """Sum ``(m, k, 4, 8)`` over k in blocks of 16, the blocks in blocks of 16, as PyTorch does against rounding
    errors.
    """
    if steps.shape[1] < _CASCADE:
        return np.asarray(steps.sum(axis=1, dtype=np.float32))
    whole = steps.shape[1] // _CASCADE * _CASCADE
    blocks = steps[:, :whole].reshape(len(steps), -1, _CASCADE, *steps.shape[2:]).sum(axis=2, dtype=np.float32)
    rest: Features = steps[:, whole:].sum(axis=1, dtype=np.float32)
    return rest + _cascade(blocks)
