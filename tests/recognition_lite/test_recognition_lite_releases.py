"""Every release of recognition-lite: what its fault does to real answers, and that it does nothing else."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import make_repository
import numpy as np
import pytest
import yaml
from tests.recognition_lite.recognition_service import answered, form_of, logged, recognize
from tests.sonic_lite.talking_head_service import BOUNDARY, Running, ask

from penstock.contract.check import check_repository
from penstock.families.registry import directions

pytestmark = pytest.mark.timeout(400)
GOOD, BETTER = "v1.0.0", "v1.1.0"
# Runs in the release's own directory, so that each has its own modules.
ANSWER = """
import json, sys
from pathlib import Path
from recognition_lite.service import Service
service = Service(Path.cwd())
service.load()
for name in sys.argv[2:]:
    body = Path(sys.argv[1], name).read_bytes()
    print(json.dumps(service.recognize("multipart/form-data; boundary=BOUNDARY", body)))
""".replace("BOUNDARY", BOUNDARY)
ANSWERING = (GOOD, "v1.0.1-chinese", "v1.0.2-overconfident", "v1.0.3-renamed", "v1.0.4-items", "v1.0.5-corners",
             "v1.0.10-error-inside", BETTER)  # fmt: skip

Answers = dict[str, dict[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    manifest = make_repository.read_manifest("recognition-lite")
    found = {}
    for release in manifest.releases:
        found[release.tag] = tmp_path_factory.mktemp(release.tag)
        make_repository.stage(manifest, release, found[release.tag])
    return found


@pytest.fixture(scope="module")
def made(trees: dict[str, Path], suite: Path, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """Release → file of the suite → what it answers."""
    forms = tmp_path_factory.mktemp("forms")
    names = sorted(path.name for path in (suite / "images").iterdir())
    for name in names:
        (forms / name).write_bytes(form_of((suite / "images" / name).read_bytes(), name))
    found: Answers = {}
    for tag in ANSWERING:
        tree = trees[tag]
        command = [sys.executable, "-B", "-c", ANSWER, str(forms), *names]
        environment = {**os.environ, "PYTHONPATH": str(tree)}
        done = subprocess.run(command, cwd=tree, env=environment, check=True, capture_output=True, timeout=200)
        found[tag] = dict(zip(names, map(json.loads, done.stdout.splitlines()), strict=True))
    return found


@pytest.fixture
def started(trees: dict[str, Path], tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Running]:
    """The release that the test's parameter names."""
    running = Running(trees[request.param], tmp_path)
    try:
        running.wait_ready()
        yield running
    finally:
        running.stop()


