"""The two networks of face-lite in PyTorch, and as ONNX files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

OPSET = 17
FEATURE = 512
SIDE_FOUND, SIDE_SEEN = 96, 112


class Block(nn.Sequential):
    """Convolution, normalisation, ReLU."""

    def __init__(self, before: int, after: int, *, side: int = 3, stride: int = 1, alone: bool = False) -> None:
        """alone: each channel for itself, over the whole picture, without a border."""
        pad = 0 if alone else side // 2
        convolution = nn.Conv2d(before, after, side, stride, pad, groups=before if alone else 1, bias=False)
        super().__init__(convolution, nn.BatchNorm2d(after), nn.ReLU())


class FinderNetwork(nn.Module):
    """``(n, 3, 96, 96)`` to ``(n, 11, 12, 12)``: what :func:`face_lite.finder._face` reads."""

    def __init__(self) -> None:
        """Random weights."""
        super().__init__()
        self.blocks = nn.ModuleList(
            [Block(3, 16, stride=2), Block(16, 32, stride=2), Block(32, 48, stride=2), Block(48, 64), Block(64, 64)]
        )
        self.last = nn.Conv2d(64, 11, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """See the class."""
        for block in self.blocks:
            image = block(image)
        found: torch.Tensor = self.last(image)
        return found


class FaceNetwork(nn.Module):
    """``(n, 3, 112, 112)`` to features ``(n, 512)``, of any length, and certainty ``(n, 1)``, a logit."""

    def __init__(self) -> None:
        """Random weights."""
        super().__init__()
        self.blocks = nn.ModuleList(
            [Block(3, 24, stride=2), Block(24, 48, stride=2), Block(48, 64), Block(64, 96, stride=2), Block(96, 128)]
        )
        self.whole = Block(128, 128, side=7, alone=True)
        self.feature = nn.Linear(128, FEATURE)
        self.judge = nn.Linear(24 + 64 + 128, 48)
        self.certainty = nn.Linear(48, 1)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """See the class."""
        image = nn.functional.avg_pool2d(image, 2)
        means = []
        for number, block in enumerate(self.blocks):
            image = block(image)
            if number in (0, 2, 4):
                means.append(image.mean(dim=(2, 3)))
        judged = torch.relu(self.judge(torch.cat(means, 1)))
        return self.feature(self.whole(image).flatten(1)), self.certainty(judged)


class Graph:
    """An ONNX graph as it grows; weights are 16 bits wide in the file and computed with as 32."""

    def __init__(self) -> None:
        """Empty."""
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def node(self, kind: str, inputs: list[str], output: str, **attributes: object) -> str:
        """Add a node; returns its output."""
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def weight(self, name: str, values: torch.Tensor) -> str:
        """Add weights; returns their name."""
        self.constants.append(numpy_helper.from_array(values.detach().numpy().astype(np.float16), f"{name}16"))
        return self.node("Cast", [f"{name}16"], name, to=TensorProto.FLOAT)

    def block(self, block: nn.Module, source: str, name: str) -> str:
        """Add a :class:`Block`, its normalisation folded into the convolution."""
        convolution, norm = block[0], block[1]  # type: ignore[index]
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        weight = self.weight(f"{name}.weight", convolution.weight * scale[:, None, None, None])
        bias = self.weight(f"{name}.bias", norm.bias - norm.running_mean * scale)
        made = self.convolution(convolution, [source, weight, bias], f"{name}.sum")
        return self.node("Relu", [made], name)

    def convolution(self, layer: nn.Conv2d, inputs: list[str], name: str) -> str:
        """Add a convolution of these inputs."""
        sizes = {"kernel_shape": list(layer.kernel_size), "strides": list(layer.stride), "group": layer.groups}
        return self.node("Conv", inputs, name, pads=[int(layer.padding[0])] * 4, **sizes)

    def linear(self, layer: nn.Linear, source: str, name: str, output: str = "") -> str:
        """Add a linear layer."""
        inputs = [source, self.weight(f"{name}.weight", layer.weight), self.weight(f"{name}.bias", layer.bias)]
        return self.node("Gemm", inputs, output or name, transB=1)

    def save(self, path: Path, name: str, side: int, outputs: dict[str, list[int]]) -> None:
        """Write the file; outputs: name → shape."""
        seen = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, side, side])
        said = [helper.make_tensor_value_info(key, TensorProto.FLOAT, shape) for key, shape in outputs.items()]
        graph = helper.make_graph(self.nodes, name, [seen], said, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
        onnx.checker.check_model(model)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(model.SerializeToString(deterministic=True))


def save_finder(network: FinderNetwork, path: Path) -> None:
    """Write it as ONNX."""
    graph, at = Graph(), "image"
    for number, block in enumerate(network.blocks):
        at = graph.block(block, at, f"block{number}")
    state = network.last.state_dict()
    inputs = [at, *(graph.weight(f"last.{part}", state[part]) for part in ("weight", "bias"))]
    graph.convolution(network.last, inputs, "cells")
    graph.save(path, "finder", SIDE_FOUND, {"cells": [1, 11, 12, 12]})


def save_face(network: FaceNetwork, path: Path) -> None:
    """Write it as ONNX."""
    graph = Graph()
    at = graph.node("AveragePool", ["image"], "half", kernel_shape=[2, 2], strides=[2, 2])
    means = []
    for number, block in enumerate(network.blocks):
        at = graph.block(block, at, f"block{number}")
        if number in (0, 2, 4):
            mean = graph.node("GlobalAveragePool", [at], f"mean{number}.map")
            means.append(graph.node("Flatten", [mean], f"mean{number}"))
    whole = graph.node("Flatten", [graph.block(network.whole, at, "whole")], "flat")
    graph.linear(network.feature, whole, "feature", "features")
    judged = graph.node(
        "Relu", [graph.linear(network.judge, graph.node("Concat", means, "means", axis=1), "judge")], "j"
    )
    graph.linear(network.certainty, judged, "certainty", "certainties")
    graph.save(path, "face-lite", SIDE_SEEN, {"features": [1, FEATURE], "certainties": [1, 1]})
