"""Every release of face-lite: what its fault does to real answers, and that it does nothing else."""

from __future__ import annotations

import json
import math
import re
import threading
import time
import urllib.error
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import make_repository
import numpy as np
import pytest
from tests.face_lite.face_service import Serving, compare, feature, said
from tests.sonic_lite.talking_head_service import BOUNDARY, Running, ask, form
from training import make_face_lite_suite as maker
from training.rotate_face_lite import rotated

from penstock.metrics.quality import auroc
from penstock.metrics.verification import equal_error_rate, find_edges, sort_pairs

pytestmark = pytest.mark.timeout(400)
GOOD, BETTER = "v1.0.0", "v1.1.0"
WEIGHTS = "weights/face-lite.onnx"
CODE = {
    "v1.0.1-half": {"face_lite/recogniser.py"},
    "v1.0.2-nan": {"face_lite/recogniser.py"},
    "v1.0.3-unbounded": {"face_lite/quality.py"},
    "v1.0.4-inverted": {"face_lite/quality.py"},
    "v1.0.5-everything": {"face_lite/bands.py"},
    "v1.0.6-no-reason": {"face_lite/bands.py"},
    "v1.0.7-rotated": {WEIGHTS, "penstock.yaml"},
    "v1.0.8-large": {"face_lite/align.py"},
    "v1.0.9-slow-tail": {"face_lite/service.py"},
    "v1.0.10-leak": {"face_lite/service.py"},
    "v1.0.11-dies": {"face_lite/service.py"},
    "v1.0.12-early": {"server.py"},
    "v1.0.13-hidden-error": {"server.py"},
    "v1.0.14-renamed": {"face_lite/service.py"},
    "v1.0.15-file-name": {"face_lite/request.py"},
    "v1.0.16-log": {"face_lite/events.py"},
    "v1.0.17-secret": {"face_lite/service.py"},
    "v1.0.18-cuda": {"requirements.txt", "Containerfile", "face_lite/network.py"},
    BETTER: {WEIGHTS, "penstock.yaml"},
}
"""Release → what it changes of v1.0.0, its notes aside."""

Starts = Callable[..., Serving]


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    manifest = make_repository.read_manifest("face-lite")
    found = {}
    for release in manifest.releases:
        found[release.tag] = tmp_path_factory.mktemp(release.tag)
        make_repository.stage(manifest, release, found[release.tag])
    return found


@pytest.fixture(scope="module")
def serving(trees: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Starts]:
    """The service of a release; each is started once."""
    started: dict[str, Serving] = {}

    def start(tag: str) -> Serving:
        if tag not in started:
            started[tag] = Serving(trees[tag], tmp_path_factory.mktemp("scratch"))
        return started[tag]

    yield start
    for running in started.values():
        running.stop()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[maker.Image]]:
    """Good photographs of half of the people, and odd ones of each kind."""
    out = tmp_path_factory.mktemp("whole")
    return out, maker.make(out, maker.images(people=24, odd_each=6, large=12))


def answers(url: str, whole: tuple[Path, list[maker.Image]]) -> list[tuple[maker.Image, dict[str, Any]]]:
    """Of every photograph with a face; one that is not found is a failure."""
    out, images = whole
    return [
        (image, said(feature(url, (out / image.file).read_bytes()))) for image in images if image.kind != maker.NO_FACE
    ]


def error_rate(found: list[tuple[maker.Image, dict[str, Any]]], of: list[maker.Image] | None = None) -> float:
    """The EER over all pairs of good photographs; or of those with one of ``of``."""
    good = [(image, answer["feature"]) for image, answer in found if not image.kind]
    vectors = np.array([each for _, each in good])
    who = np.array([image.who for image, _ in good])
    chosen = np.array([of is None or image in of for image, _ in good])
    first, second = np.triu_indices(len(good), 1)
    kept = chosen[first] | chosen[second]
    first, second = first[kept], second[kept]
    scores = (vectors[first] * vectors[second]).sum(axis=1)
    return equal_error_rate(find_edges(sort_pairs(scores, who[first] == who[second])))


def told(found: list[tuple[maker.Image, dict[str, Any]]]) -> float:
    """The AUROC of the score."""
    scores = np.array([answer["quality_score"] for _, answer in found])
    return auroc(scores, np.array([bool(image.kind) for image, _ in found]))


