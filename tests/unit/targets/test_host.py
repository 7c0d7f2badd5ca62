"""A machine: pulled by digest, restarted, healthy, and back. ``ssh`` is a stand-in; with a real one: tests/targets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.targets.machine import Machine, stand_in
from tests.unit.targets.pairs import pair

from penstock.foundation.errors import UsageError, WorldError
from penstock.targets.waiting import NotServingError

BEFORE = f"sha256:{'0' * 64} {'0' * 64}"
AFTER = f"sha256:{'1' * 64} {'1' * 64}"


@pytest.fixture
def booth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    found, path = stand_in(tmp_path / "booth")
    monkeypatch.setenv("PATH", path)
    return found


def test_the_pair_serves_and_goes_back(booth: Machine) -> None:
    found = booth.target()
    found.check(pair())
    state = found.state()
    found.deploy(pair(), None)
    assert (state, booth.serving) == (BEFORE, AFTER)
    assert (booth.folder / "pulled").read_text() == pair().image + "\n"
    found.restore(state)
    assert booth.serving == BEFORE


def test_one_that_is_not_healthy_is_said(booth: Machine) -> None:
    (booth.folder / "sick").touch()
    found = booth.target(timeout_s=0.05)
    with pytest.raises(NotServingError, match="'health' ended with 1"):
        found.deploy(pair(), None)
    found.restore(BEFORE)
    assert booth.serving == BEFORE


def test_an_old_container_that_still_answers_is_not_the_pair(booth: Machine) -> None:
    found = booth.target(timeout_s=0.05, restart=["true"])
    with pytest.raises(NotServingError, match=f"'health' does not name sha256:{'1' * 64}"):
        found.deploy(pair(), None)


def test_weights_that_do_not_come(booth: Machine) -> None:
    (booth.folder / "no-weights").touch()
    found = booth.target()
    with pytest.raises(WorldError, match="'weights' ended with 9: no such file"):
        found.deploy(pair(), None)
    assert booth.serving == BEFORE
    with pytest.raises(UsageError, match="nothing brings the release's weights"):
        booth.target(weights=None).check(pair())
    booth.target(weights=None).check(pair(weights=False))


def test_what_a_release_says_is_no_shell_command(booth: Machine, tmp_path: Path) -> None:
    version = f"1.0; touch {tmp_path}/broken-out; $(touch {tmp_path}/so-too) 'x"
    found = booth.target(restart=["echo", "{version}"], timeout_s=0.01)
    with pytest.raises(NotServingError):
        found.deploy(pair(version), None)
    assert [path.name for path in tmp_path.iterdir()] == ["booth"]


def test_one_that_hangs_or_says_too_much(booth: Machine) -> None:
    with pytest.raises(WorldError, match="ssh"):
        booth.target(state=["sleep", "3"], command_timeout_s=0.05).state()
    for words in (["printf", "a\\nb"], ["true"], ["printf", "%05000d", "1"]):
        with pytest.raises(WorldError, match="does not say on one line"):
            booth.target(state=words).state()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Host key verification failed.", "another host key than the one pinned"),
        ("deploy@booth: Permission denied (publickey).", r"refuses the key\. Was the key replaced\? .* 'ssh'"),
        ("ssh: connect to host booth port 22: Connection refused", "cannot be reached: ssh: connect to host"),
        ("", "cannot be reached: ssh said nothing"),
    ],
)
def test_what_ssh_itself_says(booth: Machine, said: str, told: str) -> None:
    (booth.folder / "ssh-fails").write_text(said)
    with pytest.raises(WorldError, match=told):
        booth.target().state()


def test_ssh_believes_what_was_pinned_and_nothing_else(booth: Machine) -> None:
    booth.target(port=2222).state()
    argv = (booth.folder / "argv").read_text().splitlines()
    assert argv[:2] == ["-F", "/dev/null"]
    assert {"BatchMode=yes", "StrictHostKeyChecking=yes", "IdentitiesOnly=yes", "ForwardAgent=no"} <= set(argv)
    assert argv[argv.index("-p") + 1] == "2222"
    assert argv[-3] == "--"
    assert (booth.folder / "known").read_text() == f"[127.0.0.1]:2222 {booth.host_key}\n"
    assert (booth.folder / "identity").read_text() == "600 a private key\n"


def test_what_a_program_would_take_for_an_option_is_refused(booth: Machine) -> None:
    file = replace(pair().weights[0], path="--output=/etc/passwd")
    for given in (replace(pair(), version="--force"), replace(pair(), weights=(file,))):
        with pytest.raises(UsageError, match="begins with '-'"):
            booth.target().check(given)
