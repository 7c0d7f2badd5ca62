"""``penstock score lipsync``: LSE-D, LSE-C and audio-video offset of one video."""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class Protocol(StrEnum):
    """Which frames are scored."""

    DIRECT = "direct"
    REFERENCE = "reference"


def lipsync(
    video: Annotated[Path, typer.Argument(metavar="VIDEO", help="A talking head, with its sound.", show_default=False)],
    weights: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.onnx",
            help="The SyncNet extractor; by default PENSTOCK_SYNCNET, or the stand-in syncnet-compact.",
            show_default=False,
        ),
    ] = None,
    face_box: Annotated[
        str | None,
        typer.Option(
            metavar="X,Y,W,H",
            help="Where the face is, in pixels. By default a 224x224 video is taken as a finished crop, "
            "and in others the face is searched.",
            show_default=False,
        ),
    ] = None,
    protocol: Annotated[
        Protocol,
        typer.Option(
            help="direct: the frames as decoded; reference: chosen and put through lossy JPEG as the reference does it."
        ),
    ] = Protocol.DIRECT,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON: lse_d, lse_c, offset_frames, extractor, protocol.")
    ] = False,
) -> None:
    """How well lips and sound fit together: LSE-D, LSE-C, offset.

    Video of another rate is resampled to 25 frames per second. A positive offset means that the sound comes before the
    lips. Values are comparable only under the same extractor and protocol.

    Example: penstock score lipsync answer.mp4 --weights syncnet.onnx --json
    """
    from penstock.extractors.shipped import extractor_file
    from penstock.extractors.syncnet import open_syncnet
    from penstock.media import read_audio
    from penstock.media.ahead import Ahead
    from penstock.metrics.lipsync import SAMPLES_A_FRAME, score_lipsync

    file = extractor_file("syncnet", weights)
    audio = read_audio(video, with_video=True)
    crops, first = _crops(video, face_box, protocol)
    with Ahead(crops) as frames:
        network = open_syncnet(file)  # while the first frames are decoded
        result = score_lipsync(frames, audio[first * SAMPLES_A_FRAME :], network, where=str(video))
    if as_json:
        answer = {
            "lse_d": result.lse_d,
            "lse_c": result.lse_c,
            "offset_frames": result.offset_frames,
            "extractor": network.label,
            "protocol": protocol.value,
        }
        typer.echo(json.dumps(answer, indent=2))
        return
    typer.echo(f"LSE-D      {result.lse_d:.3f}")
    typer.echo(f"LSE-C      {result.lse_c:.3f}")
    typer.echo(f"offset     {result.offset_frames:+d} frames of 40 ms")
    typer.echo(f"protocol   {protocol.value}")
    typer.echo(f"extractor  {network.label}")


def _crops(video: Path, face_box: str | None, protocol: Protocol) -> tuple[Iterator[npt.NDArray[np.uint8]], int]:
    """The 224x224 frames to score, and the number of the frame of the video that is the first of them."""
    from penstock.errors import UsageError
    from penstock.media import probe, read_frames, read_reference_frames
    from penstock.media.jpeg import bgr_through_jpeg
    from penstock.metrics import face

    box = None if face_box is None else face.parse_box(face_box)
    info = probe(video).video
    if info is None:
        raise UsageError("the file has no video", where=str(video), todo="Give a video with sound.")
    finished = box is None and (info.width, info.height) == (face.CROP_SIZE, face.CROP_SIZE)
    if finished:
        return (read_frames if protocol is Protocol.DIRECT else read_reference_frames)(video), 0

    def frames() -> Iterator[npt.NDArray[np.uint8]]:
        return read_frames(video, rule="fps" if protocol is Protocol.DIRECT else "program")

    if box is not None:
        first, crops = 0, face.crop_with_box(frames(), box, where=str(video))
    else:
        track = face.find_track(frames(), where=str(video))
        first, crops = track.first, face.crop_with_track(frames(), track)
    return crops if protocol is Protocol.DIRECT else bgr_through_jpeg(crops), first
