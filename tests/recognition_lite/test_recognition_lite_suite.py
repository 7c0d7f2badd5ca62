"""The pictures that recognition-lite is measured on, and what the suite says of them."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from training import make_recognition_lite_suite as maker
from training.recognition import glyphs, scenes, texts
from training.recognition.things import DRAWN, LABELS, thing

WATCHED = {"signs": 60, "chinese": 36, "small": 24, "low-light": 24, "crowded": 24, "under-640x480": 60}
DIGESTS = {
    "plain": "14cae8fa8465fc93",
    "latin": "4aec296d5c6c70ee",
    "chinese": "b895ee33846d5579",
    "small": "3b00af98ce79a419",
    "low-light": "6da7d75ca62b5639",
    "crowded": "47d04a4e7d802029",
    "night-sign": "96994ee8db4d76ed",
}
"""Of each kind's first case: its picture as it is drawn."""


@pytest.fixture(scope="module")
def listed(suite: Path) -> dict[str, dict]:
    return {case["name"]: case for case in yaml.safe_load((suite / "suite.yaml").read_text(encoding="utf-8"))["cases"]}


@pytest.mark.parametrize("kind", maker.COUNTS)
def test_a_seed_gives_the_same_pixels_on_every_machine(kind: str) -> None:
    image = maker.make_case(kind, 0, maker.SEED).scene.image
    assert hashlib.sha256(image.tobytes()).hexdigest()[:16] == DIGESTS[kind]


def test_the_files_are_the_same_each_time_and_another_seed_gives_others(suite: Path, tmp_path: Path) -> None:
    for seed, same in ((maker.SEED, True), (maker.SEED + 1, False)):
        maker.make(tmp_path, each=1, seed=seed)
        for path in sorted(tmp_path.glob("images/*.jpg")):
            assert (path.read_bytes() == (suite / path.relative_to(tmp_path)).read_bytes()) is same, path


def test_every_slice_that_is_watched_has_cases_enough() -> None:
    found: Counter[str] = Counter()
    for kind, number in maker.cases():
        width, height = scenes.SIZES[4] if kind == "small" and number % 3 else (0, 0)
        blank = np.zeros((height or 240, width or 320, 3), np.uint8)
        found.update(maker.Made(f"{kind}-{number + 1:02}", kind, scenes.Scene(blank)).slices)
    assert {name: found[name] for name, least in WATCHED.items() if found[name] < least} == {}
    assert len(maker.cases()) >= 120


def test_a_case_says_what_its_picture_shows(suite: Path, listed: dict[str, dict]) -> None:
    for name, case in listed.items():
        picture = cv2.imread(str(suite / case["inputs"]["image"]))
        assert picture is not None, case["inputs"]["image"]
        height, width = picture.shape[:2]
        assert (width, height) in scenes.SIZES
        assert ("under-640x480" in case["slices"]) == (width < 640)
        assert 1 <= len(case["objects"]) <= 4
        assert (
            {each["label"] for each in case["objects"]} == set(case["labels"]) == set(case["description"]["required"])
        )
        for each in case["objects"]:
            x, y, across, down = each["box"]
            assert min(x, y) >= 0, name
            assert x + across <= width
            assert y + down <= height
        assert (case["text"] != "") == any(each["label"] in ("sign", "牌子") for each in case["objects"])
        said = f"{case['text']} {' '.join(case['labels'])}"
        assert not any(word in said for word in case["description"]["forbidden"])


def test_chinese_cases_speak_of_things_in_chinese(suite: Path, listed: dict[str, dict]) -> None:
    table = yaml.safe_load((suite / "synonyms.yaml").read_text(encoding="utf-8"))
    assert set(table) == {"zh", "en"}
    assert set(table["zh"]) == set(table["en"]) == set(LABELS)
    for case in listed.values():
        chinese = "chinese" in case["slices"]
        assert case["language"] == ("zh" if chinese else "en")
        known = {names[0] for names in table["zh"].values()} if chinese else set(LABELS)
        assert set(case["labels"]) <= known
        assert any(character in texts.HAN for character in case["text"]) == chinese


def test_one_file_has_a_chinese_name(suite: Path, listed: dict[str, dict]) -> None:
    assert listed["chinese-01"]["inputs"]["image"] == "images/路牌-出口.jpg"
    assert listed["chinese-01"]["text"] == "出口"
    assert (suite / "images" / "路牌-出口.jpg").is_file()


def test_low_light_is_dark_and_small_things_are_small(suite: Path, listed: dict[str, dict]) -> None:
    for case in listed.values():
        picture = cv2.imread(str(suite / case["inputs"]["image"]))
        if "low-light" in case["slices"]:
            assert picture.mean() < 60
        if "small" in case["slices"]:
            assert all(max(each["box"][2:]) <= 0.19 * min(picture.shape[:2]) for each in case["objects"])


def test_whatever_a_sign_says_can_be_drawn() -> None:
    for text in (*texts.CHINESE, *texts.LATIN, *texts.MIXED):
        ink, spans = glyphs.line(text, "regular")
        assert len(spans) == len(text.replace(" ", ""))
        assert all(ink[:, start:stop].max() > 0.5 for start, stop in spans), text


@pytest.mark.parametrize("label", DRAWN)
def test_a_thing_fills_its_box(label: str) -> None:
    for seed in range(5):
        alpha = thing(np.random.default_rng(seed), label).alpha
        assert min(alpha.shape) > 40
        for edge in (alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]):
            assert edge.max() > 0.5


def test_boxes_are_where_things_were_drawn() -> None:
    """The same picture without its thing differs nowhere else."""
    for seed in range(3):
        with_it = scenes.scene(np.random.default_rng(seed), (320, 240), scenes.Asked(things=1))
        ((_, (x, y, width, height)),) = with_it.objects
        canvas = scenes.background(np.random.default_rng(seed), 320, 240)
        inner = with_it.image[y : y + height, x : x + width].astype(float) - canvas[y : y + height, x : x + width]
        assert np.abs(inner).mean() > 10


def test_the_origin_of_the_glyphs_is_on_record() -> None:
    record = (glyphs.GLYPHS / "ORIGIN.md").read_text(encoding="utf-8")
    assert "SIL Open Font License 1.1" in record
    assert "Open Font License" in (glyphs.GLYPHS / "OFL.txt").read_text(encoding="utf-8")
    assert glyphs.facts()["characters"] == texts.CHARACTERS
    assert sum(path.stat().st_size for path in glyphs.GLYPHS.iterdir()) < 150_000
