"""``penstock score lipsync``: LSE-D, LSE-C and audio-video offset of a video, of its faces, or of a folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penstock.families.registry import shown_extractor
from penstock.families.score_options import PrecisionOption
from penstock.foundation.errors import ExitCode, PenstockError, UsageError

if TYPE_CHECKING:
    from penstock.extractors.syncnet import SyncNet
    from penstock.families.talking_head.lipsync_clip import FaceScore, Protocol
    from penstock.metrics.face import Box

PROTOCOLS = ("direct", "reference")


def lipsync(
    video: Annotated[
        Path,
        typer.Argument(
            metavar="VIDEO", help="A talking head, with its sound; or a folder of them.", show_default=False
        ),
    ],
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
    face: Annotated[
        str | None,
        typer.Option(
            metavar="N|all",
            help="Search the faces, and score number N of them, or each. They are numbered from 1, the one seen in "
            "most frames first.",
            show_default=False,
        ),
    ] = None,
    protocol: Annotated[
        str,
        typer.Option(
            metavar="|".join(PROTOCOLS),
            help="direct: the frames as decoded; reference: chosen and put through lossy JPEG as the reference "
            "does it.",
        ),
    ] = PROTOCOLS[0],
    precision: PrecisionOption = "f32",
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print JSON: lse_d, lse_c, offset_frames, extractor, protocol, and with --face or a folder one line "
            "each, with video, face, box, first_frame, frames or error.",
        ),
    ] = False,
) -> None:
    """How well lips and sound fit together: LSE-D, LSE-C, offset.

    Video of another rate is resampled to 25 frames per second. A positive offset means that the sound comes before the
    lips. Values are comparable only under the same extractor and protocol. A folder is searched for videos, its
    folders too; one that cannot be scored has its reason in the list, and the exit code is 2.

    Example: penstock score lipsync answer.mp4 --weights syncnet.onnx --json

    Example: penstock score lipsync outputs/ --face all
    """
    from penstock.extractors.precision import PRECISIONS, choose_arithmetic, one_of
    from penstock.extractors.shipped import extractor_file
    from penstock.extractors.syncnet import open_syncnet
    from penstock.families.talking_head.lipsync_clip import Protocol, score_clip, video_files
    from penstock.metrics.face import parse_box

    if protocol not in PROTOCOLS:
        raise UsageError(f"'{protocol}' is not a protocol", where="--protocol", todo="Use direct or reference.")
    chosen, number = Protocol(protocol), _face_number(face)
    box = None if face_box is None else parse_box(face_box)
    if box is not None and face is not None:
        raise UsageError("--face searches the faces, --face-box says where one is", todo="Give one of the two.")
    file = extractor_file("syncnet", weights)
    arithmetic = choose_arithmetic(one_of(PRECISIONS, precision, where="--precision"))
    if video.is_dir():
        videos = video_files(video)
        network = open_syncnet(file, arithmetic=arithmetic)
        raise typer.Exit(_list(_score_all(videos, video, network, box, face, number, chosen), network, chosen, as_json))
    network = open_syncnet(file, arithmetic=arithmetic)
    if face is not None:
        faces = _score(video, network, box, face, number, chosen)
        raise typer.Exit(_list(((video.name, found) for found in faces), network, chosen, as_json))
    _show(score_clip(video, network, box=box, protocol=chosen), network, chosen, as_json)


def _face_number(face: str | None) -> int | None:
    """The number that ``--face`` gives; ``None`` for all."""
    if face is None or face == "all":
        return None
    if not face.isdecimal() or int(face) < 1:
        raise UsageError(f"'{face[:80]}' is not a face", where="--face", todo="Give a number from 1 on, or 'all'.")
    return int(face)


def _score(
    video: Path, network: SyncNet, box: Box | None, face: str | None, number: int | None, protocol: Protocol
) -> list[FaceScore]:
    from penstock.families.talking_head.lipsync_clip import score_clip, score_faces

    if face is None:
        return [score_clip(video, network, box=box, protocol=protocol)]
    return score_faces(video, network, only=number, protocol=protocol)


def _score_all(
    videos: list[Path],
    folder: Path,
    network: SyncNet,
    box: Box | None,
    face: str | None,
    number: int | None,
    protocol: Protocol,
) -> Iterator[tuple[str, FaceScore]]:
    """Every video's faces as they are scored; one that cannot be scored has the reason."""
    from penstock.families.talking_head.lipsync_clip import FaceScore

    for video in videos:
        name = video.relative_to(folder).as_posix()
        try:
            faces = _score(video, network, box, face, number, protocol)
        except PenstockError as error:
            faces = [FaceScore(number, None, 0, None, error.what)]
        yield from ((name, found) for found in faces)


def _show(found: FaceScore, network: SyncNet, protocol: Protocol, as_json: bool) -> None:
    values = _values(found)
    if as_json:
        typer.echo(json.dumps({**values, "extractor": network.label, "protocol": protocol.value}, indent=2))
        return
    typer.echo(f"LSE-D      {values['lse_d']:.3f}")
    typer.echo(f"LSE-C      {values['lse_c']:.3f}")
    typer.echo(f"offset     {values['offset_frames']:+d} frames of 40 ms")
    typer.echo(f"protocol   {protocol.value}")
    typer.echo(f"extractor  {shown_extractor(network.label)}")


def _values(found: FaceScore) -> dict[str, Any]:
    if isinstance(found.score, str):
        return {"lse_d": None, "lse_c": None, "offset_frames": None, "error": found.score}
    score = found.score
    return {"lse_d": score.lse_d, "lse_c": score.lse_c, "offset_frames": score.offset_frames}


def _list(faces: Iterator[tuple[str, FaceScore]], network: SyncNet, protocol: Protocol, as_json: bool) -> ExitCode:
    """Print a line a face as it comes; returns the exit code."""
    code = ExitCode.OK
    if not as_json:
        typer.echo(f"{'LSE-D':>7} {'LSE-C':>7} {'offset':>6} {'face':>4}  video")
    for name, found in faces:
        failed = isinstance(found.score, str)
        code = ExitCode.USAGE if failed else code
        typer.echo(_json_line(name, found, network, protocol) if as_json else _row(name, found))
    if not as_json:
        typer.echo(f"protocol {protocol.value}, extractor {shown_extractor(network.label)}")
    return code


def _json_line(name: str, found: FaceScore, network: SyncNet, protocol: Protocol) -> str:
    box = found.box and [
        found.box.left,
        found.box.top,
        found.box.right - found.box.left,
        found.box.bottom - found.box.top,
    ]
    where = {"video": name, "face": found.face, "box": box, "first_frame": found.first_frame, "frames": found.frames}
    return json.dumps({**where, **_values(found), "extractor": network.label, "protocol": protocol.value})


def _row(name: str, found: FaceScore) -> str:
    from penstock.foundation.errors import printable

    face = "" if found.face is None else str(found.face)
    if isinstance(found.score, str):
        return f"{'-':>7} {'-':>7} {'-':>6} {face:>4}  {printable(name)}: {printable(found.score)}"
    score = found.score
    return f"{score.lse_d:7.3f} {score.lse_c:7.3f} {score.offset_frames:+6d} {face:>4}  {printable(name)}"
