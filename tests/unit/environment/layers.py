"""Layers as tars, made in memory; hostile ones too."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

SITE = "usr/local/lib/python3.11/site-packages"


def layer(
    files: Mapping[str, str | bytes], links: Mapping[str, str] | None = None, *, form: int = tarfile.PAX_FORMAT
) -> bytes:
    """A tar of files and symbolic links."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        for name, target in (links or {}).items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
    return out.getvalue()


def wheel_files(name: str, version: str, tag: str, *more: str, site: str = SITE) -> dict[str, str]:
    """The two files of an installed wheel; ``more`` are further headers."""
    folder = f"{site}/{name.replace('-', '_')}-{version}.dist-info"
    headers = "\n".join((f"Name: {name}", f"Version: {version}", *more))
    return {f"{folder}/METADATA": f"Metadata-Version: 2.1\n{headers}\n\ntext\n", f"{folder}/WHEEL": f"Tag: {tag}\n"}


def write(folder: Path, content: bytes, *, packed: bool = True) -> Path:
    """The layer's file."""
    path = folder / "layer"
    path.write_bytes(gzip.compress(content, 1) if packed else content)
    return path
