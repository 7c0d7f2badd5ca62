"""A pid is ours only with its start time: another process of the same number is never taken for ours, nor signalled."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from tests.cluster import process
from tests.cluster.process import Part, PartFailed, Record
from tests.cluster.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(cache=tmp_path / "cache", state=tmp_path / "no-such-cgroup")
    settings.pids.mkdir(parents=True)
    return settings


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen(["sleep", "100"])
    yield child
    child.kill()
    child.wait()


def record_of(child: subprocess.Popen[bytes]) -> Record:
    started = process.start_time(child.pid)
    assert started is not None
    return Record(child.pid, started, process.boot_id(), argv_digest="")


def write(settings: Settings, name: str, record: Record) -> None:
    process.record_path(settings, name).write_text(json.dumps(asdict(record)))


def test_the_recorded_process_is_stopped(settings: Settings, sleeper: subprocess.Popen[bytes]) -> None:
    write(settings, "part", record_of(sleeper))
    assert process.is_running(settings, "part")
    process.stop(settings, "part")
    assert sleeper.wait(timeout=5) == -signal.SIGTERM
    assert not process.is_running(settings, "part")
    assert not process.record_path(settings, "part").exists()


def test_one_that_ignores_term_is_killed(settings: Settings) -> None:
    shell = subprocess.Popen(["sh", "-c", "trap '' TERM; echo; exec sleep 100"], stdout=subprocess.PIPE)
    assert shell.stdout is not None
    shell.stdout.readline()
    write(settings, "part", record_of(shell))
    process.stop(settings, "part", patience_s=0.2)
    assert shell.wait(timeout=5) == -signal.SIGKILL


@pytest.mark.parametrize("change", [{"started": 1}, {"boot": "another"}])
def test_another_process_with_its_number_is_left_alone(
    settings: Settings, sleeper: subprocess.Popen[bytes], change: dict[str, object]
) -> None:
    write(settings, "part", replace(record_of(sleeper), **change))
    assert not process.is_running(settings, "part")
    process.stop(settings, "part")
    assert sleeper.poll() is None


def test_a_zombie_is_dead(sleeper: subprocess.Popen[bytes]) -> None:
    record = record_of(sleeper)
    os.kill(sleeper.pid, signal.SIGKILL)
    assert process.wait_until(lambda: not record.alive, timeout_s=5)
    assert Path(f"/proc/{sleeper.pid}").exists()


def test_a_name_with_brackets_and_spaces_does_not_shift_the_start_time(tmp_path: Path) -> None:
    program = tmp_path / "a ) S 1 2"
    program.symlink_to("/bin/sleep")
    child = subprocess.Popen([program, "100"])
    try:
        time.sleep(0.05)
        assert process.start_time(child.pid) == process.start_time(child.pid)
        ticks = os.sysconf("SC_CLK_TCK")
        uptime = float(Path("/proc/uptime").read_text().split()[0])
        assert 0 <= uptime - (process.start_time(child.pid) or 0) / ticks < 10
    finally:
        child.kill()
        child.wait()


def test_a_torn_record_is_no_record(settings: Settings) -> None:
    process.record_path(settings, "part").write_text('{"pid": 1')
    assert not process.is_running(settings, "part")
    process.stop(settings, "part")


def test_a_part_that_ends_is_named_with_the_end_of_its_log(settings: Settings) -> None:
    # There is no cgroup of that name: the very first thing fails, as any program's start may.
    part = Part("some-part", ["true"], ready=lambda: False)
    with pytest.raises(PartFailed) as raised:
        process.start(settings, part)
    said = str(raised.value)
    assert "some-part did not come up" in said
    assert str(settings.logs / "some-part.log") in said
    assert not process.record_path(settings, "some-part").exists()


def test_only_the_end_of_a_log_is_told(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("".join(f"line {number}\n" for number in range(100_000)) + "x" * 5000)
    lines = process.last_lines(log, count=3)
    assert lines[:2] == ["line 99998", "line 99999"]
    assert len(lines[2]) == 400
