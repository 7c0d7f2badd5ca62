"""The ONNX Inception network against torch-fidelity's, on the same random weights and images.

Needs the parity environment (torch, torch-fidelity, onnx, onnxruntime): its ``python -m pytest tests/parity``.
"""

import numpy as np
import onnxruntime
import pytest
import torch
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from penstock.extractors import inception_onnx
from penstock.foundation.errors import UsageError

RELATIVE = 1e-4


class Blank(FeatureExtractorInceptionV3):
    """The reference network before its weights are loaded: tells names and shapes."""

    def load_state_dict(self, state_dict, strict=True, assign=False):
        assert state_dict == {}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A checkpoint file in the published format with random weights that keep the signal alive through all layers."""
    folder = tmp_path_factory.mktemp("inception")
    torch.save({}, folder / "empty.pth")
    blank = Blank("inception-v3-compat", ["2048"], feature_extractor_weights_path=str(folder / "empty.pth"))
    random = torch.Generator().manual_seed(7)
    state = {}
    for key, value in blank.state_dict().items():
        if key.endswith("num_batches_tracked"):
            state[key] = value
        elif key.endswith(("running_var", "bn.weight")):
            state[key] = torch.rand(value.shape, generator=random) + 0.5
        elif value.ndim >= 2:
            state[key] = torch.randn(value.shape, generator=random) * (2.0 / value[0].numel()) ** 0.5
        else:
            state[key] = torch.randn(value.shape, generator=random) * 0.2
    torch.save(state, folder / "random.pth")
    return folder / "random.pth"


@pytest.fixture(scope="module")
def state(checkpoint):
    return {key: value.numpy() for key, value in torch.load(checkpoint, weights_only=True).items()}


@pytest.fixture(scope="module")
def session(state):
    model = inception_onnx.build(state, inception_onnx.UNPUBLISHED_NAME)
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


@pytest.fixture(scope="module")
def reference(checkpoint):
    return FeatureExtractorInceptionV3("inception-v3-compat", ["2048"], feature_extractor_weights_path=str(checkpoint))


@pytest.mark.parametrize(("height", "width"), [(299, 299), (256, 256), (32, 48), (512, 400)])
def test_features_equal_the_reference(session, reference, height, width):
    random = np.random.default_rng(height)
    smooth = np.linspace(0, 255, height)[:, None, None] * np.ones((1, width, 3))
    images = np.stack([random.integers(0, 256, (height, width, 3)), smooth]).astype(np.uint8)
    with torch.no_grad():
        expected = reference(torch.from_numpy(images).permute(0, 3, 1, 2).contiguous())[0].numpy()
    (actual,) = session.run(["features"], {"images": images})

    assert actual.shape == (2, 2048)
    assert actual.dtype == np.float32
    assert expected.std() > 1e-3, "the random weights must not kill the signal"
    assert np.abs(actual - expected).max() <= RELATIVE * np.abs(expected).max()
    assert np.linalg.norm(actual - expected) <= RELATIVE * np.linalg.norm(expected)


def test_colour_order_matters(session):
    images = np.zeros((1, 64, 64, 3), np.uint8)
    images[..., 0] = 255
    (red,) = session.run(["features"], {"images": images})
    (blue,) = session.run(["features"], {"images": np.ascontiguousarray(images[..., ::-1])})
    assert np.abs(red - blue).max() > 1e-3


def test_the_model_says_what_it_is(session):
    properties = session.get_modelmeta().custom_metadata_map
    assert properties == {"penstock.kind": "image-features", "penstock.name": "inception-unpublished"}


def test_tensors_of_the_checkpoint_are_taken_as_they_are_in_torch(checkpoint, state):
    tensors = torch.load(checkpoint, weights_only=True)
    first = inception_onnx.build(tensors, "x").SerializeToString()
    assert first == inception_onnx.build(state, "x").SerializeToString()


def test_another_network_is_refused(state):
    with pytest.raises(UsageError, match="do not belong"):
        inception_onnx.build(state | {"AuxLogits.conv0.conv.weight": np.zeros(3, np.float32)}, "x")
