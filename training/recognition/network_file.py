"""Convolutions as an ONNX file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17


@dataclass(frozen=True)
class Layer:
    """A convolution, mostly with ``relu`` after it; ``pad``: zeros around it, by default as many as keep size."""

    name: str
    source: str
    channels: tuple[int, int]
    side: int = 3
    stride: int = 1
    dilation: int = 1
    relu: bool = True
    pad: int | None = None

    @property
    def padding(self) -> int:
        """Zeros around the input."""
        return self.dilation * (self.side // 2) if self.pad is None else self.pad


def write_network(
    path: Path,
    kind: str,
    layers: tuple[Layer, ...],
    outputs: tuple[str, ...],
    tensors: dict[str, npt.NDArray[np.float32]],
    facts: dict[str, Any],
) -> None:
    """Write the network, its weights as 16-bit floats, and ``facts`` as JSON in its metadata."""
    nodes, constants = [], []
    for layer in layers:
        for part in ("weight", "bias"):
            name = f"{layer.name}.{part}"
            constants.append(numpy_helper.from_array(tensors[name].astype(np.float16), f"{name}16"))
            nodes.append(helper.make_node("Cast", [f"{name}16"], [name], to=TensorProto.FLOAT))
        sizes = {
            "kernel_shape": [layer.side] * 2,
            "strides": [layer.stride] * 2,
            "pads": [layer.padding] * 4,
            "dilations": [layer.dilation] * 2,
        }
        summed = f"{layer.name}.sum" if layer.relu else layer.name
        inputs = [layer.source, f"{layer.name}.weight", f"{layer.name}.bias"]
        nodes.append(helper.make_node("Conv", inputs, [summed], **sizes))
        if layer.relu:
            nodes.append(helper.make_node("Relu", [summed], [layer.name]))
    first = layers[0].channels[0]
    seen = helper.make_tensor_value_info("seen", TensorProto.FLOAT, ["n", first, "height", "width"])
    channels = {layer.name: layer.channels[1] for layer in layers}
    found = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", channels[name], "rows", "columns"])
        for name in outputs
    ]
    graph = helper.make_graph(nodes, f"recognition-lite {kind}", [seen], found, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    helper.set_model_props(model, {"kind": f"recognition-lite/{kind}", "facts": json.dumps(facts, ensure_ascii=True)})
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString(deterministic=True))
