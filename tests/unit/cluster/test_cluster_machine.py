"""What the cluster refuses, in one clear message: not root, another's directory, a taken port, too little room."""

from __future__ import annotations

import os
import re
import shutil
import socket
from pathlib import Path

import pytest
from tests.cluster import __main__ as program
from tests.cluster import machine, ports
from tests.cluster.settings import Settings

from penstock.foundation.errors import PenstockError

TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:2EE0 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 101 1 0000 100 0 0 10 0
   1: 0100F50A:192B 0100F40A:8000 01 00000000:00000000 00:00000000 00000000     0        0 102 1 0000 100 0 0 10 0
   2: 00000000:1388 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 103 1 0000 100 0 0 10 0
"""
TCP6 = """\
  sl  local_address                         remote_address                        st
   0: 00000000000000000000000000000000:280A 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 104 1
   1: 0000000000000000FFFF00000100007F:0050 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 105 1
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(cache=tmp_path / "cache", state=tmp_path / "state")


def test_not_root_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert program.main(["up"]) == 2
    assert capsys.readouterr().err == (
        "cluster: the cluster needs root: it makes network interfaces, mounts and namespaces. Run it with sudo.\n"
    )


def test_another_system_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.sys, "platform", "darwin")
    with pytest.raises(PenstockError, match="Linux only, and this is darwin"):
        machine.require_linux_root()


def test_a_directory_of_somebody_else_is_never_taken(settings: Settings) -> None:
    settings.state.mkdir()
    machine.require_own(settings.state)
    (settings.state / "thesis.txt").write_text("years of work")
    with pytest.raises(PenstockError, match="is not empty and no cluster of ours"):
        machine.require_own(settings.state)
    machine.create_state(settings.state)
    machine.require_own(settings.state)


def test_too_little_memory_is_told_in_numbers(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "PROGRAMS_BYTES", 0)
    monkeypatch.setattr(machine, "CLUSTER_BYTES", 0)
    monkeypatch.setattr(machine, "MEMORY_BYTES", 1 << 60)
    with pytest.raises(PenstockError, match=r"GiB of memory available, and the cluster needs 1073741824\.0 GiB"):
        machine.require_room(settings)


def test_too_little_disk_is_told_in_numbers(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is on one disk is counted together: neither alone would be too much."""
    free = shutil.disk_usage(settings.state.parent).free
    monkeypatch.setattr(machine, "PROGRAMS_BYTES", free // 2 + (1 << 30))
    monkeypatch.setattr(machine, "CLUSTER_BYTES", free // 2 + (1 << 30))
    with pytest.raises(PenstockError) as caught:
        machine.require_room(settings)
    said = str(caught.value)
    assert re.search(r"[\d.]+ GiB free on this disk, and the cluster needs [\d.]+ GiB for the cluster itself", said)
    for word in (str(settings.state), str(settings.cache), "PENSTOCK_CLUSTER_DIR", "PENSTOCK_CACHE"):
        assert word in said


def test_programs_that_are_built_need_no_room(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "PROGRAMS_BYTES", 1 << 60)
    monkeypatch.setattr(machine, "CLUSTER_BYTES", 0)
    monkeypatch.setattr(machine, "MEMORY_BYTES", 0)
    monkeypatch.setattr(machine.binaries, "missing", lambda _: [])
    machine.require_room(settings)


def test_a_cluster_that_is_there_has_its_room(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "CLUSTER_BYTES", 1 << 60)
    settings.state.mkdir()
    settings.facts.write_text("{}")
    machine.require_room(settings)


def test_the_available_memory_is_read() -> None:
    assert machine.memory_available("MemTotal:  9 kB\nMemAvailable:    2048 kB\n") == 2 << 20


def test_listeners_are_read_with_their_addresses() -> None:
    assert [(one.address, one.port, one.inode) for one in ports.parse(TCP)] == [
        ("127.0.0.1", 12000, "101"),
        ("0.0.0.0", 5000, "103"),
    ]
    assert [(one.address, one.port) for one in ports.parse(TCP6)] == [("::", 10250), ("127.0.0.1", 80)]


@pytest.mark.parametrize(
    ("listening", "wanted", "conflict"),
    [
        ("0.0.0.0", "10.245.0.1", True),
        ("::", "127.0.0.1", True),
        ("10.245.0.1", "10.245.0.1", True),
        ("192.0.2.2", "0.0.0.0", True),
        ("127.0.0.1", "10.245.0.1", False),
    ],
)
def test_which_listeners_are_in_the_way(listening: str, wanted: str, conflict: bool) -> None:
    assert ports.conflicts(ports.Listener(listening, 5000, "1"), wanted, 5000) is conflict
    assert not ports.conflicts(ports.Listener(listening, 5001, "1"), wanted, 5000)


def test_a_taken_port_is_named_with_who_has_it(settings: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PenstockError, match=rf"{port} \(registry\) by \S+.* \(pid {os.getpid()}\)"):
            ports.require_free(Settings(settings.cache, settings.state, address="127.0.0.1", registry_port=port))


def test_one_command_at_a_time(settings: Settings) -> None:
    with program.locked(settings), pytest.raises(PenstockError, match="is running"), program.locked(settings):
        pass
    with program.locked(settings):
        pass
