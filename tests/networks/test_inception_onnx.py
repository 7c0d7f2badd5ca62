"""What can be known of the Inception graph alone; equality with the reference is tests/parity/test_inception.py."""

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper
from tests.networks.inception_state import random_state

from penstock.extractors import inception_onnx
from penstock.extractors.image_features import ImageFeatures
from penstock.foundation.errors import UsageError


@pytest.fixture(scope="module")
def state():
    return random_state()


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
