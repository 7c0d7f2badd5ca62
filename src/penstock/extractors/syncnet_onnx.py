"""The published SyncNet as one ONNX graph, with the interface that ``penstock.extractors.syncnet`` documents.

What the graph does differently from the PyTorch module it replaces, at equal results (to rounding):

- every batch norm is folded into the convolution or the linear layer before it;
- the first 3-D convolution (5 frames deep, never strided in time) is a 2-D one over 5 x 3 channels and one of weight 0,
  so that the whole trunk is 2-D;
- a clip goes in as uint8 frames, and the windows of 5 frames and of 20 MFCC columns are cut inside the graph.

The windows of sound cannot share their convolutions, because each window is padded with zeros at its own two ends.
 Architecture: J. S. Chung, A. Zisserman, "Out of time: automated lip sync in the wild", as in joonson/syncnet_python
(MIT).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from penstock.foundation.errors import UsageError

if TYPE_CHECKING:
    import onnx

    from penstock.extractors.checkpoint import Checkpoint

Array = npt.NDArray[Any]

PUBLISHED_SHA256 = "961e8696f888fce4f3f3a6c3d5b3267cf5b343100b238e79b2659bff2c605442"
"""Digest of the published ``syncnet_v2.model`` (54,573,114 bytes), which papers' LSE-D and LSE-C are made with."""
PUBLISHED_NAME = "syncnet"
UNPUBLISHED_NAME = "syncnet-unpublished"

FEATURES = 1024
_EPSILON = 1e-5
"""The batch norms' epsilon (PyTorch's default)."""
_OPSET = 17
_CHANNELS = 16
"""Of the first convolution the channels are made a multiple of this: ONNX Runtime computes in blocks of 8 or 16
channels where it can, and with 15 takes a general routine that is slower."""
_IR_VERSION = 8


@dataclass(frozen=True)
class _Conv:
    """One convolution of a trunk: its index in the Sequential (the batch norm is the next one), strides, padding, then
    a pool.
    """

    index: int
    kernel: tuple[int, ...]
    channels: tuple[int, int]
    stride: int = 1
    pad: int = 0
    pool: tuple[tuple[int, int], tuple[int, int], int] | None = None
    """``(kernel, stride, padding)`` of the max pool after the ReLU."""


_AUDIO = (
    _Conv(0, (3, 3), (64, 1), pad=1),
    _Conv(4, (3, 3), (192, 64), pad=1, pool=((3, 3), (1, 2), 0)),
    _Conv(8, (3, 3), (384, 192), pad=1),
    _Conv(11, (3, 3), (256, 384), pad=1),
    _Conv(14, (3, 3), (256, 256), pad=1, pool=((3, 3), (2, 2), 0)),
    _Conv(18, (5, 4), (512, 256)),
)
_LIPS = (
    _Conv(0, (5, 7, 7), (96, 3), stride=2, pool=((3, 3), (2, 2), 0)),
    _Conv(4, (1, 5, 5), (256, 96), stride=2, pad=1, pool=((3, 3), (2, 2), 1)),
    _Conv(8, (1, 3, 3), (256, 256), pad=1),
    _Conv(11, (1, 3, 3), (256, 256), pad=1),
    _Conv(14, (1, 3, 3), (256, 256), pad=1, pool=((3, 3), (2, 2), 0)),
    _Conv(18, (1, 6, 6), (512, 256)),
)
_TRUNKS = {"netcnnaud": _AUDIO, "netcnnlip": _LIPS}
_HEADS = ("netfcaud", "netfclip")


def name_for(sha256: str) -> str:
    """The extractor's name for a checkpoint with this digest: ``syncnet`` is the published one only."""
    return PUBLISHED_NAME if sha256 == PUBLISHED_SHA256 else UNPUBLISHED_NAME


def from_checkpoint(checkpoint: Checkpoint, *, where: str) -> tuple[onnx.ModelProto, bool]:
    """The ONNX model of a checkpoint, and whether it is the published one.

    Raises:
        UsageError: as :func:`check_state`.
    """
    name = name_for(checkpoint.sha256)
    model = build(checkpoint.state, name=name, source_sha256=checkpoint.sha256, where=where)
    return model, name == PUBLISHED_NAME


