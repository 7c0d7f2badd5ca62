"""From the trained weights to ONNX.

Example: ``python -m rmbg_lite.export weights/rmbg-lite.safetensors weights/rmbg-lite.onnx``

Weights stay 16 bits wide in the file and are computed with as 32: both backends use the same numbers.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from rmbg_lite import graph, weights

OPSET = 17


def export(source: Path, target: Path) -> None:
    """Write the network with the weights in ``source`` as ``target``; the file names the digest of ``source``.

    Raises ValueError, KeyError or OSError where the weights are broken.
    """
    tensors = weights.read(source)
    nodes, constants = [], [numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "twice")]
    for layer in graph.LAYERS:
        if isinstance(layer, graph.Double):
            modes = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
            nodes.append(helper.make_node("Resize", [layer.source, "", "twice"], [layer.name], **modes))
        elif isinstance(layer, graph.Join):
            nodes.append(helper.make_node("Concat", list(layer.sources), [layer.name], axis=1))
        elif isinstance(layer, graph.Pool):
            nodes.append(
                helper.make_node("AveragePool", [layer.source], [layer.name], kernel_shape=[4, 4], strides=[4, 4])
            )
        elif isinstance(layer, graph.Spread):
            nodes.append(
                helper.make_node("DepthToSpace", [layer.source], [layer.name], blocksize=layer.block, mode="CRD")
            )
        else:
            for part in ("weight", "bias"):
                name = f"{layer.name}.{part}"
                constants.append(numpy_helper.from_array(tensors[name].astype(np.float16), f"{name}16"))
                nodes.append(helper.make_node("Cast", [f"{name}16"], [name], to=TensorProto.FLOAT))
            pads = [layer.pad] * 4
            sizes = {"kernel_shape": [layer.side] * 2, "strides": [layer.stride] * 2, "pads": pads}
            inputs = [layer.source, f"{layer.name}.weight", f"{layer.name}.bias"]
            nodes.append(helper.make_node("Conv", inputs, [f"{layer.name}.sum"], **sizes))
            after = {"relu": "Relu", "sigmoid": "Sigmoid"}[layer.after]
            nodes.append(helper.make_node(after, [f"{layer.name}.sum"], [layer.name]))
    seen = helper.make_tensor_value_info(graph.INPUT, TensorProto.FLOAT, [1, graph.CHANNELS, "height", "width"])
    alpha = helper.make_tensor_value_info(graph.OUTPUT, TensorProto.FLOAT, [1, 1, "height", "width"])
    made = helper.make_graph(nodes, "rmbg-lite", [seen], [alpha], constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    helper.set_model_props(model, {"architecture": graph.ARCHITECTURE, "weights_sha256": digest})
    onnx.checker.check_model(model)
    target.write_bytes(model.SerializeToString(deterministic=True))


def main() -> int:
    """Export, and say so."""
    parser = argparse.ArgumentParser(description="export the trained weights as ONNX")
    parser.add_argument("weights", type=Path)
    parser.add_argument("onnx", type=Path)
    arguments = parser.parse_args()
    export(arguments.weights, arguments.onnx)
    print(f"{arguments.onnx}: {arguments.onnx.stat().st_size} bytes, opset {OPSET}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
