"""ONNX Runtime loads a real network, computes what it says, and names what it cannot load."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from tests.unit.extractors.tiny_networks import tiny_syncnet

from penstock.extractors.backend import ADVICE_WEIGHTS, Tensor
from penstock.extractors.onnxruntime_backend import CPU, OnnxRuntime, SessionNetwork, open_session
from penstock.foundation.errors import UsageError, WorldError

RANDOM = np.random.default_rng(0)
FRAMES = RANDOM.integers(0, 255, (6, 224, 224, 3), dtype=np.uint8)
MFCC = RANDOM.normal(size=(1, 1, 13, 24)).astype(np.float32)


@pytest.fixture(scope="module")
def network() -> SessionNetwork:
    return OnnxRuntime().load(tiny_syncnet().SerializeToString(), where="tiny.onnx", threads=1)


def test_inputs_and_outputs_are_as_the_file_has_them(network: SessionNetwork) -> None:
    assert network.inputs == {
        "mfcc": Tensor("tensor(float)", (1, 1, 13, "open")),
        "frames": Tensor("tensor(uint8)", ("open", 224, 224, 3)),
    }
    assert network.outputs == {
        "audio_features": Tensor("tensor(float)", ("open", 1)),
        "video_features": Tensor("tensor(float)", ("open", 1)),
    }


def test_outputs_come_in_the_order_asked_for(network: SessionNetwork) -> None:
    video, audio = network.run({"frames": FRAMES, "mfcc": MFCC}, ["video_features", "audio_features"])
    means = FRAMES.mean(axis=(1, 2, 3))
    assert video.dtype == audio.dtype == np.float32
    assert video.ravel() == pytest.approx([means[:5].mean(), means[1:].mean()], rel=1e-5)
    assert audio.ravel() == pytest.approx([MFCC[..., :20].mean(), MFCC[..., 4:].mean()], abs=1e-5)
    (alone,) = network.run({"frames": FRAMES, "mfcc": MFCC}, ["audio_features"])
    assert np.array_equal(alone, audio)


def test_threads_get_arrays_of_their_own(network: SessionNetwork) -> None:
    def audio(index: int) -> list[float]:
        (found,) = network.run({"frames": FRAMES, "mfcc": MFCC + np.float32(index)}, ["audio_features"])
        return [float(value) for value in found.ravel()]

    alone = [audio(index) for index in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(audio, range(4))) == alone


@pytest.mark.parametrize("threads", [None, 1, 2])
def test_a_session_is_on_the_cpu_and_its_threads_sleep(threads: int | None) -> None:
    session = open_session(tiny_syncnet().SerializeToString(), "tiny.onnx", threads, CPU, {})
    assert session.get_providers() == [CPU]
    options = session.get_session_options()
    assert options.intra_op_num_threads == (threads or len(os.sched_getaffinity(0)))
    assert options.inter_op_num_threads == 1
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"


def test_what_it_cannot_load_is_the_files_fault() -> None:
    with pytest.raises(UsageError, match="ONNX Runtime cannot load this file") as caught:
        OnnxRuntime().load(b"no network", where="x.onnx", threads=1)
    assert (caught.value.where, caught.value.todo) == ("x.onnx", ADVICE_WEIGHTS)


def test_a_provider_that_is_not_there_is_not_replaced_silently() -> None:
    with pytest.raises(WorldError, match="ONNX Runtime has no NoSuchProvider here") as caught:
        open_session(tiny_syncnet().SerializeToString(), "tiny.onnx", 1, "NoSuchProvider", {})
    assert caught.value.where == "tiny.onnx"
