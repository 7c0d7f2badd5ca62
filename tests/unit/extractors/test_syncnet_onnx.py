"""The graph of the published SyncNet against a plain numpy and OpenCV-free evaluation of the same architecture on a few
windows.
"""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

from penstock.extractors.syncnet import open_syncnet
from penstock.extractors.syncnet_onnx import PUBLISHED_SHA256, build, check_state, expected_shapes, name_for
from penstock.foundation.errors import UsageError


@pytest.fixture(scope="module")
def state():
    random = np.random.default_rng(0)
    out = {}
    for key, shape in expected_shapes().items():
        if key.endswith("running_var"):
            out[key] = random.uniform(0.5, 2, shape)
        elif len(shape) > 1:
            out[key] = random.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape)
        else:
            out[key] = random.normal(1.0 if key.endswith("weight") else 0.0, 0.1, shape)
        out[key] = out[key].astype(np.float32)
    return out


@pytest.fixture(scope="module")
def network(state, tmp_path_factory):
    path = tmp_path_factory.mktemp("syncnet") / "random.onnx"
    path.write_bytes(build(state, name="syncnet-random", source_sha256="0" * 64).SerializeToString())
    return path


def conv(x, weight, bias, stride, pad):
    """``(c, …)`` by ``(out, c, …)``, any number of dimensions."""
    x = np.pad(x, [(0, 0), *((p, p) for p in pad)])
    axes = tuple(range(1, x.ndim))
    windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2:], axis=axes)
    windows = windows[(slice(None), *(slice(None, None, s) for s in stride))]
    dims = x.ndim - 1
    out = np.tensordot(weight, windows, axes=([*range(1, dims + 2)], [0, *range(dims + 1, 2 * dims + 1)]))
    return out + bias.reshape(-1, *[1] * dims)


def pool(x, kernel, stride, pad):
    x = np.pad(x, [(0, 0), *((p, p) for p in pad)], constant_values=-np.inf)
    axes = tuple(range(1, x.ndim))
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel, axis=axes)
    windows = windows[(slice(None), *(slice(None, None, s) for s in stride))]
    return windows.max(axis=tuple(range(x.ndim, windows.ndim)))


def layer(state, trunk, index, x, stride, pad):
    x = conv(x, state[f"{trunk}.{index}.weight"], state[f"{trunk}.{index}.bias"], stride, pad)
    return norm(state, f"{trunk}.{index + 1}", x)


def norm(state, prefix, x):
    shape = (-1, *[1] * (x.ndim - 1))
    weight, bias, mean, var = (
        state[f"{prefix}.{k}"].reshape(shape) for k in ("weight", "bias", "running_mean", "running_var")
    )
    return np.maximum((x - mean) / np.sqrt(var + 1e-5) * weight + bias, 0)


def head(state, name, x):
    x = norm(state, f"{name}.1", state[f"{name}.0.weight"] @ x + state[f"{name}.0.bias"])
    return state[f"{name}.3.weight"] @ x + state[f"{name}.3.bias"]


def lips(state, frames):
    x = frames.transpose(3, 0, 1, 2).astype(np.float32)
    net = "netcnnlip"
    x = pool(layer(state, net, 0, x, (1, 2, 2), (0, 0, 0)), (1, 3, 3), (1, 2, 2), (0, 0, 0))
    x = pool(layer(state, net, 4, x, (1, 2, 2), (0, 1, 1)), (1, 3, 3), (1, 2, 2), (0, 1, 1))
    for index in (8, 11, 14):
        x = layer(state, net, index, x, (1, 1, 1), (0, 1, 1))
    x = layer(state, net, 18, pool(x, (1, 3, 3), (1, 2, 2), (0, 0, 0)), (1, 1, 1), (0, 0, 0))
    return head(state, "netfclip", x.ravel())


