"""The drawn people that the suite and the training data are made of, and the suite."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from tests.face_lite.face_service import CHINESE
from training import make_face_lite_suite as maker
from training.faces import training_set
from training.faces.drawing import Head, photo
from training.faces.look import look, profile
from training.faces.oddities import ODD, empty
from training.faces.person import person
from training.painting import blend, oval

KINDS = ("blur", "low-light", "profile", "screen", "cartoon", "mask", "several-faces", "no-face")
DIGESTS = {
    "blur": "8de7f768cd4c4ba9",
    "low-light": "7aa2b645803e705b",
    "profile": "ec7cf6945e6fb81a",
    "screen": "71cf8898b9260d7b",
    "cartoon": "9a9944df59c70578",
    "mask": "129aee699522c9e5",
    "several-faces": "85318b526f7d806f",
    "no-face": "8e40b2686e54a3ff",
}
"""Of each kind's first photograph, as it is drawn."""


def drawn(kind: str, number: int = 0, seed: int = maker.SEED) -> np.ndarray:
    if kind == maker.NO_FACE:
        return empty(np.random.default_rng([seed, 3, number]))
    rng = np.random.default_rng([seed, 2, list(ODD).index(kind), number])
    return ODD[kind](maker.someone(number, seed), rng, 0.9).image


def test_there_are_people_enough_for_one_in_a_hundred() -> None:
    wanted = maker.images()
    good = Counter(image.who for image in wanted if not image.kind and not image.large)
    assert len(good) * (len(good) - 1) // 2 >= 10 / 1e-2
    assert min(good.values()) >= 4
    odd = Counter(image.kind for image in wanted if image.kind)
    assert set(odd) == set(KINDS)
    assert min(odd.values()) >= 12
    assert sum(image.large for image in wanted) >= 5


def test_nobody_is_learned_from_and_measured() -> None:
    assert training_set.SEED != maker.SEED
    learned = {person(np.random.default_rng([training_set.SEED, 0, number])) for number in range(50)}
    assert not learned & {maker.someone(number) for number in range(maker.PEOPLE)}


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_gives_the_same_pixels_on_every_machine(kind: str) -> None:
    assert hashlib.sha256(drawn(kind).tobytes()).hexdigest()[:16] == DIGESTS[kind]
    assert not np.array_equal(drawn(kind), drawn(kind, seed=maker.SEED + 1))


def test_the_files_are_the_same_each_time(suite: Path, tmp_path: Path) -> None:
    wanted = [
        image for image in maker.images(people=6, odd_each=2, large=1) if image.name in ("person-03-1", "mask-02")
    ]
    for image in wanted:
        maker.draw(tmp_path, image, maker.SEED)
        assert (tmp_path / image.file).read_bytes() == (suite / image.file).read_bytes()


def test_one_person_looks_more_alike_than_two_do() -> None:
    """In the middle of the face, seen from the front in the same light."""

    def face(number: int, seed: int) -> np.ndarray:
        who = maker.someone(number)
        rng = np.random.default_rng(seed)
        how = replace(look(rng), yaw=0.05 * seed, pitch=0, roll=0, centre=(0.5, 0.5), scale=0.33, level=1, aged=0.0)
        return cv2.resize(photo(who, how, rng).image[40:120, 50:110], (15, 20)).astype(float)

    same = [np.abs(face(n, 1) - face(n, 2)).mean() for n in range(8)]
    other = [np.abs(face(n, 1) - face(n + 1, 2)).mean() for n in range(8)]
    assert np.mean(same) < 0.6 * np.mean(other)


