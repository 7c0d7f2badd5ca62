"""rmbg-lite's trained weights in PyTorch: what its NumPy backend computes from them, and its exported file.

The model's image has no PyTorch, and its step *export* compares the exported file with NumPy. This is the proof that
NumPy stands for PyTorch there; and that the file which drifts is as far from PyTorch.
"""

import importlib
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch.nn import functional as fn

MODEL = Path(__file__).parents[2] / "test-assets" / "models" / "rmbg-lite"
sys.path.insert(0, str(MODEL / "base"))
backend, graph, resize, weights = (
    importlib.import_module(f"rmbg_lite.{name}") for name in ("backend", "graph", "resize", "weights")
)
BASE = MODEL / "base" / "weights"
BETTER = MODEL / "releases" / "v1.1.0" / "weights"
DRIFTED = MODEL / "releases" / "v1.0.8-drift" / "weights" / "rmbg-lite.onnx"
CLOSE = 1e-4
"""A fortieth of one of 255 levels, in any pixel: float32, added up in another order."""


def features():
    """Of a drawn photo: a blob with strands before a gradient."""
    random = np.random.default_rng(3)
    photo = np.repeat(np.linspace(30, 220, 192).astype(np.uint8)[None, :, None], 192, axis=0).repeat(3, axis=2)
    cv2.circle(photo, (96, 110), 50, (60, 120, 180), -1, cv2.LINE_AA)
    for _ in range(30):
        end = tuple(int(value) for value in random.integers(20, 172, 2))
        cv2.line(photo, (96, 80), end, (40, 60, 90), 1, cv2.LINE_AA)
    return resize.to_network(photo)


def by_torch(source, values):
    """The network, layer by layer, by PyTorch's own functions."""
    tensors = {name: torch.from_numpy(tensor.copy()) for name, tensor in weights.read(source).items()}
    made = {graph.INPUT: torch.from_numpy(values)}
    for layer in graph.LAYERS:
        if isinstance(layer, graph.Conv):
            weight, bias = tensors[f"{layer.name}.weight"], tensors[f"{layer.name}.bias"]
            value = fn.conv2d(made[layer.source], weight, bias, stride=layer.stride, padding=layer.pad)
            made[layer.name] = torch.relu(value) if layer.after == "relu" else torch.sigmoid(value)
        elif isinstance(layer, graph.Pool):
            made[layer.name] = fn.avg_pool2d(made[layer.source], 4)
        elif isinstance(layer, graph.Double):
            made[layer.name] = fn.interpolate(made[layer.source], scale_factor=2, mode="bilinear", align_corners=False)
        elif isinstance(layer, graph.Spread):
            made[layer.name] = fn.pixel_shuffle(made[layer.source], layer.block)
        else:
            made[layer.name] = torch.cat([made[source] for source in layer.sources], 1)
    return made[graph.OUTPUT][0, 0].numpy()


@pytest.mark.parametrize("folder", [BASE, BETTER], ids=["v1.0.0", "v1.1.0"])
def test_numpy_and_the_exported_file_compute_what_pytorch_does(folder):
    source, values = folder / "rmbg-lite.safetensors", features()
    expected = by_torch(source, values)
    assert expected.std() > 0.1, "it draws something"
    assert np.abs(backend.NumpyBackend(source).run(values) - expected).max() < CLOSE
    exported = backend.OnnxBackend(source.with_suffix(".onnx"), source).run(values)
    assert np.abs(exported - expected).mean() < 0.005 / 100, "a hundredth of what the owners allow"
    assert np.abs(exported - expected).max() < 1e-3


def test_the_file_that_drifts_is_as_far_from_pytorch():
    source, values = BASE / "rmbg-lite.safetensors", features()
    drifted = backend.OnnxBackend(DRIFTED, source).run(values)
    off = np.abs(drifted - by_torch(source, values))
    by_numpy = np.abs(drifted - backend.NumpyBackend(source).run(values))
    assert off.max() > 0.05
    assert off.mean() == pytest.approx(by_numpy.mean(), abs=CLOSE)
