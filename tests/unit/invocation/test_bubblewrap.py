"""The command line of ``bwrap``: nothing is there that is not named."""

from __future__ import annotations

from pathlib import Path

from penstock.invocation.bubblewrap import Bubblewrap


def command(tmp_path: Path, *, network: bool) -> list[str]:
    wall = Bubblewrap("/usr/bin/bwrap", "0.8.0")
    readable = [str(tmp_path), str(tmp_path / "gone")]
    return wall.command(["prog", "x"], readable=readable, writable=[str(tmp_path / "w")], devices=[], network=network)


def test_only_what_is_named_and_there_is_mounted(tmp_path: Path) -> None:
    (tmp_path / "w").mkdir()
    words = command(tmp_path, network=False)
    assert words[0] == "/usr/bin/bwrap"
    assert words[-3:] == ["--", "prog", "x"]
    text = " ".join(words)
    assert f"--ro-bind {tmp_path} {tmp_path}" in text or f"--ro-bind-try {tmp_path} {tmp_path}" in text
    assert f"--bind {tmp_path}/w {tmp_path}/w" in text or f"--bind-try {tmp_path}/w {tmp_path}/w" in text
    assert "--ro-bind / /" not in text
    assert "--dev-bind / /" not in text


def test_network_is_shared_only_where_hosts_are_named(tmp_path: Path) -> None:
    (tmp_path / "w").mkdir()
    without, with_network = command(tmp_path, network=False), command(tmp_path, network=True)
    assert without != with_network
    assert ("--share-net" in with_network) or ("--unshare-net" in without and "--unshare-net" not in with_network)
