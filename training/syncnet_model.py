"""The compact SyncNet: its two branches in PyTorch, and the same as one ONNX graph.

Pictures: each frame goes through a small 2-D network; windows of five such codes go through two 1-D convolutions.
Sound: 13 x 20 MFCC windows go through 1-D convolutions without padding, four columns to a step. So one pass over a
whole clip gives exactly the features of each of its windows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from training.syncnet_data import CROP_LEFT, CROP_SIDE, CROP_TOP, INPUT_SIDE

FEATURES = 128
CODE = 128
NAME = "syncnet-compact"
# Mean and sd of the MFCC of synthetic speech, coefficient by coefficient: they only bring the input near unit size.
MFCC_MEAN = (16.5, -5.0, -5.0, 5.0, -15.0, -20.0, 0.0, -20.0, 0.0, -8.0, -1.0, -3.0, -4.0)
MFCC_SD = (5.0, 17.0, 15.0, 24.0, 20.0, 25.0, 25.0, 25.0, 22.0, 18.0, 14.0, 14.0, 12.0)
_EPSILON = 4.0
_PICTURE_LAYERS = ((3, 16, 5), (16, 32, 3), (32, 64, 3), (64, 96, 3))  # channels in, channels out, kernel; stride 2
_SOUND_LAYERS = ((13, 96, 5, 1), (96, 128, 4, 2), (128, 128, 3, 1), (128, 128, 3, 2), (128, 128, 2, 1))


class CompactSyncNet(nn.Module):  # type: ignore[misc, unused-ignore]  # torch may be untyped here
    """frames (n, 3, 40, 40) in 0..255 and mfcc (m, 13, T) to features; see `pictures` and `sounds`."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after, kernel in _PICTURE_LAYERS:
            layers += [nn.Conv2d(before, after, kernel, 2, kernel // 2, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        self.picture = nn.Sequential(*layers)
        side = -(-INPUT_SIDE // 16)
        self.code = nn.Sequential(nn.Linear(96 * side * side, CODE, bias=False), nn.BatchNorm1d(CODE), nn.ReLU())
        self.time = nn.Sequential(
            nn.Conv1d(CODE, 160, 3, bias=False), nn.BatchNorm1d(160), nn.ReLU(),
            nn.Conv1d(160, 160, 3, bias=False), nn.BatchNorm1d(160), nn.ReLU(),
            nn.Conv1d(160, FEATURES, 1),
        )  # fmt: skip
        layers = []
        for before, after, kernel, stride in _SOUND_LAYERS:
            layers += [nn.Conv1d(before, after, kernel, stride, bias=False), nn.BatchNorm1d(after), nn.ReLU()]
        self.sound = nn.Sequential(*layers, nn.Conv1d(128, FEATURES, 1))
        self.register_buffer("mfcc_mean", torch.tensor(MFCC_MEAN)[None, :, None])
        self.register_buffer("mfcc_sd", torch.tensor(MFCC_SD)[None, :, None])
        # Only for training: what the mouth does, read from each frame's code.
        self.shape = nn.Linear(CODE, 3)
        self.heard = nn.Linear(FEATURES, 15)

    def codes(self, frames: Tensor) -> Tensor:
        """(n, 3, 40, 40) to (n, CODE); the frame's own brightness, contrast and tint are taken out first."""
        centred = frames - frames.mean(dim=(2, 3), keepdim=True)
        scaled = centred / torch.sqrt((centred * centred).mean(dim=(1, 2, 3), keepdim=True) + _EPSILON)
        return self.code(self.picture(scaled).flatten(1))

    def pictures(self, codes: Tensor) -> Tensor:
        """(clips, n, CODE) to (clips, n - 4, FEATURES)."""
        return self.time(codes.transpose(1, 2)).transpose(1, 2)

    def sounds(self, mfcc: Tensor) -> Tensor:
        """(clips, 13, T) to (clips, (T - 20) // 4 + 1, FEATURES)."""
        return self.sound((mfcc - self.mfcc_mean) / self.mfcc_sd).transpose(1, 2)


class GraphBuilder:
    """Nodes and weights while an ONNX graph grows."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def weight(self, value: npt.NDArray[np.generic]) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(value, name))
        return name

    def ints(self, *values: int) -> str:
        return self.weight(np.array(values, np.int64))

    def add(self, kind: str, *inputs: str, output: str | None = None, attributes: dict[str, Any] | None = None) -> str:
        name = output or f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **(attributes or {})))
        return name

    def lower_face(self, value: str, top: int, left: int, side: int, wanted: int) -> str:
        """A square of uint8 pictures (n, H, W, 3), made smaller by a whole factor: float32 (n, 3, wanted, wanted)."""
        bottom, right = top + side, left + side
        value = self.add("Slice", value, self.ints(top, left), self.ints(bottom, right), self.ints(1, 2))
        value = self.add("Cast", value, attributes={"to": TensorProto.FLOAT})
        value = self.add("Transpose", value, attributes={"perm": [0, 3, 1, 2]})
        step = side // wanted
        return self.add("AveragePool", value, attributes={"kernel_shape": [step, step], "strides": [step, step]})

    def standardised(self, value: str, epsilon: float) -> str:
        """Each picture without the mean of its colours, and with the spread 1."""
        centred = self.add("Sub", value, self.add("ReduceMean", value, attributes={"axes": [2, 3], "keepdims": 1}))
        power = self.add("ReduceMean", self.add("Mul", centred, centred), attributes={"axes": [1, 2, 3], "keepdims": 1})
        spread = self.add("Sqrt", self.add("Add", power, self.weight(np.array(epsilon, np.float32))))
        return self.add("Div", centred, spread)

    def convolution(
        self, value: str, layer: nn.Module, norm: nn.Module | None, *, pad: int = 0, relu: bool = True
    ) -> str:
        """A convolution with the batch norm after it folded in."""
        weight, bias = _folded(layer, norm)
        rank = weight.ndim - 2
        stride = int(layer.stride[0])
        out = self.add(
            "Conv", value, self.weight(weight), self.weight(bias),
            attributes={"kernel_shape": list(weight.shape[2:]), "strides": [stride] * rank, "pads": [pad] * (2 * rank)},
        )  # fmt: skip
        return self.add("Relu", out) if relu else out


def _folded(layer: nn.Module, norm: nn.Module | None) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    weight = layer.get_parameter("weight").detach().double().numpy()
    own = dict(layer.named_parameters()).get("bias")
    bias = np.zeros(len(weight)) if own is None else own.detach().double().numpy()
    if isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
        mean, variance = norm.get_buffer("running_mean").double(), norm.get_buffer("running_var").double()
        scale = (norm.weight.detach().double() / torch.sqrt(variance + norm.eps)).numpy()
        weight = weight * scale.reshape(-1, *[1] * (weight.ndim - 1))
        bias = (bias - mean.numpy()) * scale + norm.bias.detach().double().numpy()
    return weight.astype(np.float32), bias.astype(np.float32)


def to_onnx(model: CompactSyncNet, gain: float) -> onnx.ModelProto:
    """The network as ONNX (opset 17): inputs `mfcc`, `frames`; outputs `audio_features`, `video_features`.

    gain: factor on both features, which brings the distances to the size that SyncNet's have.
    """
    graph = GraphBuilder()
    _picture_nodes(graph, model, gain)
    value = graph.add("Squeeze", "mfcc", graph.ints(1))
    mean, sd = np.array(MFCC_MEAN, np.float32), np.array(MFCC_SD, np.float32)
    value = graph.add("Sub", value, graph.weight(mean[None, :, None]))
    value = graph.add("Div", value, graph.weight(sd[None, :, None]))
    sound = list(model.sound)
    for index in range(len(_SOUND_LAYERS)):
        value = graph.convolution(value, sound[3 * index], sound[3 * index + 1])
    value = graph.convolution(value, sound[-1], None, relu=False)
    _features(graph, value, gain, "audio_features")
    inputs = [
        helper.make_tensor_value_info("mfcc", TensorProto.FLOAT, [1, 1, 13, "T"]),
        helper.make_tensor_value_info("frames", TensorProto.UINT8, ["n", 224, 224, 3]),
    ]
    outputs = [
        helper.make_tensor_value_info("audio_features", TensorProto.FLOAT, ["audio_windows", FEATURES]),
        helper.make_tensor_value_info("video_features", TensorProto.FLOAT, ["video_windows", FEATURES]),
    ]
    built = helper.make_model(
        helper.make_graph(graph.nodes, NAME, inputs, outputs, graph.weights),
        opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="penstock-training",
    )  # fmt: skip
    helper.set_model_props(built, {"penstock.kind": "syncnet", "penstock.name": NAME})
    onnx.checker.check_model(built, full_check=True)
    return built


def _picture_nodes(graph: GraphBuilder, model: CompactSyncNet, gain: float) -> None:
    value = graph.lower_face("frames", CROP_TOP, CROP_LEFT, CROP_SIDE, INPUT_SIDE)
    value = graph.standardised(value, _EPSILON)
    picture = list(model.picture)
    for index, (_, _, kernel) in enumerate(_PICTURE_LAYERS):
        value = graph.convolution(value, picture[3 * index], picture[3 * index + 1], pad=kernel // 2)
    value = graph.add("Flatten", value)
    weight, bias = _folded(model.code[0], model.code[1])
    value = graph.add("Gemm", value, graph.weight(weight), graph.weight(bias), attributes={"transB": 1})
    value = graph.add("Relu", value)
    value = graph.add("Unsqueeze", graph.add("Transpose", value, attributes={"perm": [1, 0]}), graph.ints(0))
    time = list(model.time)
    value = graph.convolution(value, time[0], time[1])
    value = graph.convolution(value, time[3], time[4])
    value = graph.convolution(value, time[6], None, relu=False)
    _features(graph, value, gain, "video_features")


def _features(graph: GraphBuilder, value: str, gain: float, output: str) -> None:
    """(1, D, windows) to (windows, D), times the gain."""
    value = graph.add("Transpose", graph.add("Squeeze", value, graph.ints(0)), attributes={"perm": [1, 0]})
    graph.add("Mul", value, graph.weight(np.array(gain, np.float32)), output=output)
