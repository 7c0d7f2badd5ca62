from __future__ import annotations

import subprocess
import sys
import time
import urllib.error
from pathlib import Path

import av
import make_repository
import numpy as np
import pytest
from tests.sonic_lite.talking_head_service import ASSETS, SPEECH_S, Running, ask, form

# Runs in the release's own directory, so that each has its own modules.
GENERATE = """
import sys
from pathlib import Path
import numpy as np
from sonic_lite import audio
from sonic_lite.parameters import Parameters
from sonic_lite.pipeline import Pipeline
image, sound, duration, out = sys.argv[1:]
pipeline = Pipeline(Path("."))
asked = Parameters(float(duration), min_resolution=128)
samples = audio.decode(Path(sound).read_bytes())
motion = pipeline._motion.animate(samples, 60, asked, np.random.default_rng(0))
np.save(out + ".npy", motion.mouth)
Path(out + ".mp4").write_bytes(pipeline.generate(Path(image).read_bytes(), Path(sound).read_bytes(), asked))
"""


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    manifest = make_repository.read_manifest("sonic-lite")
    found = {}
    for release in manifest.releases:
        found[release.tag] = tmp_path_factory.mktemp(release.tag)
        make_repository.stage(manifest, release, found[release.tag])
    return found


@pytest.fixture(scope="module")
def made(trees: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[bytes, np.ndarray]]:
    """Release → its video and the movement of its mouth, for the same speech."""
    out = tmp_path_factory.mktemp("videos")
    arguments = [str(ASSETS / "portraits" / "drawn-01.png"), str(ASSETS / "speech" / "en-gb-f5-01.flac"), str(SPEECH_S)]
    tags = ("v1.0.0", "v1.0.1-desync", "v1.0.2-duration", "v1.0.5", "v1.1.0", "v1.2.0")
    running = []
    for tag in tags:
        command = [sys.executable, "-B", "-c", GENERATE, *arguments, str(out / tag)]
        running.append(subprocess.Popen(command, cwd=trees[tag]))
    assert [process.wait(timeout=60) for process in running] == [0] * len(tags)
    return {tag: ((out / f"{tag}.mp4").read_bytes(), np.load(out / f"{tag}.npy")) for tag in tags}


def pictures_of(video: bytes, path: Path) -> list[np.ndarray]:
    """The luma of each frame, float64 ``(128, 128)``."""
    path.write_bytes(video)
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="gray").astype(np.float64) for frame in container.decode(video=0)]


def frames_of(video: bytes, path: Path) -> int:
    return len(pictures_of(video, path))


def detail(pictures: list[np.ndarray]) -> float:
    """Mean squared difference of neighbouring pixels."""
    return float(np.mean([np.mean(np.diff(picture, axis=1) ** 2) for picture in pictures]))


def test_the_good_candidate_gives_the_same_video(made: dict[str, tuple[bytes, np.ndarray]]) -> None:
    assert made["v1.0.5"][0] == made["v1.0.0"][0]


def test_the_desynced_release_trails_by_exactly_three_frames(made: dict[str, tuple[bytes, np.ndarray]]) -> None:
    good, late = made["v1.0.0"][1][:, 0], made["v1.0.1-desync"][1][:, 0]
    fits = {lag: float(np.corrcoef(good[8:-8], late[8 + lag : len(late) - 8 + lag])[0, 1]) for lag in range(-6, 7)}
    assert max(fits, key=fits.__getitem__) == 3
    assert fits[3] > 0.8 > fits[0] + 0.2


def test_the_wrong_duration_is_wrong(made: dict[str, tuple[bytes, np.ndarray]], tmp_path: Path) -> None:
    assert abs(frames_of(made["v1.0.0"][0], tmp_path / "a.mp4") / 25 - SPEECH_S) <= 0.02
    assert abs(frames_of(made["v1.0.2-duration"][0], tmp_path / "b.mp4") / 25 - SPEECH_S) > 0.4


def test_the_smoother_release_lags_and_damps(made: dict[str, tuple[bytes, np.ndarray]]) -> None:
    good, smooth = made["v1.0.0"][1][:, 0], made["v1.1.0"][1][:, 0]
    assert smooth.std() < 0.9 * good.std()
    assert np.abs(np.diff(smooth)).mean() < 0.8 * np.abs(np.diff(good)).mean()
    ahead, behind = (float(np.corrcoef(good[4:-4], smooth[4 + lag : len(smooth) - 4 + lag])[0, 1]) for lag in (-1, 1))
    assert behind > ahead + 0.2


def test_the_better_release_is_sharper_and_its_lips_move_as_in_the_first(
    made: dict[str, tuple[bytes, np.ndarray]], tmp_path: Path
) -> None:
    first, better = (pictures_of(made[tag][0], tmp_path / f"{tag}.mp4") for tag in ("v1.0.0", "v1.2.0"))
    assert len(better) == len(first)
    assert 1.1 * detail(first) < detail(better) < 3 * detail(first)
    good, clear = made["v1.0.0"][1][:, 0], made["v1.2.0"][1][:, 0]
    assert np.abs(np.diff(clear)).mean() > 1.02 * np.abs(np.diff(good)).mean()
    fits = {lag: float(np.corrcoef(good[4:-4], clear[4 + lag : len(clear) - 4 + lag])[0, 1]) for lag in range(-3, 4)}
    assert max(fits, key=fits.__getitem__) == 0
    assert fits[0] > 0.98


def test_the_crashing_release_dies_of_a_long_recording_only(trees: dict[str, Path], tmp_path: Path) -> None:
    """Of the suite's own cases some pass and some do not."""
    tree = trees["v1.0.3-crash"]
    image = (tree / "suite" / "portraits" / "drawn-01.png").read_bytes()
    running = Running(tree, tmp_path)
    try:
        running.wait_ready()

        def generate(name: str, duration: str) -> int:
            sound = (tree / "suite" / "speech" / f"{name}.flac").read_bytes()
            body = form({"duration": duration, "min_resolution": "256"}, {"image": image, "audio": sound})
            return ask(f"{running.url}/generate", body).status

        assert generate("de-f3-1", "1.52") == 200
        with pytest.raises((urllib.error.URLError, ConnectionError)):
            generate("de-f3-2", "1.64")
        assert running.process.wait(timeout=10) < 0  # a signal ended it
    finally:
        running.stop()


def test_the_silent_release_accepts_and_never_answers(trees: dict[str, Path], tmp_path: Path) -> None:
    running = Running(trees["v1.0.4-silent"], tmp_path)
    try:
        answers = []
        for _ in range(600):
            try:
                answers.append(ask(f"{running.url}/healthz", timeout=3).status)
            except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
                if isinstance(getattr(error, "reason", error), TimeoutError):
                    break
            assert running.process.poll() is None, running.log.read_text()
            time.sleep(0.05)
        else:
            raise AssertionError("every question was answered or refused")
        assert 200 not in answers
        assert running.process.poll() is None
    finally:
        running.stop()
