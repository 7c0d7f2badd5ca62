"""A talking head: what is measured of one answer, a video, in one pass over its frames."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt

from penstock.bundle.models import Invocation, Measurement
from penstock.contract.models import Case
from penstock.contract.placeholders import Scalar
from penstock.evaluation.measurer import Answer, Value
from penstock.evaluation.networks import Networks
from penstock.extractors.image_features import BATCH_IMAGES, ImageFeatures
from penstock.extractors.lips import LipOpening
from penstock.extractors.syncnet import SyncNet
from penstock.families.talking_head.case import FaceBox, TalkingHeadCase
from penstock.families.talking_head.duration import asked_seconds, shown_seconds
from penstock.families.talking_head.face_crops import Face, choose_face
from penstock.families.talking_head.frame_distances import frame_distances
from penstock.families.talking_head.lip_watch import Lips, LipWatch
from penstock.families.talking_head.metrics import METRICS
from penstock.families.talking_head.video_size import Size, size_error
from penstock.foundation.errors import UsageError
from penstock.media import MediaInfo, MediaLimits, VideoInfo, probe, read_audio
from penstock.media.two_pass_frames import HeldFrames
from penstock.metrics.face import Box
from penstock.metrics.lipsync import MIN_FRAMES, SAMPLES_A_FRAME, LipSync, score_lipsync
from penstock.metrics.picture import Jitter, sharpness

log = logging.getLogger(__name__)

FPS = 25
LIP_SYNC = tuple(metric.name for metric in METRICS if metric.role == "lipsync")
LIPS = tuple(metric.name for metric in METRICS if metric.role == "lips")
PICTURE = tuple(metric.name for metric in METRICS if metric.role is None)
MAX_SECONDS = 600.0
PEAKS_PER_SECOND = 50
"""Of the sound, for the report's waveform: two a frame."""

Frame = npt.NDArray[np.uint8]
Features = npt.NDArray[np.float32]
PixelBox = tuple[int, int, int, int]
"""``x, y, width, height`` in pixels."""


@dataclass
class Series:
    """What is known of a video frame by frame."""

    sync_distance: list[float | None] = field(default_factory=list)
    """Distance of lips and sound at the best shift; entry i is the window that starts at frame i (``None``: none)."""
    jitter: list[float | None] = field(default_factory=list)
    """Frame-to-frame change that motion does not explain, a frame; ``None`` for the first and the last."""
    sound: list[float] = field(default_factory=list)
    """The loudest sample (0 to 1) of each of :data:`PEAKS_PER_SECOND` stretches of a second; empty: it was not read."""
    lips: Lips | None = None
    """How far the lips are apart, and what was said; ``None``: it was not looked at."""
    face: list[float] | None = None
    """Where the face is: x, y, width, height as shares of the frame; ``None``: the whole frame is the face's crop."""

    def content(self) -> dict[str, Any]:
        """As the report reads it."""
        frames = {"fps": FPS, "sync_distance": self.sync_distance, "jitter": self.jitter, "face": self.face}
        sound = {"sound": {"per_second": PEAKS_PER_SECOND, "peaks": self.sound}} if self.sound else {}
        return frames | sound | (self.lips.content() if self.lips is not None else {})