def test_landmarks_and_box_are_where_the_face_is() -> None:
    who = replace(maker.someone(1), eye_apart=0.4, eye_height=0.1, mouth_height=0.6)
    how = replace(look(np.random.default_rng(1)), yaw=0.0, pitch=0.0, roll=0.0, centre=(0.5, 0.5), scale=0.3)
    found = photo(who, how, np.random.default_rng(2))
    np.testing.assert_allclose(found.landmarks, [[80 - 19.2, 75.2], [80 + 19.2, 75.2], [80, 108.8]])
    x, y, width, height = found.box
    assert (x + width / 2, y + height / 2, height) == pytest.approx((80, 80, 96), abs=0.5)
    eye = found.image[75, 80 - 19]
    assert eye.mean() < 90  # its pupil


def test_a_profile_hides_the_far_eye() -> None:
    who = maker.someone(0)
    for severity, seen in ((0.0, 2), (1.0, 1)):
        how = profile(np.random.default_rng(3), severity)
        head = Head(who, how, 160, 160)
        assert sum(head.faces(side * who.eye_apart, -who.eye_height) for side in (-1, 1)) == seen


def test_each_kind_is_what_it_says(suite: Path) -> None:
    def read(name: str) -> np.ndarray:
        return cv2.imread(str(suite / "photos" / f"{name}.jpg")).astype(float)

    def sharp(name: str) -> float:
        return float(np.abs(np.diff(read(name), axis=1)).mean())

    good = [f"person-{n:02}-1" for n in range(2, 7)]
    assert max(sharp("blur-01"), sharp("blur-02")) < 0.6 * min(map(sharp, good))
    assert max(read("low-light-01").mean(), read("low-light-02").mean()) < 0.5 * min(read(n).mean() for n in good)
    assert min(sharp("screen-01"), sharp("screen-02")) > np.mean([sharp(n) for n in good])


def test_a_polygon_is_filled_with_a_soft_edge() -> None:
    canvas = np.zeros((40, 60, 3), np.float32)
    blend(canvas, oval(30, 20, 12, 8), (200.0, 100.0, 50.0), 1.5)
    np.testing.assert_allclose(canvas[20, 30], [200, 100, 50])
    assert not canvas[20, :14].any()
    assert 0 < canvas[20, 18, 0] < 200
    blend(canvas, oval(500, 500, 5, 5), (1.0, 1.0, 1.0), 1)  # outside: nothing


def test_suite_yaml_names_files_that_are_there(suite: Path) -> None:
    listed = yaml.safe_load((suite / "suite.yaml").read_text(encoding="utf-8"))
    assert (listed["version"], listed["family"]) == (1, "face")
    cases = {case["name"]: case for case in listed["cases"]}
    assert len(cases) == len(listed["cases"])
    for case in cases.values():
        assert all((suite / file).is_file() for file in case["inputs"].values())
        if "identities" in case:
            first, second = case["identities"]
            assert case["same"] is (first == second)
        assert case["slices"]
    assert CHINESE in {case["inputs"].get("image") for case in cases.values()}
    assert cases["again-01"]["inputs"] == cases["person-01-1"]["inputs"]
    refused = {name for name, case in cases.items() if "expect" in case}
    assert refused == {"no-face-01", "no-face-02"}
    assert {case["ood"] for case in cases.values() if "same" in case and "ood" in case} == set(KINDS) - {"no-face"}


def test_slices_and_the_verify_track() -> None:
    made = [maker.Image("x", "x.jpg", number, slices=["a"]) for number in range(8) for _ in range(4)]
    made = [replace(image, number=k % 4) for k, image in enumerate(made)]
    pairs = maker.pairs(made)
    assert Counter(pair["same"] for pair in pairs) == {True: 8, False: 8}
    assert all(pair["slices"][:2] == ["pair", "a"] for pair in pairs)
    names = {image.name for image in maker.images()} | {pair["name"] for pair in pairs}
    assert set(maker.SMOKE) <= names


def test_it_can_be_told_how_many(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert maker.main(["--out", str(tmp_path), "--people", "2", "--odd-each", "0", "--large", "1"]) == 0
    assert capsys.readouterr().out.startswith("9 photographs, ")
    assert (tmp_path / "photos" / "person-01-large.jpg").is_file()