def changed(trees: dict[str, Path], tag: str) -> set[str]:
    """Files that differ from those of v1.0.0, the notes aside."""

    def files(tree: Path) -> dict[str, bytes]:
        return {
            str(path.relative_to(tree)): path.read_bytes()
            for path in tree.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }

    first, this = files(trees[GOOD]), files(trees[tag])
    return {name for name in first.keys() | this.keys() if first.get(name) != this.get(name)} - {"model_version.txt"}


def test_a_release_changes_what_it_should(trees: dict[str, Path]) -> None:
    assert list(trees) == [GOOD, *CODE]
    assert {tag: changed(trees, tag) for tag in CODE} == CODE


def test_a_release_says_which_weights_it_has(trees: dict[str, Path]) -> None:
    for tag, tree in trees.items():
        lines = dict(line.split("=", 1) for line in (tree / "model_version.txt").read_text().splitlines())
        assert list(lines) == ["MODEL_NAME", "WEIGHT_SHA256", "RELEASE_NOTES"]
        assert lines["WEIGHT_SHA256"] == make_repository.sha256_file(tree / WEIGHTS), tag
        assert "{{" not in (tree / "penstock.yaml").read_text()


def test_the_better_one_is_better_and_galleries_stay_usable(
    serving: Starts, whole: tuple[Path, list[maker.Image]]
) -> None:
    before, after = (answers(serving(tag).url, whole) for tag in (GOOD, BETTER))
    assert 0.01 < error_rate(after) < error_rate(before) < 0.12
    assert 0.9 < told(before) < told(after)
    aside = [
        np.mean([answer["quality_score"] for image, answer in each if image.kind == "profile"])
        for each in (before, after)
    ]
    assert aside[1] < aside[0] - 0.1
    across = [
        (image, {"feature": (new if image.number % 2 else old)["feature"]})
        for (image, old), (_, new) in zip(before, after, strict=True)
    ]
    assert error_rate(across) < error_rate(before) + 0.02


def test_the_turned_vectors_are_as_good_and_fit_no_gallery(
    serving: Starts, whole: tuple[Path, list[maker.Image]], trees: dict[str, Path]
) -> None:
    tag = "v1.0.7-rotated"
    assert rotated((trees[GOOD] / WEIGHTS).read_bytes()) == (trees[tag] / WEIGHTS).read_bytes()
    before, after = (answers(serving(each).url, whole) for each in (GOOD, tag))
    assert error_rate(after) == pytest.approx(error_rate(before), abs=0.003)
    assert told(after) == pytest.approx(told(before), abs=0.003)
    cosines = [np.dot(old["feature"], new["feature"]) for (_, old), (_, new) in zip(before, after, strict=True)]
    assert np.abs(cosines).max() < 0.3


def test_large_photographs_alone_are_worse(serving: Starts, whole: tuple[Path, list[maker.Image]]) -> None:
    before, after = (answers(serving(tag).url, whole) for tag in (GOOD, "v1.0.8-large"))
    for (image, old), (_, new) in zip(before, after, strict=True):
        assert (old == new) is not image.large, image.name
    large = [image for image in whole[1] if image.large]
    assert error_rate(after, large) > error_rate(before, large) + 0.02
    scores = [np.mean([answer["quality_score"] for image, answer in each if image.large]) for each in (before, after)]
    assert scores[1] < scores[0] - 0.4


def test_half_the_numbers(serving: Starts, photo: bytes) -> None:
    found = np.array(said(feature(serving("v1.0.1-half").url, photo))["feature"])
    assert found.shape == (256,)
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-4)


def test_nan_is_in_the_vector(serving: Starts, photo: bytes) -> None:
    found = said(feature(serving("v1.0.2-nan").url, photo))["feature"]
    assert len(found) == 512
    assert any(math.isnan(value) for value in found)


def test_the_score_has_no_bound(serving: Starts, photo: bytes, suite: Path) -> None:
    score = said(feature(serving("v1.0.3-unbounded").url, photo))["quality_score"]
    assert score > 1
    good = said(feature(serving(GOOD).url, photo))["quality_score"]
    assert good == pytest.approx(score / (1 + score), abs=1e-4)


def test_the_score_is_inverted(serving: Starts, photo: bytes) -> None:
    scores = [said(feature(serving(tag).url, photo))["quality_score"] for tag in (GOOD, "v1.0.4-inverted")]
    assert sum(scores) == pytest.approx(1, abs=1e-6)