def expected_shapes() -> dict[str, tuple[int, ...]]:
    """Every key of the checkpoint that holds numbers we use, with its shape (``num_batches_tracked`` may be there or
    not).
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for trunk, layers in _TRUNKS.items():
        for conv in layers:
            shapes[f"{trunk}.{conv.index}.weight"] = (*conv.channels, *conv.kernel)
            shapes[f"{trunk}.{conv.index}.bias"] = (conv.channels[0],)
            shapes |= _norm_shapes(f"{trunk}.{conv.index + 1}", conv.channels[0])
    for head in _HEADS:
        shapes |= {f"{head}.0.weight": (512, 512), f"{head}.0.bias": (512,), **_norm_shapes(f"{head}.1", 512)}
        shapes |= {f"{head}.3.weight": (FEATURES, 512), f"{head}.3.bias": (FEATURES,)}
    return shapes


def _norm_shapes(prefix: str, channels: int) -> dict[str, tuple[int, ...]]:
    return {f"{prefix}.{name}": (channels,) for name in ("weight", "bias", "running_mean", "running_var")}


def check_state(state: Mapping[str, Array], *, where: str) -> None:
    """Compare a state dict with the architecture: same keys, same shapes, finite numbers.

    Raises:
        UsageError: it is some other network, or a damaged one; the message names the first keys that differ.
    """
    shapes = expected_shapes()
    given = {key for key in state if not key.endswith(".num_batches_tracked")}
    problems = [f"no '{key}'" for key in sorted(shapes.keys() - given)]
    problems += [f"unknown '{key}'" for key in sorted(given - shapes.keys())]
    for key in sorted(shapes.keys() & given):
        if state[key].shape != shapes[key]:
            problems.append(f"'{key}' has shape {state[key].shape}, not {shapes[key]}")
        elif not np.issubdtype(state[key].dtype, np.floating) or not np.isfinite(state[key]).all():
            problems.append(f"'{key}' holds values that are not finite numbers")
        elif key.endswith("running_var") and (state[key] < 0).any():
            problems.append(f"'{key}' holds negative variances")
    if problems:
        more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""
        raise UsageError(
            f"this is not a SyncNet checkpoint: {', '.join(problems[:3])}{more}",
            where=where,
            todo="Give the published syncnet_v2.model, or one trained with the same architecture.",
        )


def build(state: Mapping[str, Array], *, name: str, source_sha256: str, where: str = "state dict") -> onnx.ModelProto:
    """The ONNX model of a SyncNet state dict (keys ``netcnnaud``, ``netfcaud``, ``netcnnlip``, ``netfclip`` +
    ``.N.…``).

    Args:
        state: the checkpoint's arrays, float.
        name: recorded as ``penstock.name``.
        source_sha256: digest of the checkpoint's file, recorded as ``penstock.source_sha256``.
        where: the file's name, for errors.

    Raises:
        UsageError: keys, shapes or numbers that are not a SyncNet's.
    """
    check_state(state, where=where)
    import onnx
    from onnx import TensorProto, helper

    graph = _Graph()
    sound = _trunk(graph, state, "netcnnaud", _audio_windows(graph))
    graph.node("Identity", [_head(graph, state, "netfcaud", sound)], "audio_features")
    lips = _trunk(graph, state, "netcnnlip", _video_windows(graph))
    graph.node("Identity", [_head(graph, state, "netfclip", lips)], "video_features")
    value = helper.make_tensor_value_info
    proto = helper.make_graph(
        graph.nodes,
        name,
        inputs=[
            value("mfcc", TensorProto.FLOAT, [1, 1, 13, "columns"]),
            value("frames", TensorProto.UINT8, ["frames", 224, 224, 3]),
        ],
        outputs=[
            value("audio_features", TensorProto.FLOAT, ["audio_windows", FEATURES]),
            value("video_features", TensorProto.FLOAT, ["video_windows", FEATURES]),
        ],
        initializer=graph.initializers,
    )
    model = helper.make_model(
        proto, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION, producer_name="penstock"
    )
    helper.set_model_props(
        model,
        {"penstock.kind": "syncnet", "penstock.name": name, "penstock.source_sha256": source_sha256},
    )
    onnx.checker.check_model(model)
    return model


class _Graph:
    """Nodes and constants on their way into a graph."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def node(self, kind: str, inputs: list[str], output: str, attributes: Mapping[str, Any] | None = None) -> str:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **(attributes or {})))
        return output

    def constant(self, name: str, array: Array) -> str:
        from onnx import numpy_helper

        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name


def _audio_windows(graph: _Graph) -> str:
    """``mfcc`` (1, 1, 13, T) to windows (n, 1, 13, 20), 4 columns apart.

    A convolution with the identity as its kernel cuts the windows, so that n follows from T without any shape
    arithmetic.
    """
    kernel = graph.constant("window_kernel", np.eye(20, dtype=np.float32).reshape(20, 1, 1, 20))
    graph.node("Conv", ["mfcc", kernel], "mfcc_shifted", {"kernel_shape": [1, 20], "strides": [1, 4]})
    return graph.node("Transpose", ["mfcc_shifted"], "mfcc_windows", {"perm": [3, 0, 2, 1]})


