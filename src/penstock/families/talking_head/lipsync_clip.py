"""Lip sync of a video file, outside a run: of the face that it is about, of one of its faces, or of all of them."""

from __future__ import annotations

import logging
import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import numpy.typing as npt

from penstock.families.talking_head.face_crops import choose_face
from penstock.foundation.errors import UsageError
from penstock.foundation.files import open_regular
from penstock.foundation.media_kinds import recognise
from penstock.media import VideoInfo, probe, read_audio, read_frames, read_reference_frames
from penstock.media.jpeg import bgr_through_jpeg
from penstock.media.prefetch import Ahead
from penstock.metrics.face import Box, FaceTrack, crop_with_track, find_tracks
from penstock.metrics.lipsync import SAMPLES_A_FRAME, LipSync, LipSyncExtractor, score_lipsync

log = logging.getLogger(__name__)

Frame = npt.NDArray[np.uint8]


class Protocol(StrEnum):
    """Which frames are scored."""

    DIRECT = "direct"
    REFERENCE = "reference"


@dataclass(frozen=True)
class FaceScore:
    """Lip sync of one face of a clip.

    Attributes:
        face: the face's number, from 1 on; ``None`` where faces were not numbered.
        box: where the face is in the median, in pixels; ``None``: the picture is a finished crop of it.
        first_frame: the first frame that shows it, at 25 a second.
        frames: how many frames from there on it can be seen; ``None``: to the end of the clip.
        score: the values, or the reason why there are none.
    """

    face: int | None
    box: Box | None
    first_frame: int
    frames: int | None
    score: LipSync | str


def score_clip(
    video: Path, network: LipSyncExtractor, *, box: Box | None = None, protocol: Protocol = Protocol.DIRECT
) -> FaceScore:
    """Score the face that a video is about.

    Args:
        video: with its sound.
        network: the SyncNet.
        box: where the face is, in pixels. Without it, a video of 224 x 224 pixels is a finished crop, and in any other
            the face is searched: the one that is seen in most frames, of equals the largest.
        protocol: which frames are scored.

    Raises:
        UsageError: it cannot be read, has no picture or no sound, is silent, shows no face, or is too short.
    """
    audio = read_audio(video, with_video=True)
    info = _picture(video)
    face = choose_face(info.width, info.height, box, lambda: _frames(video, protocol), where=str(video))
    if face.box is None and protocol is Protocol.REFERENCE:
        crops = read_reference_frames(video)
    else:
        crops = _as_asked(face.crops(_frames(video, protocol), where=str(video)), protocol)
    with Ahead(crops) as frames:
        score = score_lipsync(frames, audio[face.first * SAMPLES_A_FRAME :], network, where=str(video))
    return FaceScore(None, face.box, face.first, face.frames, score)


def score_faces(
    video: Path, network: LipSyncExtractor, *, only: int | None = None, protocol: Protocol = Protocol.DIRECT
) -> list[FaceScore]:
    """Score the faces of a video one by one, the one that it is about first.

    Args:
        video: with its sound.
        network: the SyncNet.
        only: the number of the face that is wanted, from 1 on; by default all.
        protocol: which frames are scored.

    Returns:
        One entry a face; a face that is seen too shortly has a reason in place of values.

    Raises:
        UsageError: it cannot be read, has no picture or no sound, shows no face, or fewer than ``only``; the one face
            that is wanted is seen too shortly.
    """
    audio = read_audio(video, with_video=True)
    _picture(video)
    tracks = list(enumerate(find_tracks(_frames(video, protocol), where=str(video)), 1))
    if only is not None:
        if not 0 < only <= len(tracks):
            count = "is one face" if len(tracks) == 1 else f"are {len(tracks)} faces"
            raise UsageError(f"there {count}, not {only}", where=str(video), todo="See them with --face all.")
        tracks = [tracks[only - 1]]
    return [_score_track(video, number, track, audio, network, protocol, only is None) for number, track in tracks]


def _score_track(
    video: Path,
    number: int,
    track: FaceTrack,
    audio: npt.NDArray[np.int16],
    network: LipSyncExtractor,
    protocol: Protocol,
    one_of_several: bool,
) -> FaceScore:
    crops = _as_asked(crop_with_track(_frames(video, protocol), track), protocol)
    score: LipSync | str
    try:
        score = score_lipsync(crops, audio[track.first * SAMPLES_A_FRAME :], network, where=str(video))
    except UsageError as error:
        if not one_of_several:
            raise
        score = error.what
    return FaceScore(number, track.median_box(), track.first, len(track.boxes), score)


def video_files(directory: Path) -> list[Path]:
    """The videos below a directory, in the order of their paths.

    A video is what is one (:mod:`penstock.foundation.media_kinds`), or has the name of one: that it cannot be read is
    told, not left out. Other files, hidden files and hidden folders are passed over.

    Raises:
        UsageError: there is none.
    """
    found = [path for path in sorted(directory.rglob("*"), key=lambda path: path.parts) if _is_wanted(path, directory)]
    if not found:
        raise UsageError("there is no video in the directory", where=str(directory), todo="Give a folder of videos.")
    return found


def _is_wanted(path: Path, directory: Path) -> bool:
    if any(part.startswith(".") for part in path.relative_to(directory).parts) or not path.is_file():
        return False
    with open_regular(path, where=str(path)) as file:
        known = recognise(file)
    if known is None:
        return (mimetypes.guess_type(path.name)[0] or "").startswith("video/")
    return known.kind == "video"


def _picture(video: Path) -> VideoInfo:
    found = probe(video)
    if found.video is None:
        raise UsageError("the file has no video", where=str(video), todo="Give a video with sound.")
    for remark in found.remarks:
        log.warning("%s: %s", video, remark)
    return found.video


def _frames(video: Path, protocol: Protocol) -> Iterator[Frame]:
    return read_frames(video, rule="fps" if protocol is Protocol.DIRECT else "program")


def _as_asked(crops: Iterator[Frame], protocol: Protocol) -> Iterator[Frame]:
    return crops if protocol is Protocol.DIRECT else bgr_through_jpeg(crops)