def sound(state, mfcc):
    net = "netcnnaud"
    x = layer(state, net, 0, mfcc[None], (1, 1), (1, 1))
    x = pool(layer(state, net, 4, x, (1, 1), (1, 1)), (3, 3), (1, 2), (0, 0))
    for index in (8, 11, 14):
        x = layer(state, net, index, x, (1, 1), (1, 1))
    x = layer(state, net, 18, pool(x, (3, 3), (2, 2), (0, 0)), (1, 1), (0, 0))
    return head(state, "netfcaud", x.ravel())


@pytest.mark.slow
def test_features_are_those_of_the_architecture(state, network):
    random = np.random.default_rng(1)
    frames = random.integers(0, 255, (6, 224, 224, 3), dtype=np.uint8)
    mfcc = random.normal(0, 10, (13, 24)).astype(np.float32)
    video, audio = open_syncnet(network).features(frames, mfcc)
    assert video.shape == audio.shape == (2, 1024)
    for i in range(2):
        expected = lips(state, frames[i : i + 5])
        assert np.abs(video[i] - expected).max() < 1e-4 * np.abs(expected).max()
        expected = sound(state, mfcc[:, 4 * i : 4 * i + 20])
        assert np.abs(audio[i] - expected).max() < 1e-4 * np.abs(expected).max()


@pytest.mark.slow
def test_shapes_of_any_clip(network):
    session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
    for frames, columns in ((5, 20), (5, 23), (7, 24)):
        feeds = {
            "frames": np.zeros((frames, 224, 224, 3), np.uint8),
            "mfcc": np.zeros((1, 1, 13, columns), np.float32),
        }
        audio, video = session.run(["audio_features", "video_features"], feeds)
        assert audio.shape == ((columns - 20) // 4 + 1, 1024)
        assert video.shape == (frames - 4, 1024)
    assert session.get_modelmeta().custom_metadata_map == {
        "penstock.kind": "syncnet",
        "penstock.name": "syncnet-random",
        "penstock.source_sha256": "0" * 64,
    }


@pytest.mark.slow
def test_other_networks_are_refused(state):
    for change, message in (
        (lambda s: s.pop("netfcaud.0.weight"), "no 'netfcaud.0.weight'"),
        (lambda s: s.update({"classifier.weight": np.zeros(3, np.float32)}), "unknown 'classifier.weight'"),
        (lambda s: s.update({"netfcaud.0.bias": np.zeros(7, np.float32)}), r"has shape \(7,\), not \(512,\)"),
        (lambda s: s.update({"netfcaud.0.bias": np.full(512, np.nan, np.float32)}), "not finite numbers"),
        (lambda s: s.update({"netfcaud.0.bias": np.zeros(512, np.int64)}), "not finite numbers"),
        (lambda s: s.update({"netfcaud.1.running_var": np.full(512, -1, np.float32)}), "negative variances"),
        (lambda s: s.clear(), "and 65 more|and [0-9]+ more"),
    ):
        other = dict(state)
        change(other)
        with pytest.raises(UsageError, match=message) as caught:
            check_state(other, where="other.model")
        assert "other.model" in str(caught.value)
    check_state({**state, "netcnnaud.1.num_batches_tracked": np.array(5)}, where="")


def test_only_the_published_checkpoint_has_its_name():
    assert name_for(PUBLISHED_SHA256) == "syncnet"
    assert name_for("0" * 64) == "syncnet-unpublished"


@pytest.mark.slow
def test_its_first_convolution_has_as_many_channels_as_onnx_runtime_is_fast_with(network):
    """Whole blocks of 16; what fills them counts for nothing."""
    weights = {item.name: numpy_helper.to_array(item) for item in onnx.load(network).graph.initializer}
    first = weights["netcnnlip.0.weight"]
    assert first.shape == (96, 16, 7, 7)
    assert np.abs(first[:, :15]).max(axis=(0, 2, 3)).min() > 0
    assert not first[:, 15].any()
