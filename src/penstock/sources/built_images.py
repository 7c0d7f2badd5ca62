"""Which images were built from which files: kept in the cache, so that the same files are not built twice."""

from __future__ import annotations

import logging
from pathlib import Path

from penstock.bundle.directory import read_model, write_model
from penstock.bundle.models import SCHEMA_VERSION, Image
from penstock.bundle.record import Record
from penstock.foundation.errors import UsageError
from penstock.foundation.files import disk_errors, sha256_json

log = logging.getLogger(__name__)

FOLDER = "images"


class BuiltImage(Record):
    """``cache/images/DIGEST.json``; its name is the digest of the key and of where the image was pushed to."""

    schema_version: int = SCHEMA_VERSION
    image: Image


def find_built(cache_dir: Path | None, url: str, key: str) -> Image | None:
    """The image that an earlier run built from the same files and pushed to ``url``; ``None`` if none is known."""
    if cache_dir is None or not (file := _file(cache_dir, url, key)).is_file():
        return None
    try:
        image = read_model(file, BuiltImage).image
    except UsageError as error:
        log.warning("%s: passed over: %s", file.name, error.what)
        return None
    return image if (image.kind, image.url, image.key) == ("image", url, key) else None


def keep_built(cache_dir: Path | None, image: Image) -> None:
    """Remember an image that was built and pushed."""
    if cache_dir is None:
        return
    file = _file(cache_dir, image.url, image.key)
    with disk_errors(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        write_model(file, BuiltImage(image=image))


def _file(cache_dir: Path, url: str, key: str) -> Path:
    return cache_dir / FOLDER / f"{sha256_json([url, key])}.json"
