"""Weights for Inception from a seed, which keep the signal alive through all layers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt


def blocks() -> Iterator[tuple[str, tuple[int, ...]]]:
    """Every convolution of the published checkpoint: name → (out, in, height, width)."""
    yield from {
        "Conv2d_1a_3x3": (32, 3, 3, 3),
        "Conv2d_2a_3x3": (32, 32, 3, 3),
        "Conv2d_2b_3x3": (64, 32, 3, 3),
        "Conv2d_3b_1x1": (80, 64, 1, 1),
        "Conv2d_4a_3x3": (192, 80, 3, 3),
    }.items()
    for key, n, pooled in (("5b", 192, 32), ("5c", 256, 64), ("5d", 288, 64)):
        yield f"Mixed_{key}.branch1x1", (64, n, 1, 1)
        yield f"Mixed_{key}.branch5x5_1", (48, n, 1, 1)
        yield f"Mixed_{key}.branch5x5_2", (64, 48, 5, 5)
        yield f"Mixed_{key}.branch3x3dbl_1", (64, n, 1, 1)
        yield f"Mixed_{key}.branch3x3dbl_2", (96, 64, 3, 3)
        yield f"Mixed_{key}.branch3x3dbl_3", (96, 96, 3, 3)
        yield f"Mixed_{key}.branch_pool", (pooled, n, 1, 1)
    yield "Mixed_6a.branch3x3", (384, 288, 3, 3)
    yield "Mixed_6a.branch3x3dbl_1", (64, 288, 1, 1)
    yield "Mixed_6a.branch3x3dbl_2", (96, 64, 3, 3)
    yield "Mixed_6a.branch3x3dbl_3", (96, 96, 3, 3)
    for key, c in (("6b", 128), ("6c", 160), ("6d", 160), ("6e", 192)):
        yield f"Mixed_{key}.branch1x1", (192, 768, 1, 1)
        for part, shape in enumerate([(c, 768, 1, 1), (c, c, 1, 7), (192, c, 7, 1)], 1):
            yield f"Mixed_{key}.branch7x7_{part}", shape
        shapes = [(c, 768, 1, 1), (c, c, 7, 1), (c, c, 1, 7), (c, c, 7, 1), (192, c, 1, 7)]
        for part, shape in enumerate(shapes, 1):
            yield f"Mixed_{key}.branch7x7dbl_{part}", shape
        yield f"Mixed_{key}.branch_pool", (192, 768, 1, 1)
    yield "Mixed_7a.branch3x3_1", (192, 768, 1, 1)
    yield "Mixed_7a.branch3x3_2", (320, 192, 3, 3)
    for part, shape in enumerate([(192, 768, 1, 1), (192, 192, 1, 7), (192, 192, 7, 1), (192, 192, 3, 3)], 1):
        yield f"Mixed_7a.branch7x7x3_{part}", shape
    for key, n in (("7b", 1280), ("7c", 2048)):
        yield f"Mixed_{key}.branch1x1", (320, n, 1, 1)
        yield f"Mixed_{key}.branch3x3_1", (384, n, 1, 1)
        yield f"Mixed_{key}.branch3x3_2a", (384, 384, 1, 3)
        yield f"Mixed_{key}.branch3x3_2b", (384, 384, 3, 1)
        yield f"Mixed_{key}.branch3x3dbl_1", (448, n, 1, 1)
        yield f"Mixed_{key}.branch3x3dbl_2", (384, 448, 3, 3)
        yield f"Mixed_{key}.branch3x3dbl_3a", (384, 384, 1, 3)
        yield f"Mixed_{key}.branch3x3dbl_3b", (384, 384, 3, 1)
        yield f"Mixed_{key}.branch_pool", (192, n, 1, 1)


def random_state() -> dict[str, npt.NDArray[np.float32]]:
    """A checkpoint of the published one's keys and shapes."""
    random = np.random.default_rng(0)
    tensors = {"fc.weight": np.zeros((1008, 2048), np.float32), "fc.bias": np.zeros(1008, np.float32)}
    for key, shape in blocks():
        weight = random.standard_normal(shape, np.float32) * np.float32(np.sqrt(2 / np.prod(shape[1:])))
        tensors[f"{key}.conv.weight"] = weight
        tensors[f"{key}.bn.weight"] = np.ones(shape[0], np.float32)
        tensors[f"{key}.bn.bias"] = np.zeros(shape[0], np.float32)
        tensors[f"{key}.bn.running_mean"] = np.zeros(shape[0], np.float32)
        tensors[f"{key}.bn.running_var"] = np.ones(shape[0], np.float32)
        tensors[f"{key}.bn.num_batches_tracked"] = np.array(0)
    return tensors