class TalkingHeadMeasurer:
    """Measures videos of talking heads, see :class:`penstock.evaluation.measurer.Measurer`."""

    def __init__(self, networks: Networks, reference: Iterable[Frame] | None) -> None:
        self._syncnet = cast("SyncNet | None", networks.get("lipsync"))
        self._frechet = cast("ImageFeatures | None", networks.get("frechet"))
        self._lips = cast("LipOpening | None", networks.get("lips"))
        self._reference = self._frechet.features(reference) if self._frechet and reference is not None else None

    def case(
        self,
        case: Case,
        call: Invocation,
        outputs: Mapping[str, Path],
        inputs: Mapping[str, Path],
        given: Mapping[str, Scalar],
        withheld: Mapping[str, tuple[Path, ...]],  # noqa: ARG002 (a talking head has none)
    ) -> Answer:
        """Measure a video."""
        if "" not in outputs:
            reason = "the case has several calls, and a talking head is one video"
            return Answer(dict.fromkeys((metric.name for metric in METRICS if not metric.whole_suite), reason))
        own = case if isinstance(case, TalkingHeadCase) else None
        text = own.text if own is not None and "lip_closure" not in own.inapplicable else None
        return examine(
            case.name,
            own.face_box if own is not None else None,
            call.latency_s,
            outputs[""],
            inputs,
            given,
            syncnet=self._syncnet,
            frechet=self._frechet,
            lips=LipWatch(self._lips, text) if self._lips is not None else None,
            size=own.size if own is not None else None,
        )

    def suite(self, cases: Sequence[Case], answers: Sequence[Answer]) -> Iterator[Measurement]:
        """FID and KID, where there is a network for them and a reference."""
        if self._frechet is not None and self._reference is not None:
            features = [answer.features for answer in answers]
            names = [case.name for case in cases]
            yield from frame_distances(names, features, self._reference, self._frechet.label)


def examine(
    name: str,
    face_box: FaceBox | None,
    latency_s: float | None,
    video: Path,
    inputs: Mapping[str, Path],
    given: Mapping[str, Scalar],
    *,
    syncnet: SyncNet | None = None,
    frechet: ImageFeatures | None = None,
    lips: LipWatch | None = None,
    size: Size | None = None,
) -> Answer:
    """Measure the answer to one case. The video is not trusted: what is wrong with it is a reason, not an exception.

    Frames are taken at 25 a second and decoded once (twice only where the face must be looked for in a video too large
    to be held). Sound is the video's
    own; a silent video is compared with the case's ``audio`` input, from its beginning. A video that is far longer than
    asked is not decoded.

    Args:
        name: of the case, for the log.
        face_box: where the face is, as shares of the frame; ``None``: it is searched.
        latency_s: seconds that the call took.
        video: the file that came back.
        inputs: the case's input files.
        given: the case's parameters; ``duration`` is the duration that was asked for, in seconds. Without it, the
            ``audio`` input's own.
        syncnet: for the lip-sync metrics.
        frechet: for the features of all frames.
        lips: for what the lips do while the case's text is said; a new one for each case.
        size: width and height that the video must have; ``None``: the case says none.
    """
    answer = Answer()
    series = Series()
    asked = asked_seconds(inputs, given)
    # A model must not be able to keep us busy for hours: nobody asked for that much video.
    limits = MediaLimits(seconds=MAX_SECONDS if isinstance(asked, str) else min(MAX_SECONDS, 60.0 + 4.0 * abs(asked)))
    try:
        info = probe(video, limits=limits)
        if info.video is None:
            raise UsageError("the file has no video")
    except UsageError as error:
        _nothing_to_see(answer, error, lip_sync=syncnet is not None)
        answer.series = series.content()
        return answer
    for remark in info.remarks:
        log.warning("case '%s': %s", name, remark)
    watch = _FrameWatch(face_box, frechet)
    held = HeldFrames(video, fps=FPS, limits=limits)
    stream = watch.frames(held)
    seen = None
    if syncnet is not None or lips is not None:
        seen = _watch_face(held, stream, info, info.video, video, inputs, face_box, syncnet, lips)
        series.face = seen.box
        series.sound = sound_peaks(seen.sound) if seen.sound is not None else []
    try:
        for _ in stream:  # who watches a face reads no further than it is seen
            pass
    except UsageError as error:
        watch.failure = watch.failure or error
    if watch.failure is not None:
        _nothing_to_see(answer, watch.failure, lip_sync=syncnet is not None)
        answer.series = series.content()
        return answer
    if seen is not None:
        answer.values |= _face_values(seen, watch.count, series, syncnet, lips)
    answer.values |= watch.values()
    series.jitter = watch.jitter_by_frame()
    answer.series = series.content()
    answer.features = watch.features()
    seconds = shown_seconds(watch.count / FPS, info)
    answer.values["size_error"], why = size_error((info.video.width, info.video.height), size, given)
    answer.why |= {"size_error": why} if why else {}
    answer.values["duration_error"] = asked if isinstance(asked, str) else abs(seconds - asked)
    if not seconds:
        answer.values["real_time_factor"] = "the video has no frame"
    else:
        answer.values["real_time_factor"] = "the latency is not known" if latency_s is None else latency_s / seconds
    return answer


