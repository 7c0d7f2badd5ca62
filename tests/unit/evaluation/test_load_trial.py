"""What a load does to a service: every way in which one fails is a result with one reason, after a limited time."""

from __future__ import annotations

from array import array
from pathlib import Path
from typing import Any

import pytest
from tests.pipeline.loaded_service import ALONE, LOAD, loaded_files

from penstock.bundle.load_record import LoadPart
from penstock.bundle.shards import Shard
from penstock.contract.load import load_contract, load_suite
from penstock.contract.models import Contract
from penstock.evaluation.load_trial import _lost, put_load
from penstock.foundation.errors import UsageError
from penstock.invocation import memory_line
from penstock.invocation.driver import hold_service
from penstock.load.timeline import RequestEnding, Timeline

SHORT = LOAD | ALONE | {"rate": 30.0, "seconds": 1.0, "warmup_s": 0.1}


def put(
    folder: Path, load: dict[str, Any], *, part: str = "1/1", ready_timeout_s: float = 20.0, **how: Any
) -> tuple[LoadPart, list[str]]:
    for name, content in loaded_files(SHORT | load, how).items():
        path = folder / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    contract = load_contract(folder / "source")
    suite = load_suite(folder / "source", contract)
    told: list[str] = []
    with hold_service(_limited(contract, ready_timeout_s), folder / "source", folder / "s", folder / "log") as service:
        found = put_load(
            _limited(contract, ready_timeout_s),
            suite,
            folder / "source",
            service,
            Shard.parse(part),
            folder,
            on_progress=lambda done, total, what: told.append(f"{done}/{total} {what}"),
        )
    return found, told


def _limited(contract: Contract, ready_timeout_s: float) -> Contract:
    assert contract.call.http is not None
    http = contract.call.http.model_copy(update={"ready_timeout_s": ready_timeout_s})
    return contract.model_copy(update={"call": contract.call.model_copy(update={"http": http})})


def test_the_first_half_is_the_start_and_the_rate_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_line, "cards", lambda: ("a card, which no machine of ours has",))
    monkeypatch.setattr(memory_line, "gpu_mib_of", lambda pids: 555.0 if pids else None)
    found, told = put(tmp_path, {"seconds": 2.0, "twice": True, "stop": True, "recover": True}, part="1/2")
    assert (found.part, found.fault, found.seconds) == ("1/2", None, 1.0)
    assert (found.overload, found.stop, found.recovery) == (None, None, None)
    assert found.requests is not None
    assert len(found.requests.due_s) == 33
    assert set(found.requests.ending) == {1}
    assert found.memory is not None
    assert found.gpu_memory is not None
    assert set(found.gpu_memory.mib) == {555.0}
    assert len(found.gpu_memory.mib) > 20
    assert told[1].startswith("2/2 ")


def test_one_that_is_asked_to_end_and_does_not(tmp_path: Path) -> None:
    found, _ = put(tmp_path, {"stop": True, "stop_s": 0.5}, deaf=True)
    assert found.stop is not None
    assert (found.stop.ended_s, found.stop.lost) == (None, 0)
    assert found.stop.sent > 5


def test_one_that_never_becomes_ready(tmp_path: Path) -> None:
    found, _ = put(tmp_path, {}, ready_timeout_s=0.8, loads_s=600)
    assert found.fault == "the service was not ready after 0.8 s: it answered 503"
    assert found.requests is None
    assert found.start is not None
    assert (found.start.ready_s, found.start.not_ready_statuses) == (None, [503])


def test_one_that_listens_elsewhere(tmp_path: Path) -> None:
    found, _ = put(tmp_path, {}, ready_timeout_s=0.8, elsewhere=True)
    # where the kernel has Landlock it may not even listen there
    assert (found.fault or "").endswith(("nothing answered on its port", "Permission denied"))


def test_one_that_goes_into_the_background(tmp_path: Path) -> None:
    found, _ = put(tmp_path, {}, daemonises=True)
    assert (found.fault or "").startswith("before it was ready, the service exited with code 0; the end of its log:")


def test_one_that_dies_at_twice_the_rate(tmp_path: Path) -> None:
    """After 1 + 33 + 30 requests, in the second of three loads."""
    found, told = put(tmp_path, {"twice": True, "stop": True}, dies_at=80)
    assert found.fault is None
    assert found.overload is not None
    assert found.overload.problem == "at twice the load it exited with code 3; the end of its log: out of handles"
    assert found.stop is not None, "the rest is put to a new one"
    assert len(told) == 4


def test_a_contract_without_a_load(tmp_path: Path) -> None:
    for name, content in loaded_files(SHORT, {}).items():
        path = tmp_path / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    contract = load_contract(tmp_path / "source")
    suite = load_suite(tmp_path / "source", contract)
    plain = contract.model_copy(update={"load": None})
    with (
        hold_service(contract, tmp_path / "source", tmp_path / "s", tmp_path / "log") as service,
        pytest.raises(UsageError, match="no load"),
    ):
        put_load(plain, suite, tmp_path, service, Shard(1, 1), tmp_path, on_progress=lambda *_: None)


def test_what_is_lost_was_sent_before_it_was_asked_to_end() -> None:
    endings = [RequestEnding.GOOD, RequestEnding.RESET, RequestEnding.RESET, RequestEnding.REFUSED, RequestEnding.RESET]
    sent = [0.1, 0.9, 0.95, 1.1, 1.2]
    timeline = Timeline(due=array("d", sent), sent=array("d", sent), ending=array("b", endings), resent=array("l", [2]))
    assert _lost(timeline, 1.0) == [1]
