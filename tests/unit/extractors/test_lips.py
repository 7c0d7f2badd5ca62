"""A lip extractor: its label, its openings, its interface."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tests.unit.extractors.tiny_networks import saved

from penstock.extractors.lips import open_lips
from penstock.extractors.shipped import shipped_file
from penstock.foundation.errors import UsageError
from penstock.metrics.face import box_at, crop_with_box
from penstock.metrics.lip_closure import CLOSED


def brightness(scale: float, *, axes: tuple[int, ...] = (1, 2, 3), kind: str = "lips") -> onnx.ModelProto:
    """Its opening is how bright a picture is, times ``scale``."""
    nodes = [
        helper.make_node("Cast", ["frames"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["f"], ["m"], axes=axes, keepdims=0),
        helper.make_node("Mul", ["m", "scale"], ["openings"]),
    ]
    frames = helper.make_tensor_value_info("frames", TensorProto.UINT8, ["n", 224, 224, 3])
    openings = helper.make_tensor_value_info("openings", TensorProto.FLOAT, ["n"] if len(axes) == 3 else None)
    weights = [numpy_helper.from_array(np.array(scale, np.float32), "scale")]
    graph = helper.make_graph(nodes, "tiny", [frames], [openings], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {"penstock.kind": kind, "penstock.name": "tiny"})
    return model


def test_openings(tmp_path) -> None:
    network = open_lips(saved(tmp_path / "tiny.onnx", brightness(0.001)))
    assert network.label.startswith("tiny@sha256:")
    crops = np.stack([np.full((224, 224, 3), value, np.uint8) for value in (0, 100, 200)])
    assert network.openings(crops) == pytest.approx([0, 0.1, 0.2])


def test_another_network_and_absurd_openings(tmp_path) -> None:
    with pytest.raises(UsageError, match="syncnet"):
        open_lips(saved(tmp_path / "other.onnx", brightness(1, kind="syncnet")))
    crops = np.full((2, 224, 224, 3), 200, np.uint8)
    with pytest.raises(UsageError, match="values that are no openings"):
        open_lips(saved(tmp_path / "wide.onnx", brightness(10))).openings(crops)


def test_the_stand_in_tells_closed_lips_from_open_ones() -> None:
    portrait = cv2.imread(str(Path(__file__).parents[3] / "test-assets" / "portraits" / "drawn-01.png"))
    side = len(portrait)
    box = box_at(0.317 * side, 0.279 * side, 0.387 * side, 0.447 * side, where="")
    [meet] = crop_with_box([np.asarray(portrait, np.uint8)], box)
    apart = meet.copy()
    cv2.ellipse(apart, (112, 127), (24, 7), 0, 0, 360, (30, 22, 45), -1, cv2.LINE_AA)
    found = open_lips(shipped_file("lip-opening"), threads=1).openings(np.stack([meet, apart]))
    assert found[0] < CLOSED < found[1]
