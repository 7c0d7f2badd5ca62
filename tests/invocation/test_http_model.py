"""The HTTP driver against real services that misbehave."""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.contract.models import Case, Contract
from penstock.foundation.errors import WorldError
from penstock.invocation import http, sandbox
from penstock.invocation.driver import start
from penstock.invocation.launch import descendants
from penstock.invocation.model import CallResult
from penstock.invocation.model_process import GRACE_S

MakeCase = Callable[[str], tuple[Case, dict[str, Path]]]
MakeContract = Callable[..., Contract]


def cmdline(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


class Bench:
    """Starts the service and puts orders to it."""

    def __init__(self, tmp_path: Path, repository: Path, case: MakeCase) -> None:
        self.source = repository
        self.scratch = tmp_path / "scratch"
        self.log = tmp_path / "model.log"
        self.inputs = tmp_path / "inputs"
        self.inputs.mkdir(exist_ok=True)
        self.output = tmp_path / "bundle" / "output.mp4"
        self.case = case

    def calls(self, contract: Contract, *orders: str, timeout_s: float = 20.0) -> list[CallResult]:
        results = []
        with start(contract, self.source, self.scratch, self.log, readable=(self.inputs,)) as model:
            for order in orders:
                self.output.unlink(missing_ok=True)
                made, inputs = self.case(order)
                result = model.call(made, inputs, self.output, timeout_s)
                assert self.output.exists() == (result.status == "ok")
                assert model.warm == (result.status == "ok") or result.status == "failed"
                results.append(result)
        assert not self.scratch.exists()
        return results


@pytest.fixture
def bench(tmp_path: Path, repository: Path, case: MakeCase) -> Bench:
    return Bench(tmp_path, repository, case)


def test_good_answer_is_kept_with_latency_and_memory(bench: Bench, service_contract: MakeContract) -> None:
    first, second = bench.calls(service_contract(), "ok", "big")
    assert first.status == "ok"
    assert first.error is None
    assert first.http_status == 200
    assert first.latency_s is not None
    assert first.peak_memory_mib is not None
    assert second.peak_memory_mib is not None
    assert 5 < first.peak_memory_mib < 100
    assert second.peak_memory_mib > first.peak_memory_mib + 100
    assert bench.output.read_bytes() == b"VIDEO"


@pytest.mark.parametrize(
    ("order", "status", "message"),
    [
        ("500", 500, "the model answered 500: out of memoryxxx"),
        ("control", 422, r"the model answered 422: \x1b[2J bad input"),
        ("wrong", 200, "the model answered 'application/json' where 'video/mp4' was expected"),
        ("empty", 200, "the model's answer is empty"),
        ("redirect", 302, "the model answered 302: (nothing)"),
        ("gzip", 200, "the model compressed its answer though it was asked not to"),
        ("cut", None, "the connection to the model broke"),
    ],
)
def test_bad_answer_is_a_recorded_failure(
    bench: Bench, service_contract: MakeContract, order: str, status: int | None, message: str
) -> None:
    failed, after = bench.calls(service_contract(), order, "ok")
    assert failed.status == "failed"
    assert failed.http_status == status
    assert failed.error is not None
    assert failed.error.startswith(message)
    assert len(failed.error) < 300
    assert after.status == "ok"


@pytest.mark.parametrize("order", ["hang", "drip"])
def test_hang_times_out_and_the_next_case_meets_a_fresh_service(
    bench: Bench, service_contract: MakeContract, order: str
) -> None:
    hung, after = bench.calls(service_contract(), order, "ok", timeout_s=1.5)
    assert hung.status == "timeout"
    assert hung.error == "the model did not answer within 1.5 s"
    assert after.status == "ok"
    assert bench.log.read_text(encoding="utf-8").count("[penstock] starting") == 2


def test_crash_in_the_middle_is_explained_and_the_service_started_again(
    bench: Bench, service_contract: MakeContract
) -> None:
    died, aborted, after = bench.calls(service_contract(), "die", "abort", "ok")
    assert (died.status, died.exit_code) == ("failed", 5)
    assert died.error is not None
    assert died.error.startswith("the model exited with code 5 during the call; the end of its log: ")
    assert "CUDA error: device lost" in died.error
    assert (aborted.status, aborted.exit_code) == ("failed", -6)
    assert aborted.error is not None
    assert "exited with code -6 (SIGABRT)" in aborted.error
    assert after.status == "ok"


def test_service_that_cannot_start_again_fails_the_cases_that_are_left(
    bench: Bench, service_contract: MakeContract
) -> None:
    contract = service_contract()
    with start(contract, bench.source, bench.scratch, bench.log, readable=(bench.inputs,)) as model:
        (bench.source / "service.py").write_text("raise SystemExit('broken now')", encoding="utf-8")
        results = [model.call(*bench.case(order), bench.output, 5.0) for order in ("die", "ok", "ok", "ok", "ok")]
    assert [result.status for result in results] == ["failed"] * 5
    assert "could not be started again: the model exited with code 1 before it was ready" in str(results[1].error)
    assert "broken now" in str(results[1].error)
    assert "no more tries" in str(results[4].error)


@pytest.mark.parametrize("mode", ["unready", "silent"])
def test_service_that_never_gets_ready(bench: Bench, service_contract: MakeContract, mode: str) -> None:
    with pytest.raises(WorldError, match=r"was not ready after 1 s \(GET /healthz") as caught:
        bench.calls(service_contract(mode, ready_timeout_s=1.0), "ok")
    assert "the end of its log" in str(caught.value)


def test_service_that_exits_while_starting(bench: Bench, service_contract: MakeContract) -> None:
    with pytest.raises(
        WorldError, match="exited with code 3 before it was ready; the end of its log: no weights found"
    ):
        bench.calls(service_contract("exits"), "ok")


def test_service_that_goes_into_the_background_has_ended(bench: Bench, service_contract: MakeContract) -> None:
    with pytest.raises(WorldError, match="the model exited with code 0 before it was ready"):
        bench.calls(service_contract("background"), "ok")


def test_service_that_ignores_sigterm_is_killed(bench: Bench, service_contract: MakeContract) -> None:
    """That nothing is left is checked after every test."""
    begin = time.monotonic()
    (result,) = bench.calls(service_contract("deaf"), "ok")
    assert result.status == "ok"
    assert time.monotonic() - begin > GRACE_S


def test_a_port_that_something_else_took_first_is_left_to_it(
    bench: Bench, service_contract: MakeContract, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "best_level", lambda **_: "landlock")
    with socket.create_server(("127.0.0.1", http.free_port())) as other:
        taken = [other.getsockname()[1]]
        free_port = http.free_port
        monkeypatch.setattr(http, "free_port", lambda: taken.pop() if taken else free_port())
        (result,) = bench.calls(service_contract(), "ok")
    assert result.status == "ok"
    assert not taken


def test_flood_of_log_neither_blocks_nor_fills_the_disk(bench: Bench, service_contract: MakeContract) -> None:
    (result,) = bench.calls(service_contract("flood"), "ok")
    assert result.status == "ok"
    text = bench.log.read_bytes()
    assert (2 << 20) - 100 <= len(text) <= (2 << 20) + 200
    assert b"bytes of log were dropped here" in text
    assert text.startswith(b"[penstock] ")


def test_daemon_of_the_service_is_ended_with_it(bench: Bench, service_contract: MakeContract) -> None:
    contract = service_contract("daemon")
    with start(contract, bench.source, bench.scratch, bench.log) as model:
        assert model.call(*bench.case("ok"), bench.output, 10.0).status == "ok"
        assert (bench.scratch / "tmp" / "daemon.pid").exists()
        sleeping = [pid for pid in descendants(os.getpid()) if b"service.py" in cmdline(pid)]
        assert len(sleeping) == 2
    assert not any(b"service.py" in cmdline(pid) for pid in sleeping)


def test_write_outside_is_refused(bench: Bench, service_contract: MakeContract, tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    for target in (tmp_path / "x", bench.source / "x", tmp_path / "bundle" / "run.json"):
        (result,) = bench.calls(service_contract(ESCAPE=str(target)), "escape")
        assert result.status == "failed"
        assert re.search("Permission denied|Read-only file system|No such file", str(result.error))
        assert not target.exists()