class _FrameWatch:
    """Looks at every frame that passes. Holds one batch of them."""

    def __init__(self, box: FaceBox | None, frechet: ImageFeatures | None) -> None:
        self.count = 0
        self.failure: UsageError | None = None
        self._box = box
        self._frechet = frechet
        self._sharpness: list[Value] = []
        self._trembling = Jitter()
        self._jitter: list[float] = []
        self._batch: list[Frame] = []
        self._parts: list[Features] = []

    def frames(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Yield each frame after looking at it; a video that breaks is remembered as ``failure``."""
        try:
            for frame in frames:
                self._look(frame, pixel_box(self._box, frame.shape[1], frame.shape[0]))
                yield frame
            self._flush()
        except UsageError as error:
            self.failure = error
            raise
        except cv2.error as error:
            self.failure = UsageError(f"a frame cannot be measured: {' '.join(str(error).split())[:200]}")
            raise self.failure from error

    def _look(self, frame: Frame, box: PixelBox) -> None:
        self.count += 1
        try:
            self._sharpness.append(sharpness([frame], box))
        except UsageError as error:  # the box is smaller than the metric needs; that says nothing about the others
            self._sharpness.append(error.what)
        if (change := self._trembling.look(frame)) is not None:
            self._jitter.append(change)
        if self._frechet is not None:
            self._batch.append(frame)
            if len(self._batch) == BATCH_IMAGES:
                self._flush()

    def _flush(self) -> None:
        if self._frechet is not None and self._batch:
            try:
                self._parts.append(self._frechet.features(self._batch))
            except UsageError:  # the network's fault, or a picture that it cannot take: no features, the rest stands
                self._frechet, self._parts = None, []
            self._batch = []

    def values(self) -> dict[str, Value]:
        reasons = [value for value in self._sharpness if isinstance(value, str)]
        values = [value for value in self._sharpness if not isinstance(value, str)]
        return {
            "sharpness": reasons[0] if reasons else _mean(values, "the video has no frame"),
            "jitter": _mean(self._jitter, f"jitter needs at least three frames, the video has {self.count}"),
        }

    def jitter_by_frame(self) -> list[float | None]:
        return [None, *self._jitter, None] if self._jitter else [None] * self.count

    def features(self) -> Features | None:
        return np.concatenate(self._parts) if self._parts else None


def _mean(values: list[float], otherwise: str) -> Value:
    return float(np.mean(values)) if values else otherwise


def _nothing_to_see(answer: Answer, error: UsageError, *, lip_sync: bool) -> None:
    reason = f"the output is not a video that can be measured: {error.what}"
    answer.values |= dict.fromkeys((*(LIP_SYNC if lip_sync else ()), *LIPS, *PICTURE), reason)


@dataclass
class _FaceSeen:
    """What came of watching the face."""

    sound: npt.NDArray[np.int16] | None = None
    first: int = 0
    box: list[float] | None = None
    sync: LipSync | str = ""
    unseen: str = ""
    """Why it was not seen."""


def _watch_face(
    held: HeldFrames,
    stream: Iterator[Frame],
    info: MediaInfo,
    picture: VideoInfo,
    video: Path,
    inputs: Mapping[str, Path],
    face_box: FaceBox | None,
    syncnet: SyncNet | None,
    lips: LipWatch | None,
) -> _FaceSeen:
    """Watch the face in ``stream``, and hear the sound with it. What goes wrong is a reason."""
    seen = _FaceSeen()
    try:
        seen.sound = _sound(video, info, inputs)
        face = _face(held, picture, face_box)
        seen.first = face.first
        seen.box = list(face_box) if face_box is not None else _shares(face.box, picture)
    except UsageError as error:
        seen.sync = seen.unseen = error.what
        return seen
    crops = face.crops(stream) if lips is None else lips.crops(face.crops(stream))
    try:
        if syncnet is not None:
            seen.sync = score_lipsync(crops, seen.sound[seen.first * SAMPLES_A_FRAME :], syncnet)
    except UsageError as error:
        seen.sync = error.what
    try:
        for _ in crops:  # lip sync reads no further than there is sound
            pass
    except UsageError as error:  # where it is the video's fault, who looks at every frame knows it
        seen.unseen = error.what
    return seen


def _face_values(
    seen: _FaceSeen, frames: int, series: Series, syncnet: SyncNet | None, lips: LipWatch | None
) -> dict[str, Value]:
    """The values of a face that was watched; what is known frame by frame goes into ``series``."""
    values: dict[str, Value] = {}
    sync, sound = seen.sync, seen.sound
    if syncnet is not None:
        usable = frames if sound is None else min(frames, sound.size // SAMPLES_A_FRAME)
        if isinstance(sync, str) and usable < MIN_FRAMES and sound is not None:
            sync = f"too short for lip sync: {usable} frames have picture and sound, {MIN_FRAMES} are needed"
        values |= _lip_sync_values(sync)
    if isinstance(sync, LipSync):
        series.sync_distance = [*[None] * seen.first, *(float(value) for value in sync.frame_distances)]
    if lips is not None:
        values |= dict.fromkeys(LIPS, seen.unseen)
        if sound is not None and not seen.unseen:
            values["mouth_opening"] = lips.opening()
            values["lip_closure"], series.lips = lips.closure(sound, seen.first)
    return values


def _sound(video: Path, info: MediaInfo, inputs: Mapping[str, Path]) -> npt.NDArray[np.int16]:
    if info.audio is not None:
        return read_audio(video, with_video=True)
    if "audio" not in inputs:
        raise UsageError("neither the video nor the case has sound")
    return read_audio(inputs["audio"])


def pixel_box(box: FaceBox | None, width: int, height: int) -> PixelBox:
    """A face box given as shares of a ``width`` x ``height`` frame, in pixels; without one, the whole frame."""
    if box is None:
        return 0, 0, width, height
    x, y = min(round(box[0] * width), width - 1), min(round(box[1] * height), height - 1)
    return x, y, max(1, round(box[2] * width)), max(1, round(box[3] * height))


def _face(held: HeldFrames, info: VideoInfo, box: FaceBox | None) -> Face:
    """Where the face is. Searching it takes a pass of its own over the frames, before any other is taken."""
    if box is None:
        return choose_face(info.width, info.height, None, held.ahead)
    x, y, width, height = pixel_box(box, info.width, info.height)
    return choose_face(info.width, info.height, Box(x, y, x + width, y + height), held.ahead)


def _shares(found: Box | None, info: VideoInfo) -> list[float] | None:
    """A box as the report reads it: x, y, width, height as shares of the frame."""
    if found is None:
        return None
    sides = np.array([found.left, found.top, found.right, found.bottom]) / ([info.width, info.height] * 2)
    left, top, right, bottom = np.clip(sides, 0.0, 1.0).round(4).tolist()
    return [left, top, right - left, bottom - top]


def sound_peaks(sound: npt.NDArray[np.int16]) -> list[float]:
    """The loudest sample, 0 to 1, of each fiftieth of a second of 16-bit sound at 16 kHz: enough to draw it."""
    stretch = 25 * SAMPLES_A_FRAME // PEAKS_PER_SECOND
    loud = np.abs(np.pad(sound.astype(np.int32), (0, -sound.size % stretch))).reshape(-1, stretch).max(axis=1)
    return [float(peak) for peak in (loud / 32768).round(3)]


def _lip_sync_values(lips: LipSync | str) -> dict[str, Value]:
    if isinstance(lips, str):
        return dict.fromkeys(LIP_SYNC, lips)
    offset = float(lips.offset_frames)
    return {"lse_d": lips.lse_d, "lse_c": lips.lse_c, "av_offset": offset, "av_offset_abs": abs(offset)}