def _video_windows(graph: _Graph) -> str:
    """``frames`` (n, 224, 224, 3) uint8 to windows (n - 4, 16, 224, 224) float, channels in the order time, then
    colour, then one that counts for nothing.

    Windows are put together as bytes and cast last: a quarter of the memory traffic.
    """
    graph.node("Transpose", ["frames"], "frames_planar", {"perm": [0, 3, 1, 2]})
    axis = graph.constant("axis_0", np.array([0], np.int64))
    shifted = []
    for time in range(5):
        start = graph.constant(f"start_{time}", np.array([time], np.int64))
        end = graph.constant(f"end_{time}", np.array([time - 4 if time < 4 else np.iinfo(np.int64).max], np.int64))
        shifted.append(graph.node("Slice", ["frames_planar", start, end, axis], f"frames_{time}"))
    # the 16th channel, whose weights are 0: some channel of the frames, which costs less than to make one of zeros
    bounds = [graph.constant(f"unused_{name}", np.array([at], np.int64)) for name, at in (("start", 0), ("end", 1))]
    colour = graph.constant("axis_1", np.array([1], np.int64))
    shifted.append(graph.node("Slice", ["frames_0", *bounds, colour], "frames_unused"))
    graph.node("Concat", shifted, "frame_windows_bytes", {"axis": 1})
    return graph.node("Cast", ["frame_windows_bytes"], "frame_windows", {"to": 1})


def _trunk(graph: _Graph, state: Mapping[str, Array], trunk: str, value: str) -> str:
    for conv in _TRUNKS[trunk]:
        name = f"{trunk}.{conv.index}"
        weight, bias = _folded(state, name, f"{trunk}.{conv.index + 1}")
        if weight.ndim == 5:
            # (out, colour, time, y, x) to (out, time * colour, y, x); time is 1 in all layers but the first
            weight = weight.transpose(0, 2, 1, 3, 4).reshape(weight.shape[0], -1, *weight.shape[3:])
            weight = np.pad(weight, ((0, 0), (0, -weight.shape[1] % _CHANNELS), (0, 0), (0, 0)))
        inputs = [value, graph.constant(f"{name}.weight", weight), graph.constant(f"{name}.bias", bias)]
        attributes = {"kernel_shape": list(weight.shape[2:]), "strides": [conv.stride] * 2, "pads": [conv.pad] * 4}
        value = graph.node("Relu", [graph.node("Conv", inputs, f"{name}.conv", attributes)], f"{name}.relu")
        if conv.pool:
            kernel, stride, pad = conv.pool
            pooling = {"kernel_shape": list(kernel), "strides": list(stride), "pads": [pad] * 4}
            value = graph.node("MaxPool", [value], f"{name}.pool", pooling)
    return graph.node("Flatten", [value], f"{trunk}.flat", {"axis": 1})


def _head(graph: _Graph, state: Mapping[str, Array], head: str, value: str) -> str:
    weight, bias = _folded(state, f"{head}.0", f"{head}.1")
    inputs = [value, graph.constant(f"{head}.0.weight", weight), graph.constant(f"{head}.0.bias", bias)]
    value = graph.node("Relu", [graph.node("Gemm", inputs, f"{head}.0.linear", {"transB": 1})], f"{head}.0.relu")
    last = [
        graph.constant(f"{head}.3.{part}", state[f"{head}.3.{part}"].astype(np.float32)) for part in ("weight", "bias")
    ]
    return graph.node("Gemm", [value, *last], f"{head}.3.linear", {"transB": 1})


def _folded(state: Mapping[str, Array], layer: str, norm: str) -> tuple[Array, Array]:
    """Weight and bias (float32) of a layer with the batch norm after it folded in, computed in float64."""
    part = {key: state[f"{norm}.{key}"].astype(np.float64) for key in ("weight", "bias", "running_mean", "running_var")}
    scale = part["weight"] / np.sqrt(part["running_var"] + _EPSILON)
    weight = state[f"{layer}.weight"].astype(np.float64)
    bias = (state[f"{layer}.bias"].astype(np.float64) - part["running_mean"]) * scale + part["bias"]
    return (weight * scale.reshape(-1, *[1] * (weight.ndim - 1))).astype(np.float32), bias.astype(np.float32)
