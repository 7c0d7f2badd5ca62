"""Lip sync of one video, as a function for a notebook: what ``penstock score lipsync`` prints."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from penstock.contract.arithmetic import Precision
from penstock.extractors.precision import PRECISIONS, choose_arithmetic, one_of
from penstock.extractors.shipped import extractor_file
from penstock.extractors.syncnet import open_syncnet
from penstock.families.talking_head.lipsync_clip import Protocol, score_clip
from penstock.foundation.errors import UsageError
from penstock.metrics.face import box_at


@dataclass(frozen=True)
class LipSyncScore:
    """How well lips and sound of a video fit together.

    Attributes:
        lse_d: distance between lips and sound, at least 0; lower is better.
        lse_c: confidence; higher is better.
        offset_frames: frames of 40 ms by which the sound comes before the lips.
        extractor: the network, ``name@sha256:…``. Values compare only under the same one, and the same protocol.
        protocol: which frames were scored.
    """

    lse_d: float
    lse_c: float
    offset_frames: int
    extractor: str
    protocol: Protocol


def score_lipsync(
    video: str | os.PathLike[str],
    *,
    weights: str | os.PathLike[str] | None = None,
    face_box: tuple[float, float, float, float] | None = None,
    protocol: Protocol | str = Protocol.DIRECT,
    precision: Precision = "f32",
) -> LipSyncScore:
    """Lip sync of the face that a video is about.

    Args:
        video: with its sound; of another rate it is resampled to 25 frames a second.
        weights: the SyncNet, an ONNX file; by default the one that the environment variable ``PENSTOCK_SYNCNET`` names,
            else the stand-in ``syncnet-compact``, whose values are not those of papers.
        face_box: left, top, width and height of the face, in pixels. By default a video of 224 x 224 pixels is a
            finished crop, and in any other the face is searched.
        protocol: ``direct``: the frames as decoded; ``reference``: chosen, and put through lossy JPEG, as the reference
            implementation does it.
        precision: what the network computes in; ``bf16`` needs a CPU that computes in it.

    Raises:
        UsageError: it cannot be read, has no picture or no sound, is silent, shows no face, or is too short; this
            machine computes no bf16.
    """
    if protocol not in tuple(Protocol):
        raise UsageError(f"'{protocol}' is not a protocol", where="protocol", todo="Use direct or reference.")
    if face_box is not None and len(face_box) != 4:
        raise UsageError(
            f"a face's box is 4 numbers, not {len(face_box)}", where="face_box", todo="Give left, top, width, height."
        )
    box = box_at(*face_box, where="face_box") if face_box is not None else None
    arithmetic = choose_arithmetic(one_of(PRECISIONS, precision, where="precision"))
    file = extractor_file("syncnet", Path(weights) if weights is not None else None)
    network = open_syncnet(file, arithmetic=arithmetic)
    found = score_clip(Path(video), network, box=box, protocol=Protocol(protocol))
    if isinstance(found.score, str):
        raise UsageError(found.score, where=str(video))
    score = found.score
    return LipSyncScore(score.lse_d, score.lse_c, score.offset_frames, network.label, Protocol(protocol))
