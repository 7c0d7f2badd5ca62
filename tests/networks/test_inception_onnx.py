"""What can be known of the Inception graph alone; equality with the reference is tests/parity/test_inception.py."""

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper

from penstock.extractors import inception_onnx
from penstock.extractors.image_features import ImageFeatures
from penstock.foundation.errors import UsageError


def blocks():
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


@pytest.fixture(scope="module")
def state():
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


@pytest.fixture(scope="module")
def file(state, tmp_path_factory):
    path = tmp_path_factory.mktemp("inception") / "inception.onnx"
    path.write_bytes(inception_onnx.build(state, inception_onnx.UNPUBLISHED_NAME).SerializeToString())
    return path


@pytest.fixture(scope="module")
def network(file):
    return ImageFeatures.load(file)


def test_openvino_in_f32_gives_the_same_features(network, file):
    frames = [np.random.default_rng(i).integers(0, 256, (60 + i, 80, 3), dtype=np.uint8) for i in range(2)]
    expected = network.features(frames)
    found = ImageFeatures.load(file, arithmetic="f32-openvino").features(frames)
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()


def test_the_graph_is_an_image_feature_network_of_2048_features(network):
    frames = [np.random.default_rng(i).integers(0, 256, (60, 80, 3), dtype=np.uint8) for i in range(2)]
    features = network.features(frames)
    assert features.shape == (2, 2048)
    assert network.label.startswith("inception-unpublished@sha256:")
    assert np.abs(features[0] - features[1]).max() > 1e-3
    assert network.features(frames[::-1]) == pytest.approx(features[::-1], rel=1e-4, abs=1e-5)


def test_the_input_is_resized_as_tensorflow_1_did(state):
    """Output pixel i shows input position i · size / 299, without a half-pixel shift; the border repeats."""
    model = inception_onnx.build(state, "x")
    last = next(node for node in model.graph.node if node.op_type == "Conv").input[0]
    model.graph.output[0].CopyFrom(helper.make_tensor_value_info(last, TensorProto.FLOAT, None))
    while model.graph.node[-1].output[0] != last:
        del model.graph.node[-1]
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    height, width = 20, 400
    image = np.random.default_rng(1).integers(0, 256, (1, height, width, 3), dtype=np.uint8)
    (resized,) = session.run(None, {"images": image})

    def at(values, size):
        position = np.arange(299) * (size / 299)
        low = position.astype(int)
        share = (position - low)[:, None, None]
        return values[low] * (1 - share) + values[np.minimum(low + 1, size - 1)] * share

    rows = at(image[0].astype(float), height)
    expected = at(rows.transpose(1, 0, 2), width).transpose(2, 1, 0)
    assert resized[0] == pytest.approx((expected - 128) / 128, abs=1e-4)


def test_a_checkpoint_that_is_not_inceptions_is_refused(state):
    key = "Mixed_6b.branch7x7_2.conv.weight"
    nan = state[key].copy()
    nan[0, 0, 0, 0] = np.nan
    variance = "Mixed_7c.branch_pool.bn.running_var"
    cases = {
        "lacks this tensor": {k: v for k, v in state.items() if k != key},
        r"shape .*the network needs": state | {key: state[key].transpose(0, 1, 3, 2)},
        "not finite": state | {key: nan},
        "finite real numbers": state | {key: state[key].astype(np.int32)},
        "negative variances": state | {variance: -state[variance]},
        "do not belong": state | {"AuxLogits.fc.weight": np.zeros(3, np.float32)},
    }
    for message, changed in cases.items():
        with pytest.raises(UsageError, match=message):
            inception_onnx.build(changed, "x")
    with pytest.raises(UsageError, match="lacks this tensor"):
        inception_onnx.build({}, "x")


def test_only_the_published_file_gets_the_published_name():
    assert inception_onnx.name_for("6726825d" + "0" * 56) == "inception-2015-12-05"
    assert inception_onnx.name_for("6726825D" + "0" * 56) == "inception-2015-12-05"
    assert inception_onnx.name_for("0" * 64) == "inception-unpublished"
