"""A machine over real SSH: pulled by digest, restarted, healthy, and back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.targets.machine import SSHD, Machine, machine, make_key
from tests.unit.targets.pairs import pair

from penstock.foundation.errors import UsageError, WorldError
from penstock.targets.host import HostTarget
from penstock.targets.waiting import NotServingError

BEFORE = f"sha256:{'0' * 64} {'0' * 64}"
AFTER = f"sha256:{'1' * 64} {'1' * 64}"
pytestmark = pytest.mark.skipif(SSHD is None, reason="there is no sshd here: install openssh-server")


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with machine(tmp_path_factory.mktemp("booth")) as found:
        yield found


@pytest.fixture
def booth(started: Machine) -> Machine:
    (started.folder / "serving").write_text(BEFORE + "\n")
    for name in ("sick", "no-weights", "pulled"):
        (started.folder / name).unlink(missing_ok=True)
    return started


def test_the_pair_serves_and_goes_back(booth: Machine) -> None:
    found = HostTarget("booth", booth.settings(), booth.key)
    found.check(pair())
    state = found.state()
    found.deploy(pair(), None)
    assert (state, booth.serving) == (BEFORE, AFTER)
    assert (booth.folder / "pulled").read_text() == pair().image + "\n"
    found.restore(state)
    assert booth.serving == BEFORE


def test_one_that_is_not_healthy_is_said(booth: Machine) -> None:
    (booth.folder / "sick").touch()
    found = HostTarget("booth", booth.settings(timeout_s=0.05), booth.key)
    with pytest.raises(NotServingError, match="'health' ended with 1"):
        found.deploy(pair(), None)
    found.restore(BEFORE)
    assert booth.serving == BEFORE


def test_an_old_container_that_still_answers_is_not_the_pair(booth: Machine) -> None:
    found = HostTarget("booth", booth.settings(timeout_s=0.05, restart=["true"]), booth.key)
    with pytest.raises(NotServingError, match=f"'health' does not name sha256:{'1' * 64}"):
        found.deploy(pair(), None)


def test_weights_that_do_not_come(booth: Machine) -> None:
    (booth.folder / "no-weights").touch()
    found = HostTarget("booth", booth.settings(), booth.key)
    with pytest.raises(WorldError, match="'weights' ended with 9: no such file"):
        found.deploy(pair(), None)
    assert booth.serving == BEFORE
    with pytest.raises(UsageError, match="nothing brings the release's weights"):
        HostTarget("booth", booth.settings(weights=None), booth.key).check(pair())
    HostTarget("booth", booth.settings(weights=None), booth.key).check(pair(weights=False))


def test_what_a_release_says_is_no_shell_command(booth: Machine, tmp_path: Path) -> None:
    version = f"1.0; touch {tmp_path}/broken-out; $(touch {tmp_path}/so-too) 'x"
    found = HostTarget("booth", booth.settings(restart=["echo", "{version}"], timeout_s=0.01), booth.key)
    with pytest.raises(NotServingError):
        found.deploy(pair(version), None)
    assert list(tmp_path.iterdir()) == []


def test_another_host_key_and_another_login(booth: Machine, tmp_path: Path) -> None:
    _, other = make_key(tmp_path / "other")
    with pytest.raises(WorldError, match=r"another host key than the one pinned\. If the machine's key was replaced"):
        HostTarget("booth", booth.settings(host_keys=[other]), booth.key).state()
    # the new key beside the old one
    assert HostTarget("booth", booth.settings(host_keys=[other, booth.host_key]), booth.key).state() == BEFORE
    key, _ = make_key(tmp_path / "login")
    with pytest.raises(WorldError, match=r"refuses the key\. Was the key replaced\? .* 'ssh'"):
        HostTarget("booth", booth.settings(), key).state()
    with pytest.raises(WorldError, match="refuses the key"):
        HostTarget("booth", booth.settings(), b"no key").state()


def test_one_that_hangs_or_says_too_much(booth: Machine) -> None:
    with pytest.raises(WorldError, match="ssh"):
        HostTarget("booth", booth.settings(state=["sleep", "3"], command_timeout_s=0.5), booth.key).state()
    for words in (["printf", "a\\nb"], ["true"], ["printf", "%05000d", "1"]):
        with pytest.raises(WorldError, match="does not say on one line"):
            HostTarget("booth", booth.settings(state=words), booth.key).state()


def test_nobody_there(booth: Machine) -> None:
    with pytest.raises(WorldError, match="cannot be reached"):
        HostTarget("booth", booth.settings(port=1), booth.key).state()
