"""Reading safetensors: a length, a JSON header, raw little-endian numbers. Nothing in it is executed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

MAX_HEADER_BYTES = 1 << 20
_TYPES = {"F32": "<f4", "F16": "<f2"}


def read(path: Path) -> tuple[dict[str, npt.NDArray[np.float32]], dict[str, str]]:
    """The tensors (as float32) and the metadata of a safetensors file.

    Raises ValueError, KeyError or OSError for a broken one.
    """
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    if len(raw) < 8 or size > min(MAX_HEADER_BYTES, len(raw) - 8):
        raise ValueError(f"{path} is not a safetensors file")
    header: dict[str, Any] = json.loads(raw[8 : 8 + size])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        start, stop = entry["data_offsets"]
        values = np.frombuffer(raw[8 + size + start : 8 + size + stop], dtype=_TYPES[entry["dtype"]])
        tensors[name] = values.reshape(entry["shape"]).astype(np.float32)
    return tensors, metadata
