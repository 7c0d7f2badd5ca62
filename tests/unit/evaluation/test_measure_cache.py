"""Measurements of an earlier run are taken over; what is kept is the numbers, and each network is loaded once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.unit.evaluation.conftest import Repository, Video

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Invocation
from penstock.bundle.steps import begin
from penstock.evaluation.measure_cache import measure_once
from penstock.extractors.image_features import ImageFeatures


def answered(bundle: Bundle, *videos: bytes) -> Bundle:
    begin(bundle, run_id="r", track="release")
    calls = []
    for index, video in enumerate(videos):
        output = bundle.outputs / f"case-{index}" / "output.mp4"
        output.parent.mkdir()
        output.write_bytes(video)
        relative = output.relative_to(bundle.path).as_posix()
        calls.append(Invocation(case=f"case-{index}", status="ok", output=relative, latency_s=0.5))
    bundle.write_invocations(calls)
    return bundle


def test_numbers_are_kept_and_no_video(
    repository: Repository, tmp_path: Path, make_video: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[Path] = []
    load = ImageFeatures.load

    def counted(path: Path, **how: object) -> ImageFeatures:
        loaded.append(path)
        return load(path, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(ImageFeatures, "load", counted)
    contract, suite, cache = repository.contract(extractors=True), repository.suite("a", "b"), tmp_path / "cache"
    first = answered(Bundle(tmp_path / "first"), make_video(10), make_video(12))

    def measured(bundle: Bundle) -> tuple[object, bool]:
        return measure_once(contract, suite, repository.path, bundle, cache=cache, on_progress=lambda *_: None)

    values, before = measured(first)
    assert not before
    assert len(loaded) == 1
    assert {path.name for path in cache.rglob("*") if path.is_file()} == {"measurements.jsonl", "series.jsonl"}
    shutil.rmtree(tmp_path / "second", ignore_errors=True)
    second = answered(Bundle(tmp_path / "second"), make_video(10), make_video(12))
    assert measured(second) == (values, True)
    assert second.series_file.read_bytes() == first.series_file.read_bytes()
    assert len(first.series_file.read_text(encoding="utf-8").splitlines()) == 2


def test_measuring_again_after_it_was_killed_finds_the_same_outputs(
    repository: Repository, tmp_path: Path, make_video: Video
) -> None:
    """What measuring leaves does not change what the measurements are kept under."""
    bundle, cache = answered(Bundle(tmp_path / "one"), make_video(10)), tmp_path / "cache"
    contract, suite = repository.contract(), repository.suite("a")
    for taken_over in (False, True):
        _, again = measure_once(contract, suite, repository.path, bundle, cache=cache, on_progress=lambda *_: None)
        assert again == taken_over
