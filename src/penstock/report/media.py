"""The pictures, videos and sounds that a model returned: in the page while they fit, else files that it refers to."""

from __future__ import annotations

import base64
import contextlib
import os
import re
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from penstock.bundle.directory import Bundle
from penstock.foundation.files import disk_errors, inside, replacing

EMBED_BYTES = 12 << 20
"""Media are put into the page up to this size in all, the worst cases' first: base64 in the page and again in a mail
makes 22 MB of it, and many mail servers stop at 25."""
TYPES = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".webm": "video/webm",
    ".mov": "video/quicktime",
    ".mkv": "video/x-matroska",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".gif": "image/gif",
}
"""What a browser is asked to show. SVG is not among it: it is a document of its own, with scripts."""
Kind = Literal["video", "image", "file"]


@dataclass(frozen=True)
class Medium:
    """What came back for one case, on one side."""

    kind: Kind
    type: str
    path: Path
    bytes: int


@dataclass(frozen=True)
class Shown:
    """How the page gets at a medium."""

    kind: Kind
    type: str
    content: str
    """Base64, if it is in the page."""
    source: str
    """Relative address, if it is a file beside it."""
    file: str
    """The file's name for a reader who has the page alone."""


def media_of(bundle: Bundle, cases: Collection[str]) -> dict[str, Medium]:
    """Of these cases: case → what came back, where one thing did, whatever its call is named. The path is held inside
    the bundle: the record may be edited.
    """
    found, wanted = {}, set(cases)
    for call in bundle.invocations() if bundle.invocations_file.exists() else []:
        outputs = call.outputs
        if call.case in wanted and call.status == "ok" and len(outputs) == 1:
            path = inside(bundle.path, outputs[0], where=f"{bundle.invocations_file}: {call.case}")
            if path.is_file():
                kind = TYPES.get(path.suffix.lower(), "")
                family: Kind = "video" if kind.startswith("video/") else "image" if kind else "file"
                found[call.case] = Medium(family, kind, path, path.stat().st_size)
    return found


def show_media(
    bundle: Bundle, baseline: Bundle | None, cases: list[str], target_dir: Path, *, embed_bytes: int = EMBED_BYTES
) -> dict[str, dict[str, Shown]]:
    """Case → side (``candidate``, ``baseline``) → where the page finds it.

    A case's two sides are embedded together or not at all, in the order of ``cases`` as long as there is room. What is
    not embedded is referred to where it lies in the bundle that the page belongs to, or copied below ``target_dir``:
    the folder of the page, with the bundle that it is in, can be moved as a whole.
    """
    sides = {"candidate": media_of(bundle, cases), "baseline": media_of(baseline, cases) if baseline else {}}
    home = bundle.path.resolve() if target_dir.resolve().is_relative_to(bundle.path.resolve()) else None
    room = embed_bytes
    shown: dict[str, dict[str, Shown]] = {}
    for number, case in enumerate(cases):
        mine = {side: media[case] for side, media in sides.items() if case in media}
        size = sum(medium.bytes for medium in mine.values() if medium.kind != "file")
        fits = size <= room
        room -= size if fits else 0
        shown[case] = {}
        for side, medium in mine.items():
            if fits and medium.kind != "file":
                shown[case][side] = _embedded(medium)
            else:
                copy = f"media/{side}/{number:04}-{plain_name(case)}"
                shown[case][side] = _beside(medium, target_dir, home if side == "candidate" else None, copy)
    return shown


def _embedded(medium: Medium) -> Shown:
    return Shown(
        medium.kind, medium.type, base64.b64encode(medium.path.read_bytes()).decode("ascii"), "", medium.path.name
    )


def _beside(medium: Medium, target_dir: Path, home: Path | None, name: str) -> Shown:
    """Refer to a file where it lies, if it lies in the page's own bundle; else to a copy of it."""
    if home is not None and medium.path.is_relative_to(home):
        relative = os.path.relpath(medium.path, target_dir.resolve()).replace(os.sep, "/")
    else:
        suffix = medium.path.suffix.lower()
        relative = name + (suffix if re.fullmatch(r"\.[a-z0-9]{1,8}", suffix) else ".bin")
        _copy(medium.path, target_dir / relative)
    return Shown(medium.kind, medium.type, "", quote(relative), relative)


def plain_name(name: str) -> str:
    """A case's name as part of a file's: nothing in it can leave the folder."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)[:80]


def _copy(source: Path, target: Path) -> None:
    """The same file under another name where the disk allows it: files of a bundle are replaced, never changed."""
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.tmp-link")
        temporary.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            temporary.hardlink_to(source)
            temporary.replace(target)
            temporary.unlink(missing_ok=True)  # where both are one file already, replacing leaves both names
            return
    with replacing(target) as temporary, source.open("rb") as content, temporary.open("wb") as out:
        shutil.copyfileobj(content, out, 1 << 20)
