"""The small stand-in extractors that come with Penstock, for whoever has no published ones."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Literal

from penstock.errors import UsageError

log = logging.getLogger(__name__)
STAND_INS = {"syncnet": "syncnet-compact.onnx", "image-features": "portrait-features.onnx"}
VARIABLES = {"syncnet": "PENSTOCK_SYNCNET", "image-features": "PENSTOCK_FRECHET"}


def extractor_file(kind: Literal["syncnet", "image-features"], given: Path | None) -> Path:
    """The extractor to use: the one given, else the one that the environment names, else our stand-in.

    A stand-in was trained on synthetic talkers: its values compare with each other, never with those of a paper. That
    it is used is logged, and its name stands in every answer.

    Raises:
        UsageError: this installation lacks the stand-ins.
    """
    if given is not None:
        return given
    if named := os.environ.get(VARIABLES[kind], ""):
        return Path(named)
    try:
        import penstock_extractors  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        raise UsageError(
            "no extractor is given, and this installation has no stand-in",
            where="--weights",
            todo=f"Give --weights FILE.onnx, or set {VARIABLES[kind]}.",
        ) from None
    file = Path(next(iter(penstock_extractors.__path__))) / STAND_INS[kind]
    log.warning("no extractor is given: the stand-in %s is used; its values are not those of papers", file.stem)
    return file
