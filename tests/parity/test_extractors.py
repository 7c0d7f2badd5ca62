"""The small extractors that come with the repository: ONNX Runtime against PyTorch and against ONNX's own evaluator.

The networks with published weights are in test_lipsync.py (SyncNet) and test_inception.py. Needs the parity environment
(torch, onnx): its ``python -m pytest tests/parity``.
"""

from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch
from onnx.reference import ReferenceEvaluator
from tests.parity.odd_clips import moving, voice
from torch import nn
from torch.nn import functional
from training import syncnet_model, train_portrait_features
from training.syncnet_data import CROP_LEFT, CROP_SIDE, CROP_TOP, INPUT_SIDE

from penstock.extractors.image_features import ImageFeatures
from penstock.extractors.syncnet import open_syncnet
from penstock.metrics.mfcc import mfcc

RELATIVE = 1e-4
SHIPPED = Path(__file__).parents[2] / "test-assets/extractors"


def shaken(network):
    """Random weights, and batch norms that do something."""
    torch.manual_seed(11)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.5, 2)
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.normal_(0, 0.3)
    return network.eval()


def close(mine, expected):
    assert mine.shape == expected.shape
    assert expected.std() > 1e-3, "the random weights must not kill the signal"
    assert np.abs(mine - expected).max() <= RELATIVE * np.abs(expected).max()
    assert np.linalg.norm(mine - expected) <= RELATIVE * np.linalg.norm(expected)


@pytest.fixture(scope="module")
def clip():
    """Frames and MFCC of the same windows."""
    frames = np.stack(list(moving(11)))
    columns = mfcc(voice(0.6, 16_000)[0])
    return frames, columns[:, : 4 * (len(frames) - 5) + 20]


def test_compact_syncnet(tmp_path, clip):
    network = shaken(syncnet_model.CompactSyncNet())
    (tmp_path / "compact.onnx").write_bytes(syncnet_model.to_onnx(network, 3.0).SerializeToString())
    frames, columns = clip
    lips, sound = open_syncnet(tmp_path / "compact.onnx").features(frames, columns)
    cut = frames[:, CROP_TOP : CROP_TOP + CROP_SIDE, CROP_LEFT : CROP_LEFT + CROP_SIDE]
    with torch.no_grad():
        pixels = torch.from_numpy(np.ascontiguousarray(cut)).permute(0, 3, 1, 2).float()
        small = functional.avg_pool2d(pixels, CROP_SIDE // INPUT_SIDE)
        close(lips, 3.0 * network.pictures(network.codes(small)[None])[0].numpy())
        close(sound, 3.0 * network.sounds(torch.from_numpy(columns)[None])[0].numpy())


@pytest.mark.parametrize(("width", "height"), [(128, 128), (224, 224), (97, 161), (300, 40)])
def test_portrait_features(tmp_path, width, height):
    network = shaken(train_portrait_features.PortraitFeatures())
    (tmp_path / "portrait.onnx").write_bytes(train_portrait_features.export(network).SerializeToString())
    frames = list(moving(3, width, height))
    with torch.no_grad():
        pixels = torch.from_numpy(np.stack([cv2.cvtColor(frame, cv2.COLOR_BGR2RGB) for frame in frames]))
        sized = functional.interpolate(pixels.permute(0, 3, 1, 2).float(), (128, 128), mode="bilinear")
        expected = network((sized - 128) / 128).numpy()
    close(ImageFeatures.load(tmp_path / "portrait.onnx").features(frames), expected)


def test_the_shipped_syncnet_under_onnxs_own_evaluator(clip):
    """Plain numpy, written for clarity by ONNX's authors; the weights are those that are shipped."""
    frames, columns = clip
    lips, sound = open_syncnet(SHIPPED / "syncnet-compact.onnx").features(frames, columns)
    evaluator = ReferenceEvaluator(onnx.load(SHIPPED / "syncnet-compact.onnx"))
    feeds = {"frames": frames, "mfcc": columns[None, None]}
    expected = evaluator.run(["video_features", "audio_features"], feeds)
    close(lips, expected[0])
    close(sound, expected[1])