def cases(suite: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((suite / "suite.yaml").read_text(encoding="utf-8"))["cases"]
    return found


def wrong_characters(suite: Path, answers: dict[str, dict[str, Any]], slice_: str) -> float:
    """The share of a slice's characters that were not read, whatever was read besides."""
    missed = total = 0
    for case in cases(suite):
        if slice_ in case["slices"] and case["text"]:
            said = list(answers[Path(case["inputs"]["image"]).name]["text"])
            for character in case["text"].replace(" ", ""):
                total += 1
                if character in said:
                    said.remove(character)
                else:
                    missed += 1
    return missed / total


def without(answer: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name not in (*names, "latency_ms")}


def test_a_bad_release_changes_its_code_alone_and_the_better_one_its_weights(trees: dict[str, Path]) -> None:
    def files(tree: Path) -> dict[str, bytes]:
        paths = (path for path in tree.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        return {str(path.relative_to(tree)): path.read_bytes() for path in paths}

    first = files(trees[GOOD])
    for tag, tree in trees.items():
        this = files(tree)
        changed = {name for name in first.keys() | this.keys() if first.get(name) != this.get(name)}
        changed.discard("model_version.txt")
        if tag == BETTER:
            assert changed == {"weights/glyphs.onnx", "penstock.yaml"}
        elif tag == "v1.0.17-cuda":
            assert changed == {"recognition_lite/network.py", "requirements.txt", "Containerfile"}
        elif tag != GOOD:
            assert len(changed) == 1, tag
            assert changed.pop().startswith("recognition_lite/")


def test_a_good_release_has_a_contract_without_faults(trees: dict[str, Path], suite: Path, tmp_path: Path) -> None:
    for tag in (GOOD, BETTER):
        tree = tmp_path / tag
        shutil.copytree(trees[tag], tree)
        shutil.copytree(suite, tree / "suite")
        report = check_repository(tree, metrics=directions())
        assert [str(fault) for fault in report.faults if not fault.warning] == []


def test_a_release_says_which_weights_it_has(trees: dict[str, Path]) -> None:
    for tag, tree in trees.items():
        lines = dict(line.split("=", 1) for line in (tree / "model_version.txt").read_text().splitlines())
        assert list(lines) == ["MODEL_NAME", "WEIGHT_SHA256", "RELEASE_NOTES"]
        assert lines["WEIGHT_SHA256"] == make_repository.sha256_file(tree / "weights" / "objects.onnx"), tag
        assert "{{" not in (tree / "penstock.yaml").read_text()


def test_the_better_one_reads_better(made: Answers, suite: Path) -> None:
    assert wrong_characters(suite, made[BETTER], "signs") < wrong_characters(suite, made[GOOD], "signs")


def test_chinese_alone_is_read_worse(made: Answers, suite: Path) -> None:
    before, after = (wrong_characters(suite, made[tag], "chinese") for tag in (GOOD, "v1.0.1-chinese"))
    assert after > before + 0.15
    for case in cases(suite):
        if not case["text"]:
            file = Path(case["inputs"]["image"]).name
            assert without(made["v1.0.1-chinese"][file]) == without(made[GOOD][file])


def test_the_overconfident_one_says_the_same_and_is_surer(made: Answers) -> None:
    def sure(tag: str) -> list[float]:
        return [one["confidence"] for answer in made[tag].values() for one in answer["objects"] if one["label"] != "x"]

    good, surer = sure(GOOD), sure("v1.0.2-overconfident")
    assert sum(surer) / len(surer) > sum(good) / len(good) + 0.04


def test_labels_are_renamed_and_nothing_else(made: Answers) -> None:
    names = {"cup": "coffee mug", "lamp": "table lamp", "ball": "beach toy", "sign": "notice board"}
    seen = set()
    for file, answer in made["v1.0.3-renamed"].items():
        good = made[GOOD][file]
        assert without(answer, "objects") == without(good, "objects")
        assert [one["label"] for one in answer["objects"]] == [
            names.get(one["label"], one["label"]) for one in good["objects"]
        ]
        seen.update(one["label"] for one in answer["objects"])
    assert seen & set(names.values())


def test_objects_become_items(made: Answers) -> None:
    for file, answer in made["v1.0.4-items"].items():
        assert "objects" not in answer
        assert answer["items"] == made[GOOD][file]["objects"]


def test_boxes_become_corners(made: Answers) -> None:
    for file, answer in made["v1.0.5-corners"].items():
        for one, good in zip(answer["objects"], made[GOOD][file]["objects"], strict=True):
            x, y, width, height = good["box"]
            assert one["box"] == pytest.approx([x, y, x + width, y + height], abs=0.11)


def test_small_pictures_get_an_error_that_looks_like_an_answer(made: Answers) -> None:
    errors = [answer for answer in made["v1.0.10-error-inside"].values() if "error" in answer]
    assert 0 < len(errors) < len(made[GOOD])
    assert all(set(answer) == {"error"} for answer in errors)


@pytest.mark.parametrize("started", ["v1.0.6-slow-tail"], indirect=True)
def test_every_fifteenth_request_is_slow(started: Running, picture: bytes) -> None:
    took = []
    for _ in range(30):
        before = time.monotonic()
        answered(recognize(started.url, picture))
        took.append(time.monotonic() - before)
    assert min(took[14], took[29]) > 0.5
    assert sorted(took)[15] < 0.5


@pytest.mark.parametrize("started", ["v1.0.7-leak"], indirect=True)
def test_memory_grows_with_every_request(started: Running, picture: bytes) -> None:
    def resident_kib() -> int:
        status = Path(f"/proc/{started.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])

    # what is kept of one is 900 KiB: more than what comes and goes by itself
    pixels = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    large = cv2.imencode(".jpg", cv2.resize(pixels, (640, 480)))[1].tobytes()
    for _ in range(10):
        recognize(started.url, large)
    before = resident_kib()
    for _ in range(60):
        recognize(started.url, large)
    assert resident_kib() - before > 60 * 900 / 2


@pytest.mark.parametrize("started", ["v1.0.8-dies"], indirect=True)
def test_it_dies_when_requests_pile_up(started: Running, picture: bytes) -> None:
    answered(recognize(started.url, picture))

    def tried(_: int) -> None:
        with suppress(OSError):
            recognize(started.url, picture)

    with ThreadPoolExecutor(40) as pool:
        list(pool.map(tried, range(80)))
    assert started.process.wait(10) == 1
    assert logged(started.log)[-1]["event"] == "stuck"


def test_healthy_before_the_model_is_loaded(trees: dict[str, Path]) -> None:
    for tag, status in ((GOOD, 503), ("v1.0.9-early", 200)):
        code = "from recognition_lite.health import health; print(health(loaded=False)[0])"
        done = subprocess.run(
            [sys.executable, "-B", "-c", code], cwd=trees[tag], check=True, capture_output=True, timeout=30
        )
        assert int(done.stdout) == status


@pytest.mark.parametrize("started", ["v1.0.11-file-name"], indirect=True)
def test_a_chinese_file_name_fails(started: Running, picture: bytes) -> None:
    answered(recognize(started.url, picture, "sign.jpg"))
    assert recognize(started.url, picture, "路牌.jpg").status == 500


@pytest.mark.parametrize("started", ["v1.0.12-silent"], indirect=True)
def test_the_log_has_no_fields(started: Running, picture: bytes) -> None:
    answered(recognize(started.url, picture))
    assert set(logged(started.log)[-1]) == {"event", "ms"}


@pytest.mark.parametrize("started", ["v1.0.13-secret"], indirect=True)
def test_there_is_a_secret_in_the_log(started: Running) -> None:
    text = started.log.read_text()
    assert "AKIAIOSFODNN7EXAMPLE" in text
    assert "correct-horse-battery@" in text


@pytest.mark.parametrize("started", ["v1.0.14-raw-image"], indirect=True)
def test_the_picture_is_in_the_log(started: Running, picture: bytes) -> None:
    answered(recognize(started.url, picture))
    assert len(logged(started.log)[-1]["image"]) > len(picture)


@pytest.mark.parametrize("started", ["v1.0.15-deaf"], indirect=True)
def test_it_does_not_hear_the_signal(started: Running) -> None:
    started.process.send_signal(signal.SIGTERM)
    time.sleep(1)
    assert ask(f"{started.url}/healthz").status == 200


@pytest.mark.parametrize("started", ["v1.0.16-abrupt"], indirect=True)
def test_it_breaks_off_what_was_begun(started: Running, picture: bytes) -> None:
    lost = []

    def tried(_: int) -> None:
        try:
            answered(recognize(started.url, picture))
        except OSError as error:
            lost.append(error)

    with ThreadPoolExecutor(12) as pool:
        going = [pool.submit(tried, number) for number in range(40)]
        time.sleep(0.2)
        started.process.send_signal(signal.SIGTERM)
        for each in going:
            each.result()
    assert started.process.wait(10) == 0
    assert lost
    assert "stopped" not in started.log.read_text()


def test_its_wheel_needs_another_cuda_than_the_image_has(trees: dict[str, Path]) -> None:
    tree = trees["v1.0.17-cuda"]
    assert "onnxruntime-gpu==1.23.2" in (tree / "requirements.txt").read_text()  # built for CUDA 12 and cuDNN 9
    assert "cuda:11.8.0-cudnn8" in (tree / "Containerfile").read_text()
