"""FID's Inception network as one ONNX graph: from the published checkpoint's tensors, without PyTorch.

The graph is torch-fidelity 0.4's ``FeatureExtractorInceptionV3`` up to its layer 2048, input resize included, with
every batch normalisation folded into its convolution. It differs from torchvision's Inception v3 where the TensorFlow
original does: average pools leave the border out, and the last block pools by maximum.

Interface (as every image-feature network of Penstock): ``images`` uint8 (n, H, W, 3) **RGB** of any one size →
``features`` float32 (n, 2048).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from penstock import __version__
from penstock.foundation.errors import UsageError

if TYPE_CHECKING:
    import onnx

    from penstock.extractors.checkpoint import Checkpoint

Array = npt.NDArray[np.float32]
Pair = tuple[int, int]

PUBLISHED_NAME = "inception-2015-12-05"
UNPUBLISHED_NAME = "inception-unpublished"
PUBLISHED_DIGEST_PREFIX = "6726825d"
"""First digits of the SHA-256 of ``weights-inception-2015-12-05-6726825d.pth``; the rest is not published."""

INPUT_SIDE = 299
BN_EPSILON = 1e-3
OPSET = 18
IR_VERSION = 8
IGNORED = ("fc.weight", "fc.bias")
"""The classifier after layer 2048; not part of the features."""


def name_for(sha256: str) -> str:
    """The extractor's name for a checkpoint file with this SHA-256: the published one, or one that says it is not."""
    return PUBLISHED_NAME if sha256.lower().startswith(PUBLISHED_DIGEST_PREFIX) else UNPUBLISHED_NAME


def from_checkpoint(checkpoint: Checkpoint, *, where: str) -> tuple[onnx.ModelProto, bool]:  # noqa: ARG001
    """The ONNX model of a checkpoint, and whether it is the published one.

    Raises:
        UsageError: as :func:`build`.
    """
    name = name_for(checkpoint.sha256)
    model = build(checkpoint.state, name)
    model.metadata_props.add(key="penstock.source_sha256", value=checkpoint.sha256)
    return model, name == PUBLISHED_NAME


def build(state_dict: Mapping[str, Any], name: str) -> onnx.ModelProto:
    """Build the ONNX feature network from an Inception checkpoint.

    Args:
        state_dict: tensors by the keys of ``weights-inception-2015-12-05-6726825d.pth`` (``Conv2d_1a_3x3.conv.weight``,
            ``Conv2d_1a_3x3.bn.running_mean``, …): NumPy arrays, or anything that ``numpy.asarray`` takes (CPU tensors).
        name: the extractor's name, kept in the metadata as ``penstock.name``; see :func:`name_for`.

    Returns:
        A checked ``onnx.ModelProto`` (opset 18, about 87 MB), deterministic for the same tensors.

    Raises:
        UsageError: a tensor is missing, has another shape, or is not finite; there are tensors of another network.
    """
    import onnx
    from onnx import TensorProto, helper

    graph = _Graph(state_dict)
    top = _network(graph)
    graph.node("GlobalAveragePool", [top], output="pooled")
    graph.node("Flatten", ["pooled"], output="features", axis=1)
    graph.refuse_strangers()

    images = helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", "height", "width", 3])
    features = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", 2048])
    model = helper.make_model(
        helper.make_graph(graph.nodes, "inception", [images], [features], graph.tensors),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="penstock",
        producer_version=__version__,
    )
    helper.set_model_props(model, {"penstock.kind": "image-features", "penstock.name": name})
    onnx.checker.check_model(model, full_check=True)
    return model


