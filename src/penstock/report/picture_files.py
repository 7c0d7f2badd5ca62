"""Where the composed pictures of a run lie in its bundle."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.directory import Bundle

FOLDER = "pictures"
"""Below the report's folder."""
WORST = "worst.png"
MOVING = "worst.webp"
SHEETS = "sheets"
MAX_WORST_BYTES = 300 << 10
MAX_MOVING_BYTES = 2 << 20


@dataclass(frozen=True)
class DrawnPicture:
    """A picture that the page leads to."""

    label: str
    path: str
    """From the report's folder."""


def pictures_dir(bundle: Bundle) -> Path:
    """``report/pictures``."""
    return bundle.report / FOLDER


def worst_picture(bundle: Bundle) -> Path | None:
    """The picture of the worst case, a PNG of at most 300 KiB; ``None``: the run has none.

    A bundle may be edited: a link, or a file that is larger, is none.
    """
    return _plain(pictures_dir(bundle) / WORST, MAX_WORST_BYTES)


def moving_picture(bundle: Bundle) -> Path | None:
    """Its worst seconds, before and after side by side: an animated WebP of at most 2 MiB; ``None``: none."""
    return _plain(pictures_dir(bundle) / MOVING, MAX_MOVING_BYTES)


def _plain(path: Path, most_bytes: int) -> Path | None:
    if path.parent.is_symlink() or path.is_symlink() or not path.is_file():
        return None
    return path if 0 < path.stat().st_size <= most_bytes else None
