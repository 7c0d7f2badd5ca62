"""Tiny ONNX networks with the interface of an extractor, or nearly."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

METADATA = {"penstock.kind": "syncnet", "penstock.name": "tiny"}


def tiny_syncnet(metadata=METADATA, *, frames_type=TensorProto.UINT8, extra_nodes=(), opsets=(("", 17),), audio_step=4):
    """A SyncNet whose features are means: of 5 frames' bytes, and of 20 columns' coefficients (D = 1)."""
    constants = {
        "window": np.full((1, 1, 13, 20), 1 / 260, np.float32),
        "time": np.full((1, 1, 5, 1), 1 / 5, np.float32),
        "shape": np.array([-1, 1], np.int64),
        "row": np.array([1, 1, -1, 1], np.int64),
    }
    nodes = [
        helper.make_node("Conv", ["mfcc", "window"], ["sound"], kernel_shape=[13, 20], strides=[1, audio_step]),
        helper.make_node("Reshape", ["sound", "shape"], ["audio_features"]),
        helper.make_node("Cast", ["frames"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats"], ["means"], axes=[1, 2, 3]),
        helper.make_node("Reshape", ["means", "row"], ["line"]),
        helper.make_node("Conv", ["line", "time"], ["lips"], kernel_shape=[5, 1]),
        helper.make_node("Reshape", ["lips", "shape"], ["video_features"]),
        *extra_nodes,
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "tiny",
        inputs=[
            value("mfcc", TensorProto.FLOAT, [1, 1, 13, "t"]),
            value("frames", frames_type, ["n", 224, 224, 3]),
        ],
        outputs=[
            value("audio_features", TensorProto.FLOAT, ["a", 1]),
            value("video_features", TensorProto.FLOAT, ["v", 1]),
        ],
        initializer=[numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid(*opset) for opset in opsets], ir_version=8)
    helper.set_model_props(model, metadata)
    return model


def saved(path, model: onnx.ModelProto):
    path.write_bytes(model.SerializeToString())
    return path
