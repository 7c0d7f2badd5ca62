"""The full-size networks with random weights from a seed, which keep the signal alive through all layers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tests.networks.inception_state import random_state

from penstock.extractors import inception_onnx, syncnet_onnx


def write_syncnet(path: Path) -> None:
    """SyncNet as published, 13.6 million weights: batch norms that do something, convolutions of unit gain."""
    random = np.random.default_rng(0)
    state = {}
    for key, shape in syncnet_onnx.expected_shapes().items():
        if len(shape) > 1:
            value = random.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape)
        elif key.endswith("running_var"):
            value = random.uniform(0.5, 2, shape)
        elif key.endswith(".weight"):
            value = random.uniform(0.5, 1.5, shape)
        else:
            value = random.normal(0, 0.1, shape)
        state[key] = value.astype(np.float32)
    path.write_bytes(syncnet_onnx.build(state, name="syncnet-random", source_sha256="0" * 64).SerializeToString())


def write_inception(path: Path) -> None:
    """Inception as FID has it, 2048 features."""
    path.write_bytes(inception_onnx.build(random_state(), "inception-random").SerializeToString())
