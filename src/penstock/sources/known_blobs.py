"""What buildah knows of the blobs that registries have. Without it every push compresses every layer again."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from penstock.foundation.errors import WorldError
from penstock.foundation.files import replacing

PLACE = Path("/var/lib/containers/cache")
"""Where buildah keeps it as root, wherever its layers are; there is no option for it."""
FILES = "blob-info-cache-*"
FOLDER = "known-blobs"


@contextlib.contextmanager
def known_blobs(cache_dir: Path | None, *, place: Path = PLACE) -> Iterator[None]:
    """Within, buildah knows what earlier builds with the same cache knew; what it learned goes there.

    This is for a container, which has forgotten everything by the next build. Where buildah's own record is there
    already (a machine), it is left alone. Whatever goes wrong costs time only.

    Args:
        cache_dir: what outlives a build.
        place: where buildah keeps its record.
    """
    if cache_dir is None or os.geteuid() != 0 or any(place.glob(FILES)):
        yield
        return
    kept = cache_dir / FOLDER
    with contextlib.suppress(OSError, WorldError):
        _copy(kept, place)
    yield
    with contextlib.suppress(OSError, WorldError):
        _copy(place, kept)


def _copy(source: Path, target: Path) -> None:
    """Copy the record, file by file, each whole or not at all: two builds may end at the same time."""
    for file in source.glob(FILES):
        with replacing(target / file.name) as temporary:
            shutil.copyfile(file, temporary)
