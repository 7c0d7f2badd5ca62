"""OpenVINO gives ONNX Runtime's numbers in f32, the same from every thread, and bf16 only where it is bf16."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from onnx import helper, numpy_helper
from tests.unit.extractors.tiny_networks import saved, tiny_syncnet

from penstock.extractors.image_features import ImageFeatures
from penstock.extractors.openvino_backend import OpenVino
from penstock.extractors.precision import why_no_bf16
from penstock.extractors.shipped import shipped_file
from penstock.extractors.syncnet import open_syncnet
from penstock.foundation.errors import UsageError, WorldError

RANDOM = np.random.default_rng(0)
FRAMES = RANDOM.integers(0, 255, (11, 224, 224, 3), dtype=np.uint8)
MFCC = RANDOM.normal(size=(13, 4 * 6 + 20)).astype(np.float32)


def near(found, expected, share: float) -> bool:
    return bool(np.abs(found - expected).max() <= share * np.abs(expected).max())


@pytest.mark.slow
def test_f32_is_onnx_runtimes_f32() -> None:
    file = shipped_file("syncnet-compact")
    ours, theirs = open_syncnet(file, arithmetic="f32-openvino"), open_syncnet(file)
    assert ours.label == f"{theirs.label}+f32-openvino"
    for found, expected in zip(ours.features(FRAMES, MFCC), theirs.features(FRAMES, MFCC), strict=True):
        assert found.dtype == np.float32
        assert near(found, expected, 1e-5)


def test_an_output_that_has_two_names_in_the_file(tmp_path: Path) -> None:
    twice = tiny_syncnet()
    for node in twice.graph.node:
        node.output[:] = ["lips_inside" if name == "video_features" else name for name in node.output]
    twice.graph.node.append(helper.make_node("Identity", ["lips_inside"], ["video_features"]))
    path = saved(tmp_path / "twice.onnx", twice)
    for found, expected in zip(
        open_syncnet(path, arithmetic="f32-openvino").features(FRAMES, MFCC),
        open_syncnet(path).features(FRAMES, MFCC),
        strict=True,
    ):
        assert near(found, expected, 1e-5)


@pytest.mark.slow
def test_features_of_pictures_too() -> None:
    file = shipped_file("portrait-features")
    ours, theirs = ImageFeatures.load(file, arithmetic="f32-openvino"), ImageFeatures.load(file)
    assert near(ours.features(FRAMES), theirs.features(FRAMES), 1e-5)


@pytest.mark.slow
def test_threads_that_share_a_network_get_the_same_numbers() -> None:
    network = open_syncnet(shipped_file("syncnet-compact"), threads=1, arithmetic="f32-openvino")
    alone = [network.features(FRAMES[start:], MFCC) for start in range(4)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda start: network.features(FRAMES[start:], MFCC), [0, 1, 2, 3] * 3))
    for index, found in enumerate(together):
        assert all(np.array_equal(one, other) for one, other in zip(found, alone[index % 4], strict=True))


@pytest.mark.slow
def test_bf16_that_would_be_f32_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "tiny.onnx", tiny_syncnet())
    if why_no_bf16():
        with pytest.raises(WorldError, match="computes in f32 here, not in bf16"):
            open_syncnet(path, arithmetic="bf16-openvino")
        return
    file = shipped_file("syncnet-compact")
    exact = open_syncnet(file).features(FRAMES, MFCC)
    rounded = open_syncnet(file, arithmetic="bf16-openvino").features(FRAMES, MFCC)
    for found, expected in zip(rounded, exact, strict=True):
        # 3.3e-2 and 2.5e-3 on AVX-512 BF16: each layer rounds to 2^-9
        assert np.linalg.norm(found - expected) < 6e-2 * np.linalg.norm(expected)
        assert not np.array_equal(found, expected)


def test_what_it_cannot_load_or_run_is_the_files_fault(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="OpenVINO cannot load this file"):
        OpenVino("f32").load(b"no network", where="x.onnx", threads=1)
    wrong = tiny_syncnet()
    wrong.graph.initializer[3].CopyFrom(numpy_helper.from_array(np.array([1, 1, 7, 1], np.int64), "row"))
    with pytest.raises(UsageError, match=r"shape\.onnx"):
        open_syncnet(saved(tmp_path / "shape.onnx", wrong), arithmetic="f32-openvino").features(FRAMES, MFCC)


def test_an_input_of_another_type_is_not_converted(tmp_path: Path) -> None:
    network = OpenVino("f32").load(tiny_syncnet().SerializeToString(), where="tiny.onnx", threads=1)
    feeds = {"frames": FRAMES.astype(np.float32), "mfcc": MFCC[None, None]}
    with pytest.raises(UsageError, match="'frames' is float32"):
        network.run(feeds, ["video_features"])


@pytest.mark.slow
def test_importing_it_reports_to_nobody(tmp_path: Path) -> None:
    code = (
        "import sys; import penstock.extractors.openvino_backend; "
        "assert sys.modules['openvino_telemetry'] is None; assert not [m for m in sys.modules if 'telemetry.' in m]"
    )
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "HOME": str(tmp_path)}, check=True)
    assert not list(tmp_path.iterdir())
