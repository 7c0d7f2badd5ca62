"""Measurements of an earlier run are taken over; what is kept is the numbers, and each network is loaded once."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.unit.evaluation.conftest import Repository, Video

from penstock.bundle.directory import Bundle
from penstock.bundle.figures_record import Axis, Figure, HistogramFigure, read_figures
from penstock.bundle.models import Invocation
from penstock.bundle.steps import begin
from penstock.contract.models import Case
from penstock.evaluation import measure as measuring
from penstock.evaluation import measure_cache
from penstock.evaluation.measure_cache import measure_once, suite_digest
from penstock.evaluation.measurer import Answer
from penstock.extractors.image_features import ImageFeatures
from penstock.families.registry import family


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


@pytest.mark.slow
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


@pytest.fixture
def measured(repository, tmp_path: Path, make_video) -> Callable[..., bool]:
    """Measure a fresh bundle with the same outputs; says whether an earlier measurement was taken."""

    def go(
        contract=None,
        suite=None,
        answer: bytes | None = None,
        latency: float = 1.0,
        cache: bool = True,
        keep: bool = True,
    ) -> bool:
        shutil.rmtree(tmp_path / "bundle", ignore_errors=True)
        bundle = Bundle(tmp_path / "bundle")
        begin(bundle, run_id="a", track="release")
        output = "outputs/case-0/output.mp4"
        (bundle.path / output).parent.mkdir(parents=True)
        (bundle.path / output).write_bytes(make_video(6) if answer is None else answer)
        bundle.write_invocations([Invocation(case="case-0", status="ok", output=output, latency_s=latency)])
        lines, unchanged = measure_once(
            contract or repository.contract(),
            suite or repository.suite("a"),
            repository.path,
            bundle,
            cache=tmp_path / "cache" if cache else None,
            keep=keep,
            on_progress=lambda *_: None,
        )
        assert bundle.measurements() == lines
        return unchanged

    return go


def test_same_outputs_are_measured_once(measured) -> None:
    assert [measured(), measured(), measured(cache=False)] == [False, True, False]


def test_what_is_not_kept_is_measured_again_and_what_is_there_is_taken(measured) -> None:
    assert [measured(keep=False), measured(), measured(keep=False)] == [False, False, True]


@pytest.mark.slow
def test_whatever_moves_a_value_has_it_measured_again(measured, repository, make_video) -> None:
    measured()
    assert not measured(answer=make_video(7))
    assert not measured(latency=2.0)
    assert not measured(suite=repository.suite("a", face_box=[0.2, 0.2, 0.5, 0.5]))
    assert measured()


def test_what_compares_with_a_release_is_measured_again_after_another_release(
    repository: Repository, tmp_path: Path, make_video: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract, suite, bundle = repository.contract(), repository.suite("a"), Bundle(tmp_path / "bundle")
    answered(bundle, make_video(10))
    one, two = (answered(Bundle(tmp_path / name), make_video(frames)) for name, frames in (("one", 10), ("two", 12)))
    seen: list[Bundle | None] = []

    def measured(*_: object, released: Bundle | None, **__: object) -> list[object]:
        seen.append(released)
        bundle.write_measurements([])
        bundle.series_file.write_text("")
        return []

    monkeypatch.setattr(measure_cache, "measure", measured)

    def once(released: Bundle | None) -> bool:
        return measure_once(
            *(contract, suite, repository.path, bundle),
            cache=tmp_path / "cache",
            released=released,
            on_progress=lambda *_: None,
        )[1]

    assert (once(one), seen, bundle.run().compared_with) == (False, [None], None), "no metric of this family compares"
    seen.clear()
    monkeypatch.setattr(measure_cache, "family", lambda _: SimpleNamespace(compares_released=True, figures=None))
    assert [once(one), once(one), once(two), once(None)] == [False, True, False, True]
    assert (seen, bundle.run().compared_with) == ([one, two], None)
    once(two)
    assert bundle.run().compared_with == "r"


def test_digest_is_of_cases_and_of_every_files_content(repository) -> None:
    contract, suite = repository.contract(), repository.suite("a")
    before = suite_digest(repository.path, contract, suite)
    assert suite_digest(repository.path, contract, repository.suite("b")) != before
    for name in ("face.png", "reference/1.png"):
        file = repository.path / "suite" / name
        content = file.read_bytes()
        file.write_bytes(content + b"\0")
        assert suite_digest(repository.path, contract, suite) != before
        file.write_bytes(content)
    assert suite_digest(repository.path, contract, suite) == before


def test_figures_are_kept_with_the_values_that_they_show(
    repository: Repository, tmp_path: Path, make_video: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract, suite, cache = repository.contract(), repository.suite("a"), tmp_path / "cache"
    drawing = replace(family(contract.family), figures=f"{__name__}:drawn")
    for module in (measure_cache, measuring):
        monkeypatch.setattr(module, "family", lambda _: drawing)
    for name, unchanged in (("one", False), ("two", True)):
        bundle = answered(Bundle(tmp_path / name), make_video(10))
        _, again = measure_once(contract, suite, repository.path, bundle, cache=cache, on_progress=lambda *_: None)
        assert again == unchanged
        assert [figure.title for figure in read_figures(bundle).figures] == ["1 cases, without a release"]


def drawn(cases: Sequence[Case], answers: Sequence[Answer], released: Sequence[Answer] | None) -> list[Figure]:
    assert len(answers) == len(cases)
    title = f"{len(cases)} cases, {'without' if released is None else 'with'} a release"
    return [HistogramFigure(name="h", title=title, x=Axis(title="x"), groups=[])]
