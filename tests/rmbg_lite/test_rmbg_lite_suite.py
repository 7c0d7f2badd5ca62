"""The scenes that the suite and the training data are made of, and the suite."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from training import make_rmbg_lite_suite as maker
from training.matting import photographs, training_set
from training.matting.layers import Layer, flat, over
from training.matting.scenes import KINDS, composite

WATCHED = {
    "hair": 50, "shadow": 20, "shadow-keep": 20, "shadow-drop": 20, "translucent": 20, "complex-background": 20,
    "low-contrast": 20,
}  # fmt: skip
DIGESTS = {
    "hair": "a43efb26bc3c302a",
    "light-hair": "52e138b7e4f6f452",
    "fur": "753618882d955f32",
    "hair-complex": "9893bc68706a8940",
    "hair-low-contrast": "c717348c98be3e18",
    "complex": "f956404f85c1173e",
    "low-contrast": "a63f3c4e2f1b9c6f",
    "shadow-keep": "5c48a823cc1ca9c1",
    "shadow-drop": "119483d30dbfde53",
    "glass": "c8d9e3d30df44cc3",
    "cloth": "2abd4afda62735ca",
}
"""Of each kind's first case: its photo, matte and foreground as they are decoded."""


def test_a_photo_is_exactly_its_matte_and_colours_over_the_background() -> None:
    rng = np.random.default_rng(3)
    alpha, colour, behind = rng.random((512, 512)), rng.random((512, 512, 3)) * 255, rng.random((512, 512, 3)) * 255
    alpha[:100] = 0
    alpha[100:200] = 1
    scene = composite(Layer(alpha, colour), behind, ("x",))
    share = scene.alpha[..., None] / 255.0
    np.testing.assert_array_equal(
        scene.image, np.round(share * scene.foreground + (1 - share) * behind).astype(np.uint8)
    )
    np.testing.assert_array_equal(scene.image[100:200], scene.foreground[100:200])
    assert not scene.foreground[:100].any()


def test_layers_one_over_the_other_are_the_same_as_one_after_the_other() -> None:
    rng = np.random.default_rng(4)
    top, bottom = (Layer(rng.random((512, 512)), rng.random((512, 512, 3)) * 255) for _ in range(2))
    wall = flat((10, 200, 30))

    def laid(layer: Layer, behind: np.ndarray) -> np.ndarray:
        return layer.alpha[..., None] * layer.colour + (1 - layer.alpha[..., None]) * behind

    np.testing.assert_allclose(laid(over(top, bottom), wall), laid(top, laid(bottom, wall)), atol=1e-9)


def test_every_slice_that_is_watched_has_cases_enough() -> None:
    found: Counter[str] = Counter()
    for kind, order, number in maker.cases(each=1):
        scene = KINDS[kind](np.random.default_rng([maker.SEED, order, number]))
        found.update(dict.fromkeys(scene.slices, maker.COUNTS[kind]))
        assert ("shadow-keep" in scene.slices) == (scene.shadow == "keep")
    assert {name: found[name] for name, least in WATCHED.items() if found[name] < least} == {}
    assert list(maker.COUNTS) == list(KINDS) == list(training_set.SHARES)


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_gives_the_same_pixels_on_every_machine(suite: Path, kind: str) -> None:
    digest = hashlib.sha256()
    for folder in ("photos", "mattes", "foregrounds"):
        picture = cv2.imread(str(suite / folder / f"{kind}-01.png"), cv2.IMREAD_UNCHANGED)
        assert picture.shape[:2] == (512, 512)
        digest.update(picture.tobytes())
    assert digest.hexdigest()[:16] == DIGESTS[kind]


def test_the_files_are_the_same_each_time_and_another_seed_gives_others(suite: Path, tmp_path: Path) -> None:
    for folder in ("photos", "mattes", "foregrounds"):
        (tmp_path / folder).mkdir()
    for seed, same in ((maker.SEED, True), (maker.SEED + 1, False)):
        maker.make_case(tmp_path, "glass", list(KINDS).index("glass"), 0, seed)
        for path in sorted(tmp_path.glob("*/glass-01.png")):
            assert (path.read_bytes() == (suite / path.relative_to(tmp_path)).read_bytes()) is same, path


def test_each_kind_is_what_it_says(suite: Path) -> None:
    mattes = {
        kind: cv2.imread(str(suite / "mattes" / f"{kind}-01.png"), cv2.IMREAD_UNCHANGED) / 255.0 for kind in KINDS
    }
    mixed = {kind: ((matte > 0.02) & (matte < 0.98)).sum() / (matte > 0.02).sum() for kind, matte in mattes.items()}
    assert min(mixed["glass"], mixed["cloth"]) > 0.5
    assert min(mixed["hair"], mixed["fur"]) > 3 * mixed["complex"]
    assert all((matte > 0.98).any() for kind, matte in mattes.items() if kind not in ("glass", "cloth"))
    shadow = mattes["shadow-keep"]
    solid = np.flatnonzero((shadow > 0.98).any(axis=1))[-1]
    assert 0.1 < shadow[solid + 3 :].max() < 0.65  # its foot's shadow is no part as solid as the thing itself


def test_suite_yaml_names_files_that_are_there(suite: Path) -> None:
    listed = yaml.safe_load((suite / "suite.yaml").read_text(encoding="utf-8"))
    assert (listed["version"], listed["family"]) == (1, "matting")
    for case in listed["cases"]:
        files = [case["inputs"]["image"], case["truth"], case["foreground"]]
        assert all((suite / file).is_file() for file in files)
        assert case["shadow"] == ("keep" if case["name"].startswith("shadow-keep") else "drop")
        assert case["slices"]
    assert {case["name"] for case in listed["cases"] if "smoke" in case["slices"]} == set(maker.SMOKE)


def test_the_whole_suite_is_small_enough(suite: Path) -> None:
    """Of one case a kind is estimated what all of them take: half of what they may."""
    of_kind = {kind: sum(path.stat().st_size for path in suite.glob(f"*/{kind}-01.png")) for kind in maker.COUNTS}
    assert sum(of_kind[kind] * count for kind, count in maker.COUNTS.items()) < 45e6


def test_the_sources_are_small_and_their_origin_is_on_record() -> None:
    folder = photographs.ASSETS / "photographs"
    files = sorted(path.name for path in folder.iterdir() if path.name != "ORIGIN.md")
    assert files == sorted(photographs.SCENES)
    assert sum((folder / name).stat().st_size for name in files) < 3e6
    record = (folder / "ORIGIN.md").read_text(encoding="utf-8")
    for name in files:
        assert f"| {name} | " in record
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest()[:16] in record


def test_what_is_learned_from_is_not_what_is_measured() -> None:
    image, alpha = training_set.example(0)
    assert image.shape == (512, 512, 3)
    assert alpha.shape == (512, 512)
    for kind, order, number in maker.cases(each=1):
        scene = KINDS[kind](np.random.default_rng([maker.SEED, order, number]))
        assert not np.array_equal(scene.image, image)


def test_it_can_be_told_how_many_of_which_kind() -> None:
    assert maker.cases(only={"hair": 2, "glass": 1}) == [("hair", 0, 0), ("hair", 0, 1), ("glass", 9, 0)]
    assert maker.counted("shadow-keep=20") == ("shadow-keep", 20)
    for wrong in ("feather=2", "hair"):
        with pytest.raises(ValueError, match=r"feather|invalid"):
            maker.counted(wrong)
