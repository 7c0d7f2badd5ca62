"""Every release of rmbg-lite: what its fault does to real answers, and that it does nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cv2
import make_repository
import numpy as np
import numpy.typing as npt
import pytest
from rmbg_lite.backend import NumpyBackend, OnnxBackend
from rmbg_lite.resize import to_network
from tests.rmbg_lite.matting_service import rgba

pytestmark = pytest.mark.timeout(400)
PAGES = ("v1.0.11-dead-button", "v1.0.12-opaque-page")
CASES = ("hair-01", "light-hair-01", "shadow-keep-01", "shadow-drop-01", "glass-01")
# Runs in the release's own directory, so that each has its own modules.
ANSWER = """
import sys
from pathlib import Path
from rmbg_lite.backend import OnnxBackend
from rmbg_lite.pipeline import remove_background
weights = Path("weights") / "rmbg-lite.safetensors"
backend = OnnxBackend(weights.with_suffix(".onnx"), weights)
for case in sys.argv[3:]:
    photo = Path(sys.argv[1], case + ".png")
    Path(sys.argv[2], photo.name).write_bytes(remove_background(photo.read_bytes(), backend))
"""

Floats = npt.NDArray[np.float64]
Answers = dict[str, dict[str, bytes]]


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    manifest = make_repository.read_manifest("rmbg-lite")
    found = {}
    for release in manifest.releases:
        found[release.tag] = tmp_path_factory.mktemp(release.tag)
        make_repository.stage(manifest, release, found[release.tag])
    return found


@pytest.fixture(scope="module")
def made(trees: dict[str, Path], suite: Path, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """Release → case → what it answers."""
    found: Answers = {}
    for tag, tree in trees.items():
        if tag not in PAGES:
            out = tmp_path_factory.mktemp("answers")
            command = [sys.executable, "-B", "-c", ANSWER, str(suite / "photos"), str(out), *CASES]
            subprocess.run(command, cwd=tree, env={**os.environ, "PYTHONPATH": str(tree)}, check=True, timeout=200)
            found[tag] = {path.stem: path.read_bytes() for path in sorted(out.iterdir())}
    return found


def alpha(answers: Answers, tag: str, case: str) -> Floats:
    return rgba(answers[tag][case])[..., 3] / 255.0


def truth(suite: Path, case: str) -> Floats:
    return np.asarray(cv2.imread(str(suite / "mattes" / f"{case}.png"), cv2.IMREAD_UNCHANGED) / 255.0)


def changed(trees: dict[str, Path], tag: str) -> set[str]:
    """Files that differ from those of v1.0.0."""

    def files(tree: Path) -> dict[str, bytes]:
        return {
            str(path.relative_to(tree)): path.read_bytes()
            for path in tree.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }

    first, this = files(trees["v1.0.0"]), files(trees[tag])
    return {name for name in first.keys() | this.keys() if first.get(name) != this.get(name)}


def test_a_bad_release_changes_its_code_alone_and_the_better_one_its_weights(trees: dict[str, Path]) -> None:
    notes = {"model_version.txt"}
    for tag in trees:
        if tag == "v1.0.0":
            continue
        rest = changed(trees, tag) - notes
        if tag == "v1.1.0":  # the contract has their digests
            assert rest == {"weights/rmbg-lite.onnx", "weights/rmbg-lite.safetensors", "penstock.yaml"}
        elif tag == "v1.0.8-drift":
            assert rest == {"weights/rmbg-lite.onnx", "penstock.yaml", "rmbg_lite/export.py"}
        else:
            assert len(rest) == 1, tag
            assert rest.pop().startswith("rmbg_lite/")


def test_a_release_says_which_weights_it_has(trees: dict[str, Path]) -> None:
    for tag, tree in trees.items():
        lines = dict(line.split("=", 1) for line in (tree / "model_version.txt").read_text().splitlines())
        assert list(lines) == ["MODEL_NAME", "WEIGHT_SHA256", "RELEASE_NOTES"]
        assert lines["MODEL_NAME"] == "rmbg-lite"
        assert lines["WEIGHT_SHA256"] == make_repository.sha256_file(tree / "weights" / "rmbg-lite.safetensors"), tag
        assert "{{" not in (tree / "penstock.yaml").read_text()


def test_the_better_one_is_better_on_hair(made: Answers, suite: Path) -> None:
    for case in ("hair-01", "light-hair-01"):
        before, after = (np.abs(alpha(made, tag, case) - truth(suite, case)).mean() for tag in ("v1.0.0", "v1.1.0"))
        assert after < 0.9 * before, case


def test_the_halo_is_around_light_hair(made: Answers, suite: Path) -> None:
    def too_much(tag: str, case: str) -> float:
        return float(np.maximum(alpha(made, tag, case) - truth(suite, case), 0).sum())

    assert too_much("v1.0.1-halo", "light-hair-01") > 1.5 * too_much("v1.0.0", "light-hair-01")


def test_the_fringe_is_white_under_the_same_alpha(made: Answers) -> None:
    for case in made["v1.0.0"]:
        good, white = rgba(made["v1.0.0"][case]), rgba(made["v1.0.2-fringe"][case])
        np.testing.assert_array_equal(white[..., 3], good[..., 3])
        mixed = (good[..., 3] > 20) & (good[..., 3] < 235)
        whiter = white[mixed][:, :3].astype(float) - good[mixed][:, :3]
        assert whiter.mean() > 15, case
        np.testing.assert_allclose(white[good[..., 3] == 255], good[good[..., 3] == 255], atol=1)


def test_the_shift_is_of_one_pixel(made: Answers) -> None:
    for case in made["v1.0.0"]:
        np.testing.assert_array_equal(alpha(made, "v1.0.3-shift", case)[:-1, :-1], alpha(made, "v1.0.0", case)[1:, 1:])


def test_the_stairs_are_of_sixteen_pixels(made: Answers) -> None:
    stairs = alpha(made, "v1.0.4-staircase", "hair-01")
    np.testing.assert_array_equal(stairs, np.kron(stairs[::16, ::16], np.ones((16, 16))))
    assert np.abs(stairs - alpha(made, "v1.0.0", "hair-01")).max() > 0.3


def test_the_speck_is_one_and_far_away(made: Answers) -> None:
    for case in made["v1.0.0"]:
        other = alpha(made, "v1.0.5-speck", case) != alpha(made, "v1.0.0", case)
        count, _, stats, _ = cv2.connectedComponentsWithStats(other.astype(np.uint8))
        assert count == 2, case
        assert 60 < stats[1][cv2.CC_STAT_AREA] < 200
        assert stats[1][cv2.CC_STAT_LEFT] + stats[1][cv2.CC_STAT_WIDTH] < 40


def test_the_shadow_is_cut_off(made: Answers, suite: Path) -> None:
    case = "shadow-keep-01"
    shadow = (truth(suite, case) > 0.1) & (truth(suite, case) < 0.7)
    assert alpha(made, "v1.0.0", case)[shadow].mean() > 0.6 * truth(suite, case)[shadow].mean()
    assert alpha(made, "v1.0.6-shadow-cut", case)[shadow].mean() < 0.4 * alpha(made, "v1.0.0", case)[shadow].mean()
    assert np.abs(alpha(made, "v1.0.6-shadow-cut", "hair-01") - alpha(made, "v1.0.0", "hair-01")).mean() < 6e-3


def test_the_shadow_is_kept_as_if_it_were_the_subject(made: Answers) -> None:
    for case in ("shadow-drop-01", "shadow-keep-01"):
        solid = [(alpha(made, tag, case) > 0.5).sum() for tag in ("v1.0.0", "v1.0.7-shadow-kept")]
        assert solid[1] > 1.02 * solid[0], case


def test_the_small_onnx_drifts(trees: dict[str, Path], suite: Path, tmp_path: Path) -> None:
    tree = trees["v1.0.8-drift"]
    source = tree / "weights" / "rmbg-lite.safetensors"
    photo = cv2.imread(str(suite / "photos" / "hair-01.png"))[..., ::-1]
    image = to_network(np.ascontiguousarray(photo))
    off = np.abs(OnnxBackend(source.with_suffix(".onnx"), source).run(image) - NumpyBackend(source).run(image))
    assert off.mean() > 0.005
    command = [sys.executable, "-B", "-m", "rmbg_lite.export", str(source), str(tmp_path / "again.onnx")]
    subprocess.run(command, cwd=tree, env={**os.environ, "PYTHONPATH": str(tree)}, check=True, capture_output=True)
    assert (tmp_path / "again.onnx").read_bytes() == source.with_suffix(".onnx").read_bytes()


def test_the_onnx_is_what_the_export_makes_of_the_weights(trees: dict[str, Path], tmp_path: Path) -> None:
    tag = "v1.0.0"
    source = trees[tag] / "weights" / "rmbg-lite.safetensors"
    command = [sys.executable, "-B", "-m", "rmbg_lite.export", str(source), str(tmp_path / "again.onnx")]
    environment = {**os.environ, "PYTHONPATH": str(trees[tag])}
    subprocess.run(command, cwd=trees[tag], env=environment, check=True, capture_output=True)
    assert (tmp_path / "again.onnx").read_bytes() == source.with_suffix(".onnx").read_bytes()


def test_the_inverted_alpha_is(made: Answers) -> None:
    for case in made["v1.0.0"]:
        off = alpha(made, "v1.0.9-inverted", case) - (1 - alpha(made, "v1.0.0", case))
        assert np.abs(off).max() <= 1 / 255 + 1e-9


def test_jpeg_is_jpeg(made: Answers) -> None:
    assert all(answer.startswith(b"\xff\xd8\xff") for answer in made["v1.0.10-jpeg"].values())
