"""A small model repository on disk, whole, for tests to break."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

Write = Callable[..., Path]

CONTRACT = """\
version: 1
name: little
family: talking-head
weights:
  - path: weights/model.onnx
    sha256: "{sha256}"
    source: lfs
call:
  preset: sonic
  http:
    argv: ["python", "serve.py", "--port", "{{port}}"]
suite: suite
policy:
  rules:
    - {{metric: duration_error, max: 0.1}}
    - {{metric: real_time_factor, margin: 20%}}
"""
SUITE = """\
version: 1
family: talking-head
cases:
  - name: portrait-01
    inputs: {image: a.png, audio: a.wav}
    parameters: {duration: 2.0}
    slices: [fast]
"""
WEIGHTS = b"some weights"


def png() -> bytes:
    """A grey 1x1 PNG."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0\x80")) + chunk(b"IEND", b"")
    )


def wav() -> bytes:
    """A tenth of a second of silence."""
    body = bytes(3200)
    form = struct.pack("<HHIIHH", 1, 1, 16000, 32000, 2, 16)
    rest = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(rest)) + rest


@pytest.fixture
def repository(tmp_path: Path) -> Write:
    """Writes a repository without faults; ``contract`` and ``suite`` are changed as (old, new)."""

    def write(contract: tuple[str, str] = ("", ""), suite: tuple[str, str] = ("", "")) -> Path:
        root = tmp_path / "repository"
        for folder in ("weights", "suite"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        text = CONTRACT.format(sha256=hashlib.sha256(WEIGHTS).hexdigest())
        assert contract[0] in text
        assert suite[0] in SUITE
        (root / "penstock.yaml").write_text(text.replace(*contract, 1), encoding="utf-8")
        (root / "suite/suite.yaml").write_text(SUITE.replace(*suite, 1), encoding="utf-8")
        (root / "weights/model.onnx").write_bytes(WEIGHTS)
        (root / "Containerfile").write_text("FROM scratch\n", encoding="utf-8")
        (root / "suite/a.png").write_bytes(png())
        (root / "suite/a.wav").write_bytes(wav())
        return root

    return write
