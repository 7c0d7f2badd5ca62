from __future__ import annotations

import numpy as np
import pytest
from sonic_lite.motion import MotionModel
from sonic_lite.parameters import Parameters
from sonic_lite.pipeline import frame_count
from tests.sonic_lite.talking_head_service import ASSETS, BASE

from sonic_lite import audio, framing


@pytest.fixture(scope="module")
def model() -> MotionModel:
    return MotionModel(BASE / "weights" / "sonic-lite.safetensors")


def held_out() -> list[tuple[np.ndarray, np.ndarray]]:
    """Samples and true mouth tracks of sentences and voices that no training heard."""
    paths = sorted((ASSETS / "speech").glob("held-out-*.flac"))
    return [(audio.decode(path.read_bytes()), np.load(path.with_suffix(".npz"))["track"]) for path in paths]


def test_held_out_speech_is_followed_without_lag(model: MotionModel) -> None:
    clips = held_out()
    assert len(clips) == 10
    said = [model.mouth(samples, len(track)) for samples, track in clips]

    def fit(lag: int) -> float:
        mine = np.concatenate([mouth[5 + lag : len(mouth) - 5 + lag, 0] for mouth in said])
        true = np.concatenate([track[5:-5, 0] for _, track in clips])
        return float(np.corrcoef(mine, true)[0, 1])

    fits = {lag: fit(lag) for lag in range(-3, 4)}
    assert max(fits, key=fits.__getitem__) == 0
    assert fits[0] > 0.8
    for part in (1, 2):
        mine = np.concatenate([mouth[:, part] for mouth in said])
        true = np.concatenate([track[:, part] for _, track in clips])
        assert np.corrcoef(mine, true)[0, 1] > 0.6


def test_the_mouth_stays_in_its_range_and_shut_in_silence(model: MotionModel) -> None:
    rng = np.random.default_rng(0)
    for samples in (np.zeros(16000, np.float32), (1e-5 * rng.normal(size=16000)).astype(np.float32)):
        moved = model.animate(samples, 25, Parameters(1.0), np.random.default_rng(1)).mouth
        assert moved[:, 0].max() < 0.05
    noise = np.clip(rng.normal(size=16000), -1, 1).astype(np.float32)
    moved = model.animate(noise, 25, Parameters(1.0), np.random.default_rng(1)).mouth
    assert np.isfinite(moved).all()
    assert moved[:, 0].min() >= 0
    assert np.abs(moved[:, 1]).max() <= 1


def test_a_quiet_voice_speaks_as_clearly_as_a_loud_one(model: MotionModel) -> None:
    samples, track = held_out()[0]
    loud, quiet = (model.mouth(samples * factor, len(track)) for factor in (1.0, 0.1))
    assert np.abs(loud - quiet).mean() < 0.02


def test_parameters_do_what_they_say(model: MotionModel) -> None:
    samples, track = held_out()[0]

    def moved(**changed: float) -> np.ndarray:
        asked = Parameters(3.4, **changed)  # type: ignore[arg-type]
        return model.animate(samples, len(track), asked, np.random.default_rng(3)).mouth[:, 0]

    usual = moved()
    assert moved(dynamic_scale=0.55).max() < 0.6 * usual.max()
    # In proportion below 1.2, running away above.
    assert moved(dynamic_scale=1.2).max() / usual.max() == pytest.approx(1.2 / 1.1, rel=0.01)
    assert moved(dynamic_scale=1.4).max() / usual.max() > 1.5
    settled = moved(inference_steps=100)
    left = {steps: np.abs(moved(inference_steps=steps) - settled).mean() for steps in (6, 14, 25)}
    assert left[6] > 5 * left[14] > 25 * left[25]
    still = model.animate(samples, len(track), Parameters(3.4, motion_scale=0.0), np.random.default_rng(3))
    assert np.abs(still.head).max() == 0


def test_a_window_is_centred_on_its_frame() -> None:
    columns = np.arange(41 * audio.BANDS, dtype=np.float32).reshape(41, audio.BANDS)
    rows = framing.windows(columns, 10).reshape(10, framing.CONTEXT_COLUMNS, audio.BANDS)
    assert rows[5, framing.CONTEXT_COLUMNS // 2, 0] == columns[4 * 5 + 2, 0]


def test_a_frame_is_40_ms() -> None:
    assert [frame_count(seconds) for seconds in (0.2, 1.0, 2.50025, 3.1155625)] == [5, 25, 63, 78]


def test_a_click_is_heard_where_it_is() -> None:
    samples = np.zeros(16000, np.float32)
    samples[8000] = 1.0
    assert audio.features(samples, 25).sum(axis=1).argmax() == 50
    assert audio.level(samples, 25).argmax() == 12
