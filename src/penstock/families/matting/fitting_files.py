"""Whether the files of a case fit together, a photo's or a clip's: *plan* asks before any model is started."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from penstock.contract.models import Case
from penstock.families.matting.clip_files import check_clip
from penstock.families.matting.files_of_case import hold_size, read_known
from penstock.media.images import read_image


def check_files(_case: Case, inputs: Mapping[str, Path], files: Mapping[str, tuple[Path, ...]]) -> None:
    """Check that the files of a case fit together.

    Raises:
        UsageError: one cannot be read as what it is, or is not of the size of what the model gets; of a clip also where
            it has another number of frames.
    """
    if "video" in inputs:
        check_clip(inputs, files)
        return
    known = read_known(files)
    if "image" in inputs:
        height, width = read_image(inputs["image"]).shape[:2]
        hold_size(files["truth"][0].name, known.size, (width, height), "the photo, upright,")
