"""A service that is started, asked, signalled and started again, by the same port and on what it has left."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.pipeline.loaded_service import LOAD, loaded_files

from penstock.contract.load import input_path, load_contract, load_suite
from penstock.contract.models import Case
from penstock.foundation.errors import WorldError
from penstock.invocation.driver import hold_service
from penstock.invocation.service_process import ServiceProcess
from penstock.load.exchange import Exchange
from penstock.load.exchange import exchange as raw_exchange
from penstock.load.load_request import LoadRequest
from penstock.load.timeline import RequestEnding

LIMIT_S = 20.0


@contextmanager
def held(folder: Path, **how: Any) -> Iterator[tuple[ServiceProcess, Case, dict[str, Path]]]:
    for name, content in loaded_files(LOAD, how).items():
        path = folder / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    contract = load_contract(folder / "source")
    case = load_suite(folder / "source", contract).cases[0]
    inputs = {name: input_path(folder / "source", contract, file) for name, file in case.inputs.items()}
    with hold_service(contract, folder / "source", folder / "scratch", folder / "log") as service:
        yield service, case, inputs


def ready(service: ServiceProcess) -> list[Exchange]:
    """All probes until the first good one."""
    found: list[Exchange] = []
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline and not (found and found[-1].good):
        found.append(service.probe())
        time.sleep(0.02)
    return found


@pytest.mark.slow
def test_from_its_start_to_its_recovery(tmp_path: Path) -> None:
    with held(tmp_path, loads_s=0.4) as (service, case, inputs):
        assert service.ended() == "is not started"
        assert service.probe().ending is RequestEnding.REFUSED
        service.start()
        probes = ready(service)
        assert 503 in [probe.status for probe in probes[:-1]]
        assert probes[-1].good
        answer = service.ask(case, inputs, "", LIMIT_S, tmp_path / "answer")
        assert (answer.good, answer.status, (tmp_path / "answer").exists()) == (True, 200, False)
        over_the_wire = raw_exchange(
            service.destination, LoadRequest("GET", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), LIMIT_S
        )
        assert over_the_wire.good
        assert service.ended() is None
        port = service.destination.port
        assert service.send_signal(signal.SIGKILL)
        assert "SIGKILL" in (service.ended(LIMIT_S) or "")
        assert not service.send_signal(signal.SIGKILL)
        gone = raw_exchange(service.destination, LoadRequest("GET", b""), 1.0)
        assert gone.ending is RequestEnding.REFUSED
        service.start(on_what_was_left=True)
        assert service.destination.port == port
        assert ready(service)[-1].good


@pytest.mark.slow
def test_an_answer_that_is_none_is_no_good_one(tmp_path: Path) -> None:
    with held(tmp_path, lies=True, loads_s=600.0) as (service, case, inputs):
        service.start()
        assert ready(service)[-1].good
        answer = service.ask(case, inputs, "", LIMIT_S, tmp_path / "answer")
        assert (answer.good, answer.status) == (False, 500)
        assert "no model yet" in answer.message


@pytest.mark.slow
def test_a_signal_meets_the_first_process_alone_and_may_be_ignored(tmp_path: Path) -> None:
    with held(tmp_path, deaf=True) as (service, _, _):
        service.start()
        ready(service)
        assert service.send_signal(signal.SIGTERM)
        assert service.ended(0.3) is None


@pytest.mark.slow
def test_one_that_daemonises_has_ended(tmp_path: Path) -> None:
    with held(tmp_path, daemonises=True) as (service, _, _):
        service.start()
        assert (service.ended(LIMIT_S) or "").startswith("exited with code 0")


@pytest.mark.slow
def test_what_a_killed_one_has_left_is_there_for_the_next(tmp_path: Path) -> None:
    with held(tmp_path, lock=True) as (service, _, _):
        service.start()
        ready(service)
        service.send_signal(signal.SIGKILL)
        service.ended(LIMIT_S)
        service.start(on_what_was_left=True)
        assert "another one holds the lock" in (service.ended(LIMIT_S) or "")


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with held(tmp_path) as (service, _, _):
        service._contract = service._contract.model_copy(
            update={
                "call": service._contract.call.model_copy(
                    update={"http": service._http.model_copy(update={"argv": ["no-such-program"]})}
                )
            }
        )
        with pytest.raises(WorldError, match="no-such-program"):
            service.start()
