"""Targets over the system's ssh and a real sshd at loopback: keys, hosts, a machine and a deployment repository."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.targets.deployments import VALUES, deployment_repository, file_of, service
from tests.unit.targets.machine import Machine, machine, make_key
from tests.unit.targets.pairs import pair
from tests.unit.targets.test_gitops import gitops_settings

from penstock.foundation.errors import WorldError
from penstock.targets.gitops import GitopsTarget

BEFORE = f"sha256:{'0' * 64} {'0' * 64}"
AFTER = f"sha256:{'1' * 64} {'1' * 64}"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with machine(tmp_path_factory.mktemp("booth")) as found:
        yield found


@pytest.fixture
def booth(started: Machine) -> Machine:
    (started.folder / "serving").write_text(BEFORE + "\n")
    (started.folder / "pulled").unlink(missing_ok=True)
    return started


def test_the_pair_serves_and_goes_back(booth: Machine) -> None:
    found = booth.target()
    found.check(pair())
    state = found.state()
    found.deploy(pair(), None)
    assert (state, booth.serving) == (BEFORE, AFTER)
    assert (booth.folder / "pulled").read_text() == pair().image + "\n"
    found.restore(state)
    assert booth.serving == BEFORE


def test_another_host_key_and_another_login(booth: Machine, tmp_path: Path) -> None:
    _, other = make_key(tmp_path / "other")
    with pytest.raises(WorldError, match=r"another host key than the one pinned\. If the machine's key was replaced"):
        booth.target(host_keys=[other]).state()
    # the new key beside the old one
    assert booth.target(host_keys=[other, booth.host_key]).state() == BEFORE
    key, _ = make_key(tmp_path / "login")
    with pytest.raises(WorldError, match=r"refuses the key\. Was the key replaced\? .* 'ssh'"):
        booth.target(key=key).state()
    with pytest.raises(WorldError, match="refuses the key"):
        booth.target(key=b"no key").state()


def test_nobody_there(booth: Machine) -> None:
    with pytest.raises(WorldError, match="cannot be reached"):
        booth.target(port=1).state()


def test_one_that_hangs(booth: Machine) -> None:
    with pytest.raises(WorldError, match="ssh"):
        booth.target(state=["sleep", "5"], command_timeout_s=2.0).state()


def test_a_deployment_repository_over_ssh(started: Machine, tmp_path: Path) -> None:
    shop, server = deployment_repository(tmp_path), started
    with service(lambda: file_of(shop)) as applied:
        (tmp_path / "ssh").write_bytes(server.key)
        there = {"repository": f"ssh://{getpass.getuser()}@127.0.0.1:{server.port}{shop}", "key": "ssh"}
        pinned = gitops_settings(shop, applied, **there, host_keys=[server.host_key])
        GitopsTarget("shop", pinned, tmp_path).deploy(pair(), None)
        assert file_of(shop) == VALUES.replace("0" * 64, "1" * 64)
        _, other = make_key(tmp_path / "other")
        with pytest.raises(WorldError, match="the host's ssh key is not known"):
            GitopsTarget("shop", gitops_settings(shop, applied, **there, host_keys=[other]), tmp_path).state()
