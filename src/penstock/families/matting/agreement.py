"""Cut-outs of an exported model against those of its trained weights: alpha as a whole, and at the edges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from itertools import zip_longest
from pathlib import Path

from penstock.contract.placeholders import Scalar
from penstock.families.matting.answer_file import read_answer
from penstock.foundation.errors import UsageError
from penstock.foundation.files import open_regular
from penstock.foundation.media_kinds import recognise
from penstock.media.alpha_frames import read_alpha_frames
from penstock.media.mattes import Alpha
from penstock.metrics.matte_agreement import matte_agreement


def compare(trained: Mapping[str, Path], exported: Mapping[str, Path], given: Mapping[str, Scalar]) -> dict[str, float]:
    """How far two answers lie apart, see :func:`penstock.metrics.matte_agreement.matte_agreement`.

    Of clips each value is that of its worst frame.

    Args:
        trained: the answer with the trained weights, under the name "".
        exported: that with the exported file.
        given: the case's parameters.

    Raises:
        UsageError: one of the two is no answer; they differ in size or in their number of frames.
    """
    if "" not in trained or "" not in exported:
        raise UsageError("the case has several calls, and a cut-out is one picture or clip")
    worst: dict[str, float] = {}
    for one, other in zip_longest(_alphas(trained[""], given), _alphas(exported[""], given)):
        if one is None or other is None:
            raise UsageError("the answers differ in their number of frames")
        for name, value in asdict(matte_agreement(one, other)).items():
            worst[name] = max(value, worst.get(name, 0.0))
    return worst


def _alphas(file: Path, given: Mapping[str, Scalar]) -> Iterator[Alpha]:
    """The alpha of a picture, or of each frame of a clip."""
    with open_regular(file, where=str(file)) as opened:
        kind = recognise(opened)
    if kind is None or kind.kind != "video":
        yield read_answer(file, given).alpha
        return
    for frame in read_alpha_frames(file):
        yield frame.alpha
