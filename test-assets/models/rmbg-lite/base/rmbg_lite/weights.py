"""Reading safetensors: a length, a JSON header, raw little-endian numbers. Nothing in it is executed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rmbg_lite import graph

MAX_HEADER_BYTES = 1 << 20
_TYPES = {"F32": "<f4", "F16": "<f2"}

Floats = npt.NDArray[np.float32]


def read(path: Path) -> dict[str, Floats]:
    """The tensors of this network, as float32: ``LAYER.weight`` and ``LAYER.bias``.

    Raises ValueError, KeyError or OSError where the file is broken or another network's.
    """
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    if len(raw) < 8 or size > min(MAX_HEADER_BYTES, len(raw) - 8):
        raise ValueError(f"{path} is not a safetensors file")
    header: dict[str, Any] = json.loads(raw[8 : 8 + size])
    if header.pop("__metadata__", {}).get("architecture") != graph.ARCHITECTURE:
        raise ValueError(f"{path} holds the weights of another network")
    tensors = {}
    for name, entry in header.items():
        start, stop = entry["data_offsets"]
        values = np.frombuffer(raw[8 + size + start : 8 + size + stop], dtype=_TYPES[entry["dtype"]])
        tensors[name] = values.reshape(entry["shape"]).astype(np.float32)
    for layer in graph.LAYERS:
        if isinstance(layer, graph.Conv):
            wanted = (layer.channels[1], layer.channels[0], layer.side, layer.side)
            if tensors[f"{layer.name}.weight"].shape != wanted or len(tensors[f"{layer.name}.bias"]) != wanted[0]:
                raise ValueError(f"{path}: the layer {layer.name} has another shape")
    return tensors