class _Graph:
    """Nodes and weights under construction; each value's name tells the layer it comes from."""

    def __init__(self, state_dict: Mapping[str, Any]) -> None:
        self._state = state_dict
        self._used: set[str] = set(IGNORED)
        self._count = 0
        self.nodes: list[onnx.NodeProto] = []
        self.tensors: list[onnx.TensorProto] = []

    def node(self, kind: str, inputs: Iterable[str], *, output: str = "", **attributes: Any) -> str:
        """Add a node; its output's name."""
        from onnx import helper

        self._count += 1
        output = output or f"{kind.lower()}_{self._count}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def constant(self, name: str, value: npt.NDArray[Any]) -> str:
        """Add a constant tensor; its name."""
        from onnx import numpy_helper

        self.tensors.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def conv(self, x: str, key: str, shape: tuple[int, int, int, int], *, stride: int = 1, pad: Pair = (0, 0)) -> str:
        """Convolution, batch normalisation and ReLU: ``key`` is the checkpoint's; ``shape`` (out, in, h, w)."""
        weight = self._tensor(f"{key}.conv.weight", shape).astype(np.float64)
        gamma, beta, mean, variance = (
            self._tensor(f"{key}.bn.{part}", shape[:1]).astype(np.float64)
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        self._used.add(f"{key}.bn.num_batches_tracked")
        if (variance < 0).any():
            raise UsageError("the tensor has negative variances", where=f"{key}.bn.running_var")
        scale = gamma / np.sqrt(variance + BN_EPSILON)
        folded = self.constant(f"{key}.weight", (weight * scale[:, None, None, None]).astype(np.float32))
        bias = self.constant(f"{key}.bias", (beta - mean * scale).astype(np.float32))
        sum_ = self.node(
            "Conv", [x, folded, bias], strides=[stride, stride], pads=[*pad, *pad], kernel_shape=list(shape[2:])
        )
        return self.node("Relu", [sum_], output=key)

    def max_pool(self, x: str, *, stride: int, pad: int = 0) -> str:
        """3 × 3 maximum."""
        return self.node("MaxPool", [x], kernel_shape=[3, 3], strides=[stride, stride], pads=[pad] * 4)

    def average_pool(self, x: str) -> str:
        """3 × 3 average at stride 1, over the pixels that exist (TensorFlow's rule)."""
        return self.node("AveragePool", [x], kernel_shape=[3, 3], strides=[1, 1], pads=[1] * 4, count_include_pad=0)

    def join(self, *branches: str) -> str:
        """Concatenate along the channels."""
        return self.node("Concat", branches, axis=1)

    def refuse_strangers(self) -> None:
        """Tensors that the network has no place for mean that it is another network."""
        strangers = sorted(set(self._state) - self._used)
        if strangers:
            raise UsageError(
                f"{len(strangers)} tensors do not belong to FID's Inception network, the first is '{strangers[0]}'",
                todo="Give weights-inception-2015-12-05-6726825d.pth, or a checkpoint with the same keys.",
            )

    def _tensor(self, key: str, shape: tuple[int, ...]) -> Array:
        if key not in self._state:
            raise UsageError(
                "the checkpoint lacks this tensor",
                where=key,
                todo="Give weights-inception-2015-12-05-6726825d.pth, or a checkpoint with the same keys.",
            )
        value = np.asarray(self._state[key])
        if value.shape != shape:
            raise UsageError(f"the tensor has the shape {value.shape}, the network needs {shape}", where=key)
        if not np.issubdtype(value.dtype, np.floating) or not np.isfinite(value).all():
            raise UsageError("the tensor has values that are not finite real numbers", where=key)
        self._used.add(key)
        return value.astype(np.float32)


def _network(graph: _Graph) -> str:
    """The network from ``images`` to the last block, (n, 2048, 8, 8)."""
    x = _input(graph)
    x = graph.conv(x, "Conv2d_1a_3x3", (32, 3, 3, 3), stride=2)
    x = graph.conv(x, "Conv2d_2a_3x3", (32, 32, 3, 3))
    x = graph.conv(x, "Conv2d_2b_3x3", (64, 32, 3, 3), pad=(1, 1))
    x = graph.max_pool(x, stride=2)
    x = graph.conv(x, "Conv2d_3b_1x1", (80, 64, 1, 1))
    x = graph.conv(x, "Conv2d_4a_3x3", (192, 80, 3, 3))
    x = graph.max_pool(x, stride=2)
    for key, channels, pooled in (("Mixed_5b", 192, 32), ("Mixed_5c", 256, 64), ("Mixed_5d", 288, 64)):
        x = _block_a(graph, x, key, channels, pooled)
    x = _block_b(graph, x, "Mixed_6a", 288)
    for key, inner in (("Mixed_6b", 128), ("Mixed_6c", 160), ("Mixed_6d", 160), ("Mixed_6e", 192)):
        x = _block_c(graph, x, key, inner)
    x = _block_d(graph, x, "Mixed_7a", 768)
    x = _block_e(graph, x, "Mixed_7b", 1280, average=True)
    return _block_e(graph, x, "Mixed_7c", 2048, average=False)


def _input(graph: _Graph) -> str:
    """uint8 (n, H, W, 3) → float32 (n, 3, 299, 299) in -1 to 1.

    Resized as TensorFlow 1 did it: pixels have no centres, and nothing is averaged away.
    """
    pixels = graph.node("Cast", ["images"], to=1)
    pixels = graph.node("Transpose", [pixels], perm=[0, 3, 1, 2])
    size = graph.constant("input_size", np.array([INPUT_SIDE, INPUT_SIDE], dtype=np.int64))
    pixels = graph.node(
        "Resize", [pixels, "", "", size], mode="linear", coordinate_transformation_mode="asymmetric", axes=[2, 3]
    )
    middle = graph.constant("input_middle", np.array(128, dtype=np.float32))
    pixels = graph.node("Sub", [pixels, middle])
    return graph.node("Mul", [pixels, graph.constant("input_scale", np.array(1 / 128, dtype=np.float32))])


def _block_a(graph: _Graph, x: str, key: str, channels: int, pooled: int) -> str:
    one = graph.conv(x, f"{key}.branch1x1", (64, channels, 1, 1))
    five = graph.conv(x, f"{key}.branch5x5_1", (48, channels, 1, 1))
    five = graph.conv(five, f"{key}.branch5x5_2", (64, 48, 5, 5), pad=(2, 2))
    double = graph.conv(x, f"{key}.branch3x3dbl_1", (64, channels, 1, 1))
    double = graph.conv(double, f"{key}.branch3x3dbl_2", (96, 64, 3, 3), pad=(1, 1))
    double = graph.conv(double, f"{key}.branch3x3dbl_3", (96, 96, 3, 3), pad=(1, 1))
    pool = graph.conv(graph.average_pool(x), f"{key}.branch_pool", (pooled, channels, 1, 1))
    return graph.join(one, five, double, pool)


def _block_b(graph: _Graph, x: str, key: str, channels: int) -> str:
    three = graph.conv(x, f"{key}.branch3x3", (384, channels, 3, 3), stride=2)
    double = graph.conv(x, f"{key}.branch3x3dbl_1", (64, channels, 1, 1))
    double = graph.conv(double, f"{key}.branch3x3dbl_2", (96, 64, 3, 3), pad=(1, 1))
    double = graph.conv(double, f"{key}.branch3x3dbl_3", (96, 96, 3, 3), stride=2)
    return graph.join(three, double, graph.max_pool(x, stride=2))


def _block_c(graph: _Graph, x: str, key: str, inner: int) -> str:
    one = graph.conv(x, f"{key}.branch1x1", (192, 768, 1, 1))
    seven = graph.conv(x, f"{key}.branch7x7_1", (inner, 768, 1, 1))
    seven = graph.conv(seven, f"{key}.branch7x7_2", (inner, inner, 1, 7), pad=(0, 3))
    seven = graph.conv(seven, f"{key}.branch7x7_3", (192, inner, 7, 1), pad=(3, 0))
    double = graph.conv(x, f"{key}.branch7x7dbl_1", (inner, 768, 1, 1))
    double = graph.conv(double, f"{key}.branch7x7dbl_2", (inner, inner, 7, 1), pad=(3, 0))
    double = graph.conv(double, f"{key}.branch7x7dbl_3", (inner, inner, 1, 7), pad=(0, 3))
    double = graph.conv(double, f"{key}.branch7x7dbl_4", (inner, inner, 7, 1), pad=(3, 0))
    double = graph.conv(double, f"{key}.branch7x7dbl_5", (192, inner, 1, 7), pad=(0, 3))
    pool = graph.conv(graph.average_pool(x), f"{key}.branch_pool", (192, 768, 1, 1))
    return graph.join(one, seven, double, pool)


def _block_d(graph: _Graph, x: str, key: str, channels: int) -> str:
    three = graph.conv(x, f"{key}.branch3x3_1", (192, channels, 1, 1))
    three = graph.conv(three, f"{key}.branch3x3_2", (320, 192, 3, 3), stride=2)
    seven = graph.conv(x, f"{key}.branch7x7x3_1", (192, channels, 1, 1))
    seven = graph.conv(seven, f"{key}.branch7x7x3_2", (192, 192, 1, 7), pad=(0, 3))
    seven = graph.conv(seven, f"{key}.branch7x7x3_3", (192, 192, 7, 1), pad=(3, 0))
    seven = graph.conv(seven, f"{key}.branch7x7x3_4", (192, 192, 3, 3), stride=2)
    return graph.join(three, seven, graph.max_pool(x, stride=2))


def _block_e(graph: _Graph, x: str, key: str, channels: int, *, average: bool) -> str:
    one = graph.conv(x, f"{key}.branch1x1", (320, channels, 1, 1))
    stem = graph.conv(x, f"{key}.branch3x3_1", (384, channels, 1, 1))
    wide = graph.conv(stem, f"{key}.branch3x3_2a", (384, 384, 1, 3), pad=(0, 1))
    tall = graph.conv(stem, f"{key}.branch3x3_2b", (384, 384, 3, 1), pad=(1, 0))
    double = graph.conv(x, f"{key}.branch3x3dbl_1", (448, channels, 1, 1))
    double = graph.conv(double, f"{key}.branch3x3dbl_2", (384, 448, 3, 3), pad=(1, 1))
    double_wide = graph.conv(double, f"{key}.branch3x3dbl_3a", (384, 384, 1, 3), pad=(0, 1))
    double_tall = graph.conv(double, f"{key}.branch3x3dbl_3b", (384, 384, 3, 1), pad=(1, 0))
    pooled = graph.average_pool(x) if average else graph.max_pool(x, stride=1, pad=1)
    pool = graph.conv(pooled, f"{key}.branch_pool", (192, channels, 1, 1))
    return graph.join(one, wide, tall, double_wide, double_tall, pool)
