"""Computing the network: with ONNX Runtime, or with NumPy from the trained weights themselves."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Protocol

import numpy as np
import onnxruntime

from rmbg_lite import graph, weights
from rmbg_lite.weights import Floats


class Backend(Protocol):
    """Something that computes the network."""

    def run(self, features: Floats) -> Floats:
        """Alpha, float32 ``(h, w)``, 0..1, of :func:`rmbg_lite.features.features`."""
        ...


class OnnxBackend:
    """The exported network, on one thread: the same answer every time."""

    def __init__(self, path: Path, source: Path) -> None:
        """Load ``path``. Raises ValueError where it was not exported from the weights in ``source``."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's own classes have no common base
            raise ValueError(f"{path} cannot be loaded: {error}") from error
        made_of = self._session.get_modelmeta().custom_metadata_map.get("weights_sha256")
        if made_of != hashlib.sha256(source.read_bytes()).hexdigest():
            raise ValueError(f"{path} was exported from other weights than {source}")

    def run(self, features: Floats) -> Floats:
        """As :class:`Backend` says."""
        return np.asarray(self._session.run([graph.OUTPUT], {graph.INPUT: features})[0][0, 0], np.float32)


class NumpyBackend:
    """The trained weights, layer by layer: slower, and what an export is compared with."""

    def __init__(self, source: Path) -> None:
        """Read the weights. Raises ValueError, KeyError or OSError where they are broken."""
        self._tensors = weights.read(source)

    def run(self, features: Floats) -> Floats:
        """As :class:`Backend` says."""
        made = {graph.INPUT: features[0]}
        for layer in graph.LAYERS:
            if isinstance(layer, graph.Conv):
                made[layer.name] = self._convolved(layer, made[layer.source])
            elif isinstance(layer, graph.Double):
                made[layer.name] = _doubled(_doubled(made[layer.source], 1), 2)
            elif isinstance(layer, graph.Pool):
                made[layer.name] = _pooled(made[layer.source])
            elif isinstance(layer, graph.Spread):
                made[layer.name] = _spread(made[layer.source], layer.block)
            else:
                made[layer.name] = np.concatenate([made[source] for source in layer.sources])
        return made[graph.OUTPUT][0]

    def _convolved(self, layer: graph.Conv, values: Floats) -> Floats:
        weight, bias = self._tensors[f"{layer.name}.weight"], self._tensors[f"{layer.name}.bias"]
        padded = np.pad(values, ((0, 0), (layer.pad, layer.pad), (layer.pad, layer.pad)))
        height, width = (length // layer.stride for length in values.shape[1:])
        total = np.repeat(bias[:, None], height * width, axis=1)
        for y in range(layer.side):
            for x in range(layer.side):
                seen = padded[
                    :, y : y + height * layer.stride : layer.stride, x : x + width * layer.stride : layer.stride
                ]
                total += weight[:, :, y, x] @ seen.reshape(len(values), -1)
        after = np.maximum(total, 0) if layer.after == "relu" else 1 / (1 + np.exp(-total))
        return np.asarray(after.reshape(-1, height, width), np.float32)


def _doubled(values: Floats, axis: int) -> Floats:
    moved = np.moveaxis(values, axis, -1)
    before = np.concatenate([moved[..., :1], moved[..., :-1]], axis=-1)
    behind = np.concatenate([moved[..., 1:], moved[..., -1:]], axis=-1)
    quarter = np.float32(0.25)
    pairs = np.stack([quarter * before + 3 * quarter * moved, 3 * quarter * moved + quarter * behind], axis=-1)
    return np.moveaxis(pairs.reshape(*moved.shape[:-1], -1), -1, axis)


def _spread(values: Floats, block: int) -> Floats:
    channels, height, width = values.shape
    cells = values.reshape(channels // block**2, block, block, height, width).transpose(0, 3, 1, 4, 2)
    return np.ascontiguousarray(cells.reshape(channels // block**2, block * height, block * width))


def _pooled(values: Floats) -> Floats:
    channels, height, width = values.shape
    return np.asarray(values.reshape(channels, height // 4, 4, width // 4, 4).mean(axis=(2, 4)), np.float32)
