"""What may harm a service, and what comes of it."""

from __future__ import annotations

from array import array
from pathlib import Path

import pytest
from tests.unit.evaluation.put_loads import put

from penstock.contract.serving import Load
from penstock.evaluation.harmed_service import _lost, harms
from penstock.load.timeline import RequestEnding, Timeline


def test_what_is_done_is_what_the_contract_asks_for() -> None:
    assert len(harms(Load.model_validate({"rate": 5}))) == 5
    assert len(harms(Load.model_validate({"rate": 5, "concurrency": 2}))) == 6
    nothing = dict.fromkeys(("together", "twice", "stop", "recover", "oom"), False)
    assert harms(Load.model_validate({"rate": 5} | nothing)) == []


@pytest.mark.slow
def test_one_that_is_asked_to_end_and_does_not(tmp_path: Path) -> None:
    found, _ = put(tmp_path, {"stop": True, "stop_s": 0.5}, deaf=True)
    assert found.stop is not None
    assert (found.stop.ended_s, found.stop.lost) == (None, 0)
    assert found.stop.sent > 5


@pytest.mark.slow
def test_one_that_dies_at_twice_the_rate(tmp_path: Path) -> None:
    """After 1 + 33 + 30 requests, in the second of three loads."""
    found, told = put(tmp_path, {"twice": True, "stop": True}, dies_at=80)
    assert found.fault is None
    assert found.overload is not None
    assert found.overload.problem == "at twice the load it exited with code 3; the end of its log: out of handles"
    assert found.stop is not None, "the rest is put to a new one"
    assert len(told) == 4


def test_what_is_lost_was_sent_before_it_was_asked_to_end() -> None:
    endings = [RequestEnding.GOOD, RequestEnding.RESET, RequestEnding.RESET, RequestEnding.REFUSED, RequestEnding.RESET]
    sent = [0.1, 0.9, 0.95, 1.1, 1.2]
    timeline = Timeline(due=array("d", sent), sent=array("d", sent), ending=array("b", endings), resent=array("l", [2]))
    assert _lost(timeline, 1.0) == [1]


@pytest.mark.slow
def test_requests_at_the_same_time_get_their_own_answers(tmp_path: Path) -> None:
    found, told = put(tmp_path, {"together": True, "concurrency": 3})
    assert found.mixed is not None
    assert (found.mixed.requests, found.mixed.at_once, found.mixed.answered, found.mixed.wrong) == (1, 2, 8, 0)
    assert found.saturation is not None
    assert found.saturation.p50_ms is not None
    assert found.saturation.p99_ms is not None
    assert 0 < found.saturation.p50_ms <= found.saturation.p99_ms
    assert told[2].startswith("3/4 0 of 8 answers wrong")


@pytest.mark.slow
def test_answers_that_are_spoilt_by_others(tmp_path: Path) -> None:
    found, _ = put(tmp_path, {"together": True}, mixes=True, answers_s=0.1)
    assert found.mixed is not None
    assert found.mixed.wrong >= 4
    assert found.mixed.sample == "neither its own answer nor another's"


@pytest.mark.slow
def test_out_of_memory_ends_the_only_process_and_it_is_started_again(tmp_path: Path) -> None:
    found, told = put(tmp_path, {"stop": True, "oom": True})
    assert found.fault is None
    assert found.oom is not None
    assert (found.oom.problem, found.oom.by_itself) == (None, False)
    assert found.oom.killed.startswith("the first of 1 processes, with ")
    assert found.oom.ready_s is not None
    assert told[-1] == "4/4 it came back from out of memory"


@pytest.mark.slow
def test_a_worker_that_is_killed_is_replaced(tmp_path: Path) -> None:
    found, _ = put(tmp_path, {"oom": True}, workers="replaced")
    assert found.oom is not None
    assert (found.oom.problem, found.oom.by_itself) == (None, True)
    assert found.oom.killed.startswith("one of 2 processes, with ")


@pytest.mark.slow
def test_a_worker_that_is_killed_and_left_alone(tmp_path: Path) -> None:
    found, _ = put(tmp_path, {"oom": True}, ready_timeout_s=2.0, workers="left alone")
    assert found.oom is not None
    assert found.oom.problem == (
        "nothing starts it again, since its first process lives on, and the service was not ready after 2 s: nothing "
        "answered on its port"
    )
    assert (found.oom.by_itself, found.oom.ready_s) == (True, None)


@pytest.mark.slow
def test_one_that_does_not_start_on_what_it_left_when_memory_ran_out(tmp_path: Path) -> None:
    found, _ = put(tmp_path, {"oom": True}, lock=True)
    assert found.oom is not None
    assert "before it was ready, the service exited with code 1" in (found.oom.problem or "")
