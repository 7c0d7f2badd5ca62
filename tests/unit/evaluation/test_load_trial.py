"""What a load does to a service: every way in which one fails is a result with one reason, after a limited time."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.pipeline.loaded_service import loaded_files
from tests.unit.evaluation.put_loads import SHORT, put

from penstock.bundle.shards import Shard
from penstock.contract.load import load_contract, load_suite
from penstock.evaluation.load_trial import put_load
from penstock.foundation.errors import UsageError
from penstock.invocation import memory_line
from penstock.invocation.driver import hold_service


@pytest.mark.slow
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
    assert found.files is not None
    assert len(found.files.mib) > 20
    assert told[1].startswith("2/2 ")


@pytest.mark.slow
def test_one_that_never_becomes_ready(tmp_path: Path) -> None:
    found, _ = put(tmp_path, {}, ready_timeout_s=0.8, loads_s=600)
    assert found.fault == "the service was not ready after 0.8 s: it answered 503"
    assert found.requests is None
    assert found.start is not None
    assert (found.start.ready_s, found.start.not_ready_statuses) == (None, [503])


@pytest.mark.slow
def test_one_that_listens_elsewhere(tmp_path: Path) -> None:
    found, _ = put(tmp_path, {}, ready_timeout_s=0.8, elsewhere=True)
    # where the kernel has Landlock it may not even listen there
    assert (found.fault or "").endswith(("nothing answered on its port", "Permission denied"))


@pytest.mark.slow
def test_one_that_goes_into_the_background(tmp_path: Path) -> None:
    found, _ = put(tmp_path, {}, daemonises=True)
    assert (found.fault or "").startswith("before it was ready, the service exited with code 0; the end of its log:")


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


@pytest.mark.slow
def test_every_stated_rate_is_put_and_kept(tmp_path: Path) -> None:
    found, told = put(tmp_path, {"rate": [20, 5, 40]})
    assert (found.fault, found.rate) == (None, 20.0)
    assert found.requests is not None
    assert len(found.requests.due_s) == 22, "2 of the warm-up"
    assert [(other.rate, len(other.requests.due_s)) for other in found.at_rates] == [(5.0, 6), (40.0, 44)]
    assert all(set(other.requests.ending) == {1} for other in found.at_rates)
    assert [words.partition(" ")[0] for words in told] == ["1/4", "2/4", "3/4", "4/4"]


@pytest.mark.slow
def test_one_that_dies_at_another_rate(tmp_path: Path) -> None:
    """After 1 + 22 requests."""
    found, _ = put(tmp_path, {"rate": [20, 40], "twice": True}, dies_at=40)
    assert (found.fault or "").startswith("at 40 requests a second the service exited with code 3")
    assert len(found.at_rates) == 1
    assert found.overload is None


@pytest.mark.slow
def test_one_that_fills_its_log_is_not_held_up_by_it(tmp_path: Path) -> None:
    """Some 10 MiB: what Penstock keeps of it is bounded, and the rest is read away."""
    found, _ = put(tmp_path, {"rate": 20.0, "seconds": 1.5}, chatty=True)
    assert found.fault is None
    assert found.requests is not None
    assert set(found.requests.ending) == {1}
    kept = (tmp_path / "log").read_bytes()
    assert len(kept) < (2 << 20) + 1000
    assert b"bytes of log were dropped here" in kept
