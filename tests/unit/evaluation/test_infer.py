"""Putting a suite to a real small service."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Use
from penstock.evaluation.infer import infer
from penstock.foundation.errors import UsageError, WorldError
from penstock.invocation.launch import descendants


@pytest.mark.slow
def test_each_case_is_called_once_after_the_warm_up(repository, bundle: Bundle) -> None:
    heard: list[tuple[int, int, str]] = []
    records = infer(
        repository.contract(warmup=2),
        repository.suite("a", "b", "a"),
        repository.path,
        bundle,
        on_progress=lambda *what: heard.append(what),
    )
    assert [record.status for record in records] == ["ok"] * 3
    assert all(record.warm and record.latency_s and record.peak_memory_mib for record in records)
    assert [record.output for record in records] == [f"outputs/case-{index}/output.mp4" for index in range(3)]
    assert (bundle.outputs / "case-1" / "output.mp4").read_bytes() == (repository.path / "answer.mp4").read_bytes()
    assert bundle.invocations() == records
    assert [(done, of) for done, of, _ in heard] == [(1, 3), (2, 3), (3, 3)]
    assert heard[0][2].startswith("case-0: ")
    log = (bundle.path / "logs" / "model.log").read_text(encoding="utf-8")
    assert [line.split()[-1] for line in log.splitlines() if line.startswith("asked")] == ["a", "a", "a", "b", "a"]
    assert sorted(path.name for path in bundle.path.iterdir()) == ["invocations.jsonl", "logs", "outputs"]


@pytest.mark.slow
def test_failures_are_recorded_and_the_others_go_on(repository, bundle: Bundle) -> None:
    suite = repository.suite("a", "500", "die", "hang", "b")
    records = infer(repository.contract(timeout_s=4.0), suite, repository.path, bundle)
    assert [record.status for record in records] == ["ok", "failed", "failed", "timeout", "ok"]
    assert [record.warm for record in records] == [True] * 5  # warmed up again after each new start
    assert records[1].http_status == 500
    assert records[2].exit_code == 5
    assert [record.output is None for record in records] == [False, True, True, True, False]
    assert sorted(path.name for path in bundle.outputs.iterdir()) == ["case-0", "case-4"]


@pytest.mark.slow
def test_first_case_that_crashes_does_not_take_the_others_along(repository, bundle: Bundle) -> None:
    records = infer(repository.contract(), repository.suite("die", "a", "b"), repository.path, bundle)
    assert [record.status for record in records] == ["failed", "ok", "ok"]


@pytest.mark.slow
def test_model_that_never_gets_ready_is_the_worlds_failure(repository, bundle: Bundle) -> None:
    with pytest.raises(WorldError, match="the model was not ready after") as caught:
        infer(repository.contract(mode="unready"), repository.suite("a"), repository.path, bundle)
    assert caught.value.exit_code == 4
    assert bundle.invocations() == []


@pytest.mark.slow
def test_killed_infer_goes_on_with_what_is_left(repository, bundle: Bundle) -> None:
    text = f"""
import sys
sys.path[:0] = ["src", {str(Path(__file__).parent)!r}]
from pathlib import Path
from conftest import Repository
from penstock.bundle.directory import Bundle
from penstock.bundle.models import Use
from penstock.evaluation.infer import infer
repository = Repository(Path({str(repository.path.with_name("other"))!r}))
bundle = Bundle(Path({str(bundle.path)!r}))
infer(repository.contract(), repository.suite("a", "500", "pause", "b"), repository.path, bundle)
"""
    with subprocess.Popen([sys.executable, "-c", text], stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 100
        while not bundle.invocations_file.exists() or len(bundle.invocations()) < 2:
            assert process.poll() is None, process.stderr.read() if process.stderr else ""
            assert time.monotonic() < deadline
            time.sleep(0.02)
        tree = descendants(process.pid)
        process.send_signal(signal.SIGKILL)
    while any(Path(f"/proc/{pid}").exists() for pid in tree):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    before = bundle.invocations()
    (repository.path / "go").touch()
    heard: list[str] = []
    records = infer(
        repository.contract(),
        repository.suite("a", "500", "pause", "b"),
        repository.path,
        bundle,
        on_progress=lambda done, total, what: heard.append(what.split(":")[0]),
    )
    assert [record.status for record in records] == ["ok", "failed", "ok", "ok"]
    assert heard == ["case-2", "case-3"]
    assert records[:2] == before


@pytest.mark.slow
def test_output_that_is_missing_is_made_again_and_nothing_else(repository, bundle: Bundle) -> None:
    contract, suite = repository.contract(), repository.suite("a", "b")
    first = infer(contract, suite, repository.path, bundle)
    (bundle.outputs / "case-0" / "output.mp4").unlink()
    second = infer(contract, suite, repository.path, bundle)
    assert second[1] == first[1]
    assert second[0].latency_s != first[0].latency_s
    (repository.path / "service.py").unlink()  # all is done: no model is started
    assert infer(contract, suite, repository.path, bundle) == second
    with pytest.raises(WorldError):
        infer(contract, suite, repository.path, bundle, resume=False)
    assert bundle.invocations() == []


@pytest.mark.slow
def test_says_since_when_the_model_is_in_use(repository, bundle: Bundle) -> None:
    uses: list[Use] = []
    infer(repository.contract(), repository.suite("a", "b"), repository.path, bundle, on_use=uses.append)
    assert len({use.started for use in uses}) == 1
    assert [use.seconds for use in uses] == sorted(use.seconds for use in uses)
    assert 0 < uses[0].seconds < uses[1].seconds < 20
    # all is done: no model is started, and none was in use
    assert infer(repository.contract(), repository.suite("a", "b"), repository.path, bundle, on_use=uses.append)
    assert len(uses) == 2


def test_file_that_has_gone_since_the_plan(repository, bundle: Bundle) -> None:
    (repository.path / "suite" / "face.png").unlink()
    with pytest.raises(UsageError, match=r"suite/face.png .*case 'case-0'.*: the file is missing"):
        infer(repository.contract(), repository.suite("a"), repository.path, bundle)


@pytest.mark.slow
def test_scratch_lies_where_it_is_asked_for(repository, bundle: Bundle, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/nonexistent")
    records = infer(repository.contract(), repository.suite("a"), repository.path, bundle, temporary=tmp_path)
    assert [record.status for record in records] == ["ok"]
    assert not list(tmp_path.glob("penstock-model-*"))
