"""The compact SyncNet on held-out talkers: committed speech of held-out voices, faces that are drawn here."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import onnx
import pytest
import soundfile
from training.face import Face
from training.talker import render
from training.visemes import defective

from penstock.extractors.syncnet import SyncNet, open_syncnet
from penstock.metrics.lipsync import LipSync, compare, score_lipsync
from penstock.metrics.mfcc import mfcc

ASSETS = Path(__file__).resolve().parents[2] / "test-assets"
MODEL = ASSETS / "extractors" / "syncnet-compact.onnx"
UTTERANCES = sorted((ASSETS / "speech").glob("held-out-*.flac"))
FACE_SEEDS = (1_200_001, 1_200_002)  # training draws its faces from seeds below 900 000


@cache
def extractor() -> SyncNet:
    return open_syncnet(MODEL, threads=1)


def speech(path: Path) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.float32]]:
    samples, rate = soundfile.read(path, dtype="int16")
    assert rate == 16_000
    with np.load(path.with_suffix(".npz")) as held:
        return samples, held["track"]


def jpeg(frames: npt.NDArray[np.uint8], quality: int = 85) -> npt.NDArray[np.uint8]:
    level = [cv2.IMWRITE_JPEG_QUALITY, quality]
    decoded = [cv2.imdecode(cv2.imencode(".jpg", frame, level)[1], cv2.IMREAD_COLOR) for frame in frames]
    return np.stack([np.asarray(frame, np.uint8) for frame in decoded])


def talker(track: npt.NDArray[np.float32], seed: int, mouth_blur: float = 0.0) -> npt.NDArray[np.uint8]:
    face = Face.random(np.random.default_rng(seed), style="warped" if seed % 2 else "drawn")
    return jpeg(render(face, track, np.random.default_rng(seed + 7), mouth_blur=mouth_blur))


def versions(samples: npt.NDArray[np.int16], frames: npt.NDArray[np.uint8]) -> tuple[LipSync, LipSync, LipSync]:
    """In sync, sound 3 frames late, sound 3 frames early; the features of a window do not depend on its place."""
    columns = mfcc(samples)
    usable = min(len(frames), (columns.shape[1] - 20) // 4 + 5)
    lips, sound = extractor().features(frames[:usable], columns)
    return compare(lips, sound), compare(lips[3:], sound[:-3]), compare(lips[:-3], sound[3:])


@pytest.mark.parametrize("seed", FACE_SEEDS)
def test_in_sync_is_told_from_three_frames_off(seed: int) -> None:
    assert len(UTTERANCES) >= 10
    told = 0
    for number, path in enumerate(UTTERANCES):
        samples, track = speech(path)
        in_sync, late, early = versions(samples, talker(track, seed + 10 * number))
        told += (
            abs(in_sync.offset_frames) <= 1 and abs(late.offset_frames + 3) <= 1 and abs(early.offset_frames - 3) <= 1
        )
    assert told >= 0.95 * len(UTTERANCES)


def test_worse_lips_have_a_larger_distance() -> None:
    changes = []
    for number, path in enumerate(UTTERANCES[:5]):
        samples, track = speech(path)
        good = score_lipsync(talker(track, 1_300_000 + number), samples, extractor())
        worse = defective(track, lag=1.5)
        bad = score_lipsync(talker(worse, 1_300_000 + number, mouth_blur=2.0), samples, extractor())
        changes.append(bad.lse_d / good.lse_d - 1)
    assert np.mean(changes) > 0.05
    assert np.mean(np.array(changes) > 0) >= 0.8


def test_foreign_sound_has_low_confidence() -> None:
    samples, track = speech(UTTERANCES[0])
    frames = talker(track, 1_400_001)
    own = score_lipsync(frames, samples, extractor())
    foreign = score_lipsync(frames, samples[::-1].copy(), extractor())
    assert own.lse_c > 2 * foreign.lse_c
    assert own.lse_d < foreign.lse_d


def test_file_keeps_the_interface_and_its_size() -> None:
    model = onnx.load(MODEL)
    onnx.checker.check_model(model, full_check=True)
    assert {prop.key: prop.value for prop in model.metadata_props} == {
        "penstock.kind": "syncnet",
        "penstock.name": "syncnet-compact",
    }
    assert [(entry.domain, entry.version <= 21) for entry in model.opset_import] == [("", True)]
    assert MODEL.stat().st_size < 4_000_000


def test_card_names_the_file_that_is_there() -> None:
    digest = extractor().label.partition("sha256:")[2]
    assert digest
    assert digest in MODEL.with_suffix(".md").read_text(encoding="utf-8")


def test_each_window_stands_alone() -> None:
    samples, track = speech(UTTERANCES[1])
    frames = talker(track[:30], 1_500_000)
    columns = mfcc(samples)
    lips, sound = extractor().features(frames, columns)
    later_lips, later_sound = extractor().features(frames[7:], columns[:, 28:])
    np.testing.assert_allclose(lips[7:], later_lips, atol=2e-3)
    np.testing.assert_allclose(sound[7:], later_sound, atol=2e-3)
