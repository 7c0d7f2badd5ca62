"""Weights as safetensors: a length, a JSON header, raw little-endian numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def write_safetensors(path: Path, tensors: dict[str, Floats], metadata: dict[str, str]) -> None:
    """Write the tensors as 16-bit floats."""
    header: dict[str, Any] = {"__metadata__": metadata}
    blobs, at = [], 0
    for name, values in sorted(tensors.items()):
        blob = values.astype("<f2").tobytes()
        header[name] = {"dtype": "F16", "shape": list(values.shape), "data_offsets": [at, at + len(blob)]}
        blobs.append(blob)
        at += len(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(blobs))
