"""The small stand-in extractors that come with Penstock, for those who have no published ones."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Literal

from penstock.foundation.errors import UsageError, WorldError
from penstock.foundation.files import sha256_file

log = logging.getLogger(__name__)
STAND_INS = {"syncnet": "syncnet-compact", "image-features": "portrait-features", "lips": "lip-opening"}
VARIABLES = {"syncnet": "PENSTOCK_SYNCNET", "image-features": "PENSTOCK_FRECHET"}
SHIPPED = {
    "syncnet-compact": "d44ab7926c76ef5881d063f7bb4fb09bececa73875f9ca068f34ee6dd1b34070",
    "lip-opening": "0ceaf371a6c1f5e5a38fe27648857a95d489bde4b344201669fa9b5b7e18f565",
    "portrait-features": "82cec326ec197260a0815f1b1dbb4b65459c94e200e06d72641fad5d060f91b7",
}
"""Name → SHA-256 of the file: what a contract names is the same network in every installation."""


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
    folder = _folder()
    if folder is None:
        raise UsageError(
            "no extractor is given, and this installation has no stand-in",
            where="--weights",
            todo=f"Give --weights FILE.onnx, or set {VARIABLES[kind]}.",
        )
    name = STAND_INS[kind]
    log.warning("no extractor is given: the stand-in %s is used; its values are not those of papers", name)
    return folder / f"{name}.onnx"


def shipped_file(name: str) -> Path:
    """The file of an extractor that a contract names: one of :data:`SHIPPED`.

    Raises:
        WorldError: this installation lacks it, or has another file under its name.
    """
    folder = _folder()
    file = folder / f"{name}.onnx" if folder is not None else None
    if file is None or not file.is_file():
        raise WorldError(
            f"this installation has no extractor '{name}'", where="extractors", todo="Install Penstock again."
        )
    if (found := sha256_file(file)) != SHIPPED[name]:
        raise WorldError(
            f"this is not the '{name}' that comes with Penstock: its SHA-256 is {found}",
            where=str(file),
            todo="Install Penstock again.",
        )
    return file


def _folder() -> Path | None:
    """Where the stand-ins are installed."""
    try:
        import penstock_extractors  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return None
    return Path(next(iter(penstock_extractors.__path__)))
