"""Files that hold pickles, some of which would run a command."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from pathlib import Path

from penstock.sources import pickles


class Runs:
    """A pickle of this runs a command where it is loaded."""

    def __init__(self, function: object = os.system, argument: str = "echo pwned") -> None:
        self.call = (function, (argument,))

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return self.call


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def legacy_torch(content: object, numbers: bytes) -> bytes:
    """How PyTorch before 1.6 saved: five pickles, then raw numbers."""
    parts = (pickles.TORCH_MAGIC, 1001, {"little_endian": True}, content, ["0"])
    return b"".join(pickle.dumps(part, protocol=2) for part in parts) + numbers


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def pickled(module: str, name: str) -> bytes:
    """A pickle that calls a function with one word, whether or not it is there."""
    return f"c{module}\n{name}\n(S'word'\ntR.".encode()


EVIL = pickled("os", "system")
