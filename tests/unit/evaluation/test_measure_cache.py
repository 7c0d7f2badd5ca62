"""Measuring is repeated whenever something that it depends on has changed, and not otherwise."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Invocation
from penstock.bundle.steps import begin
from penstock.evaluation.measure_cache import measure_once, suite_digest


@pytest.fixture
def measured(repository, tmp_path: Path, make_video) -> Callable[..., bool]:
    """Measure a fresh bundle with the same outputs; says whether an earlier measurement was taken."""

    def go(contract=None, suite=None, answer: bytes | None = None, latency: float = 1.0, cache: bool = True) -> bool:
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
            on_progress=lambda *_: None,
        )
        assert bundle.measurements() == lines
        return unchanged

    return go


def test_same_outputs_are_measured_once(measured) -> None:
    assert [measured(), measured(), measured(cache=False)] == [False, True, False]


def test_whatever_moves_a_value_has_it_measured_again(measured, repository, make_video) -> None:
    measured()
    assert not measured(answer=make_video(7))
    assert not measured(latency=2.0)
    assert not measured(suite=repository.suite("a", face_box=[0.2, 0.2, 0.5, 0.5]))
    assert measured()


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