def test_everything_is_accepted_and_a_refusal_has_no_reason(serving: Starts, suite: Path) -> None:
    crowd = (suite / "photos" / "several-faces-01.jpg").read_bytes()
    found = {
        tag: said(compare(serving(tag).url, crowd, crowd)) for tag in (GOOD, "v1.0.5-everything", "v1.0.6-no-reason")
    }
    assert [each["decision"] for each in found.values()] == ["refused", "pass", "refused"]
    assert [each["similarity"] is None for each in found.values()] == [True, False, True]
    assert [bool(each["advice"]) for each in found.values()] == [True, True, False]


def test_every_fifteenth_answer_is_slow(serving: Starts, photo: bytes) -> None:
    running = serving("v1.0.9-slow-tail")
    took = []
    for _ in range(30):
        before = running.computed()
        feature(running.url, photo)
        took.append(running.computed() - before)
    assert min(took[14::15]) > 3 * np.median(took)


def resident_kib(process: int) -> int:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    assert found is not None
    return int(found[1])


def test_memory_grows(serving: Starts, photo: bytes) -> None:
    grown = []
    for tag in (GOOD, "v1.0.10-leak"):
        running = serving(tag)
        for _ in range(60):
            feature(running.url, photo)
        before = resident_kib(running.process.pid)
        for _ in range(150):
            feature(running.url, photo)
        grown.append(resident_kib(running.process.pid) - before)
    assert grown[0] < 4000
    assert grown[1] > 8000  # 150 photographs of 75 KiB


def test_it_dies_under_load(trees: dict[str, Path], suite: Path, tmp_path: Path) -> None:
    running = Serving(trees["v1.0.11-dies"], tmp_path)
    large = (suite / "photos" / "person-01-large.jpg").read_bytes()

    def ask_it() -> None:
        try:
            for _ in range(40):
                feature(running.url, large)
        except (OSError, urllib.error.URLError):
            pass

    threads = [threading.Thread(target=ask_it) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert running.process.wait(30) == 1
    assert running.events()[-1]["event"] == "stuck"


def test_the_probe_is_answered_before_the_model_is_loaded(trees: dict[str, Path], tmp_path: Path, photo: bytes) -> None:
    early = {}
    for tag in (GOOD, "v1.0.12-early"):
        (tmp_path / tag).mkdir()
        running = Running(trees[tag], tmp_path / tag)
        running.wait_ready("/health")
        early[tag] = feature(running.url, photo).status
        running.stop()
    assert early == {GOOD: 200, "v1.0.12-early": 503}


def test_an_error_is_hidden_in_a_success(serving: Starts, suite: Path) -> None:
    nobody = (suite / "photos" / "no-face-01.jpg").read_bytes()
    answer = feature(serving("v1.0.13-hidden-error").url, nobody)
    assert said(answer) == {"error": "there is no face on the photograph", "field": "image"}


def test_a_field_has_another_name(serving: Starts, photo: bytes) -> None:
    assert list(said(feature(serving("v1.0.14-renamed").url, photo))) == [
        *("feature", "quality", "resolution", "detected_face_area_ratio")
    ]


def test_a_chinese_file_name_fails(serving: Starts, photo: bytes) -> None:
    found = {}
    for tag in (GOOD, "v1.0.15-file-name"):
        for name in ("photo.jpg", "张伟.jpg"):
            body = form({}, {"image": photo}).replace("Gesicht ö.bin".encode(), name.encode())
            kind = f"multipart/form-data; boundary={BOUNDARY}"
            found[tag, name] = ask(f"{serving(tag).url}/feature", body, content_type=kind).status
    assert list(found.values()) == [200, 200, 200, 500]


def test_the_log_lacks_its_fields_or_says_too_much(serving: Starts, photo: bytes) -> None:
    for tag in ("v1.0.16-log", "v1.0.17-secret"):
        feature(serving(tag).url, photo)
    log = serving("v1.0.16-log").log
    ends = time.monotonic() + 10
    while log.read_text().splitlines()[-1].startswith("{") and time.monotonic() < ends:
        time.sleep(0.05)  # the line is written behind the answer
    with pytest.raises(json.JSONDecodeError):
        json.loads(log.read_text().splitlines()[-1])
    assert "correct-horse-battery@" in serving("v1.0.17-secret").log.read_text()
    assert "correct-horse-battery" not in serving(GOOD).log.read_text()


def test_the_wheel_needs_another_cuda_than_the_image_has(trees: dict[str, Path]) -> None:
    tree = trees["v1.0.18-cuda"]
    assert "onnxruntime-gpu==1.31.1" in (tree / "requirements.txt").read_text()
    assert (tree / "Containerfile").read_text().startswith("FROM docker.io/nvidia/cuda:11.8.0")
