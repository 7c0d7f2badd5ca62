"""A SyncNet as extractor: its label, its features, its interface."""

import hashlib

import numpy as np
import pytest
from onnx import numpy_helper
from tests.unit.extractors.tiny_networks import saved, tiny_syncnet

from penstock.extractors.syncnet import open_syncnet
from penstock.foundation.errors import UsageError, WorldError


def test_label_and_features(tmp_path):
    path = saved(tmp_path / "tiny.onnx", tiny_syncnet())
    network = open_syncnet(path)
    assert network.label == f"tiny@sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    random = np.random.default_rng(0)
    frames = random.integers(0, 255, (30, 224, 224, 3), dtype=np.uint8)
    mfcc = random.normal(size=(13, 4 * 25 + 20)).astype(np.float32)
    lips, sound = network.features(frames, mfcc)
    means = frames.reshape(30, -1).mean(axis=1)
    assert lips[:, 0] == pytest.approx([means[i : i + 5].mean() for i in range(26)], rel=1e-4)
    assert sound[:, 0] == pytest.approx([mfcc[:, 4 * i : 4 * i + 20].mean() for i in range(26)], abs=1e-5)
    with pytest.raises(ValueError, match="5 or more"):
        network.features(frames[:4], mfcc)


def test_a_network_that_does_not_keep_its_interface(tmp_path):
    frames = np.zeros((12, 224, 224, 3), np.uint8)
    mfcc = np.zeros((13, 60), np.float32)
    wrong = open_syncnet(saved(tmp_path / "step.onnx", tiny_syncnet(audio_step=8)))
    with pytest.raises(UsageError, match="the extractor answered"):
        wrong.features(frames, mfcc)
    endless = tiny_syncnet()
    window = numpy_helper.from_array(np.full((1, 1, 13, 20), np.inf, np.float32), "window")
    endless.graph.initializer[0].CopyFrom(window)
    with pytest.raises(UsageError, match="'audio_features' holds NaN or infinity"):
        open_syncnet(saved(tmp_path / "inf.onnx", endless)).features(frames, mfcc)
    wrong_shape = tiny_syncnet()
    wrong_shape.graph.initializer[3].CopyFrom(numpy_helper.from_array(np.array([1, 1, 7, 1], np.int64), "row"))
    with pytest.raises(UsageError, match="the extractor failed"):
        open_syncnet(saved(tmp_path / "shape.onnx", wrong_shape)).features(frames, mfcc)


def test_a_card_that_is_not_there(tmp_path):
    import onnxruntime

    path = saved(tmp_path / "tiny.onnx", tiny_syncnet())
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        assert open_syncnet(path, arithmetic="f32-cuda").label.startswith("tiny@")
    else:
        with pytest.raises(WorldError, match="CUDAExecutionProvider"):
            open_syncnet(path, arithmetic="f32-cuda")
