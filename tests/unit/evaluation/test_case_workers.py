"""Working on several cases at a time: order, failures, and what is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import cv2
import psutil
import pytest
from pydantic import create_model

import penstock
from penstock.contract.models import Case
from penstock.evaluation import case_workers
from penstock.evaluation.case_workers import each_case, two_at_a_time, worker_count
from penstock.foundation.errors import UsageError, WorldError

BOTH = pytest.mark.parametrize("processes", [False, True], ids=["threads", "processes"])


@pytest.mark.slow
@BOTH
@pytest.mark.parametrize("workers", [1, 2, 5])
def test_results_come_in_the_order_of_the_cases(workers: int, processes: bool) -> None:
    def work(number: int) -> int:
        time.sleep(0.02 * (number % 3 == 0))
        return number * number

    assert list(each_case(work, range(20), workers=workers, processes=processes)) == [n * n for n in range(20)]


def test_processes_are_processes_and_threads_are_threads() -> None:
    def where(_case: int) -> int:
        time.sleep(0.05)
        return os.getpid()

    assert os.getpid() not in set(each_case(where, range(4), workers=2, processes=True))
    assert {os.getpid()} == set(each_case(where, range(4), workers=2, processes=False))
    assert {os.getpid()} == set(each_case(where, range(4), workers=1, processes=True))


@pytest.mark.slow
@BOTH
def test_an_error_comes_through_whole_and_nothing_further_is_begun(processes: bool, tmp_path: Path) -> None:
    def work(number: int) -> int:
        (tmp_path / str(number)).touch()
        if number == 3:
            raise UsageError("the file is damaged", where="case 3", todo="Send it again.")
        time.sleep(0.01)
        return number

    results = each_case(work, range(500), workers=2, processes=processes)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(UsageError) as caught:
        next(results)
    assert (caught.value.what, caught.value.where, caught.value.todo) == (
        *("the file is damaged", "case 3", "Send it again."),
    )
    assert len(list(tmp_path.iterdir())) < 100


@pytest.mark.slow
@BOTH
def test_a_case_may_be_of_a_class_that_cannot_be_pickled(processes: bool) -> None:
    """A family of another distribution says what its cases are."""
    kind = create_model("MadeByAFamily", __base__=Case, paper=(float, 1.0))
    cases = [kind(name=f"case-{number}", inputs={}) for number in range(3)]
    names = each_case(lambda case: case.name, cases, workers=2, processes=processes)
    assert list(names) == ["case-0", "case-1", "case-2"]


@pytest.mark.slow
@BOTH
def test_one_that_is_closed_early_leaves_nothing(processes: bool) -> None:
    before = set(psutil.Process().children())
    results = each_case(lambda number: time.sleep(0.005) or number, range(500), workers=2, processes=processes)
    assert next(results) == 0
    results.close()
    assert set(psutil.Process().children()) <= before


def test_a_process_that_is_killed_is_told() -> None:
    def work(number: int) -> int:
        if number == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return number

    with pytest.raises(WorldError, match="ended from outside, for want of memory or by a crash"):
        list(each_case(work, range(4), workers=2, processes=True))


def test_a_process_that_is_killed_before_it_has_all_its_cases_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    begin = case_workers._processes

    def begin_and_kill(work: Callable[[int], int], workers: int) -> ProcessPoolExecutor:
        pool = begin(work, workers)
        with pytest.raises(BrokenProcessPool):
            pool.submit(os._exit, 1).result()
        return pool

    monkeypatch.setattr(case_workers, "_processes", begin_and_kill)
    with pytest.raises(WorldError, match="ended from outside, for want of memory or by a crash"):
        list(each_case(abs, range(4), workers=2, processes=True))


def test_a_process_ends_at_sigterm_whatever_its_parent_does(capfd: pytest.CaptureFixture[str]) -> None:
    def work(number: int) -> int:
        if number == 1:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(60)
        return number

    before = signal.signal(signal.SIGTERM, lambda *_: os.write(1, b"handled"))
    try:
        with pytest.raises(WorldError, match="ended from outside"):
            list(each_case(work, range(4), workers=2, processes=True))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert "handled" not in capfd.readouterr().out


@BOTH
def test_opencv_computes_on_one_core_each_and_as_before_afterwards(processes: bool) -> None:
    before = cv2.getNumThreads()
    threads = each_case(lambda _: cv2.getNumThreads(), range(3), workers=2, processes=processes)
    assert list(threads) == [1, 1, 1]
    assert cv2.getNumThreads() == before


@pytest.mark.slow
def test_processes_end_with_their_parent(tmp_path: Path) -> None:
    program = f"""
import os, pathlib, time
from penstock.evaluation.case_workers import each_case
def work(number):
    pathlib.Path({str(tmp_path)!r}, str(os.getpid())).touch()
    time.sleep(600)
list(each_case(work, range(2), workers=2, processes=True))
"""
    environment = {"PYTHONPATH": str(Path(penstock.__file__).parent.parent)}
    parent = subprocess.Popen([sys.executable, "-c", program], env=environment)
    deadline = time.monotonic() + 60
    while len(found := [int(path.name) for path in tmp_path.iterdir()]) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    parent.kill()
    parent.wait()
    while any(alive(pid) for pid in found):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether a process still runs."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_as_many_workers_as_cores_and_cases() -> None:
    cores = len(os.sched_getaffinity(0))
    assert worker_count(1000) == min(cores, 4)
    assert worker_count(1) == worker_count(0) == 1


@pytest.mark.slow
def test_two_at_a_time_are_processes_and_come_in_order() -> None:
    assert list(two_at_a_time(lambda number: number * 2, [3, 1, 2])) == [6, 2, 4]
    pids = set(two_at_a_time(lambda _: os.getpid(), range(8)))
    assert len(pids) <= 2
    assert (os.getpid() in pids) == (worker_count(8) == 1)
    assert list(two_at_a_time(lambda number: number, [])) == []
