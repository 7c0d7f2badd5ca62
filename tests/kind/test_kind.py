"""``make kind-up``: what it asks for, and what it does in which order.

There is no Docker where these tests run: programs that write down how they were called stand for it. That kind's own
parser takes the configuration is shown in ``tests/e2e/test_kind.py``.
"""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

import pytest
import yaml
from tests.kind import cluster
from tests.kind.__main__ import main
from tests.kind.programs import MOUNT_SETTING, missing

from penstock.foundation.errors import WorldError

STAND_IN = """#!{python} -IS
import json, os, sys
name, arguments, stdin = os.path.basename(sys.argv[0]), sys.argv[1:], "" if sys.stdin.isatty() else sys.stdin.read()
with open({log!r}, "a") as log:
    log.write(json.dumps([name, *arguments, stdin]) + "\\n")
answers = json.loads({answers!r})
line = " ".join([name, *arguments])
for start, (code, text) in answers.items():
    if line.startswith(start):
        print(text)
        sys.exit(code)
"""
CARD = {"metadata": {"name": "penstock-worker"}, "status": {"allocatable": {"nvidia.com/gpu": "1"}}}
ANSWERS = {
    "docker info": (0, json.dumps({"DefaultRuntime": "nvidia"})),
    "docker inspect": (0, json.dumps({"bridge": {}})),
    "kind get nodes": (0, "penstock-control-plane\npenstock-worker"),
    "kubectl --context kind-penstock get nodes": (0, json.dumps({"items": [CARD]})),
}
EVERYTHING = ("docker", "kind", "kubectl", "buildah", "nvidia-smi", "nvidia-ctk", "make")


class Machine:
    """A PATH with stand-ins."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder / "bin"
        self.folder.mkdir()
        self.log = folder / "log"
        monkeypatch.setenv("PATH", str(self.folder))

    def has(self, *names: str, **answers: object) -> None:
        """Install programs."""
        for name in names:
            text = STAND_IN.format(python=sys.executable, log=str(self.log), answers=json.dumps({**ANSWERS, **answers}))
            (self.folder / name).write_text(text, encoding="utf-8")
            (self.folder / name).chmod(stat.S_IRWXU)

    def calls(self) -> list[list[str]]:
        """How they were called: name, arguments, standard input."""
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


@pytest.fixture
def runtime_config(tmp_path: Path) -> Path:
    file = tmp_path / "config.toml"
    file.write_text(f"{MOUNT_SETTING} = true\n[nvidia-container-cli]\n", encoding="utf-8")
    return file


def test_everything_that_is_missing_is_said_at_once(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["up"]) == 2
    said = capsys.readouterr().err
    for program in ("docker", "kind", "kubectl", "buildah"):
        assert f"the program {program} is not there" in said
    assert "Traceback" not in said


def test_nothing_is_missing(machine: Machine, runtime_config: Path) -> None:
    machine.has(*EVERYTHING)
    assert missing(gpu=True, runtime_config=runtime_config) == []


def test_a_docker_that_does_not_answer(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.has(
        *EVERYTHING, **{"docker info": (1, "Cannot connect to the Docker daemon at unix:///var/run/docker.sock")}
    )
    assert main(["up", "--gpu=none"]) == 2
    assert "the Docker daemon does not answer: Cannot connect" in capsys.readouterr().err
    assert [call[:2] for call in machine.calls()] == [["docker", "info"]], "nothing was touched"


def test_a_machine_that_is_not_ready_for_cards(machine: Machine, tmp_path: Path) -> None:
    answers = {"docker info": (0, json.dumps({"DefaultRuntime": "runc"})), "nvidia-smi": (9, "no devices")}
    machine.has(*EVERYTHING, **answers)
    found = missing(gpu=True, runtime_config=tmp_path / "none.toml")
    assert [one.what for one in found] == [
        "nvidia-smi finds no card",
        "Docker's default runtime is not nvidia, so a node gets no card",
        f"{MOUNT_SETTING} is not set in {tmp_path / 'none.toml'}",
    ]
    assert all(one.todo for one in found)
    assert missing(gpu=False) == []


def test_a_machine_without_the_toolkit(machine: Machine) -> None:
    machine.has("docker", "kind", "kubectl", "buildah", "nvidia-smi")
    (one,) = missing(gpu=True)
    assert "toolkit" in one.what
    assert "GPU=none" in one.todo


def up(machine: Machine, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> list[str]:
    """The commands of a whole ``up``, each as one line without standard input."""
    monkeypatch.setattr("tests.kind.__main__.missing", lambda **_: [])
    assert main(["up", *arguments]) == 0
    return [" ".join(call[:-1]) for call in machine.calls()]


def in_order(lines: list[str], *wanted: str) -> None:
    """Each of ``wanted`` begins a line, in this order."""
    rest = iter(lines)
    for start in wanted:
        assert any(line.startswith(start) for line in rest), f"{start} … is not there, or not after what came before"


def test_up_with_a_card(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.has(*EVERYTHING)
    in_order(
        up(machine, monkeypatch),
        "docker run --detach --restart=always --publish 127.0.0.1:5001:5000 --name penstock-registry registry:",
        "kind create cluster",
        "docker network connect kind penstock-registry",
        "docker exec --interactive penstock-worker tee /etc/containerd/certs.d/localhost:5001/hosts.toml",
        "docker exec --interactive penstock-worker tee /etc/containerd/certs.d/penstock-registry:5000/hosts.toml",
        "docker exec --interactive penstock-worker bash -s",
        "kubectl --context kind-penstock apply --filename",
        "kubectl --context kind-penstock apply --server-side",
        "kubectl --context kind-penstock wait --namespace tekton-pipelines --for=condition=Available",
        "kubectl --context kind-penstock patch configmap feature-flags",
        f"make --directory {cluster.ROOT} images REGISTRY=localhost:5001",
        "kubectl --context kind-penstock apply --kustomize",
    )
    (given,) = [call[-1] for call in machine.calls() if call[:3] == ["kind", "create", "cluster"]]
    assert yaml.safe_load(given)["nodes"][1]["extraMounts"] == [
        {"hostPath": "/dev/null", "containerPath": "/var/run/nvidia-container-devices/all"}
    ]


def test_up_without_a_card(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.has(*EVERYTHING)
    lines = up(machine, monkeypatch, "--gpu=none")
    in_order(lines, "kind create cluster", "kubectl --context kind-penstock patch node penstock-worker", "make")
    assert not [line for line in lines if "bash -s" in line or "device-plugin" in line]
    (given,) = [call[-1] for call in machine.calls() if call[:3] == ["kind", "create", "cluster"]]
    assert "extraMounts" not in given


def test_up_again_keeps_what_is_there(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    there = {
        "docker ps": (0, "running"),
        "kind get clusters": (0, "other\npenstock"),
        "docker inspect": (0, json.dumps({"bridge": {}, "kind": {}})),
    }
    machine.has(*EVERYTHING, **there)
    lines = up(machine, monkeypatch, "--gpu=none")
    assert not [line for line in lines if line.startswith(("docker run", "kind create", "docker network connect"))]


def test_a_command_that_fails_is_one_message(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.has(*EVERYTHING, **{"kind create": (1, "ERROR: failed to create cluster: port 6443 is taken")})
    monkeypatch.setattr("tests.kind.__main__.missing", lambda **_: [])
    assert main(["up"]) == 4
    said = capsys.readouterr().err
    assert "kind create cluster" in said
    assert "port 6443 is taken" in said
    assert "Traceback" not in said


def test_no_card_ever_comes(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CARD_TIMEOUT_S", 0)
    bare = {"items": [{"metadata": {"name": "penstock-worker"}, "status": {"allocatable": {}}}]}
    machine.has(*EVERYTHING, **{"kubectl --context kind-penstock get nodes": (0, json.dumps(bare))})
    with pytest.raises(WorldError, match=r"no node offers nvidia\.com/gpu") as raised:
        cluster.give_cards()
    assert "logs daemonset/nvidia-device-plugin" in raised.value.todo


def test_down(machine: Machine) -> None:
    machine.has(*EVERYTHING)
    assert main(["down"]) == 0
    assert [call[:-1] for call in machine.calls()] == [
        ["kind", "delete", "cluster", "--name", "penstock"],
        ["docker", "rm", "--force", "--volumes", "penstock-registry"],
    ]


def test_down_without_docker(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["down"]) == 4
    assert "there is no program 'kind'" in capsys.readouterr().err


def test_the_versions_are_those_that_are_tested_with() -> None:
    modules = (cluster.ROOT / "tests" / "cluster" / "go" / "tekton" / "go.mod").read_text(encoding="utf-8")
    assert f"github.com/tektoncd/pipeline {cluster.PIPELINES_VERSION}" in modules
    assert f"github.com/tektoncd/triggers {cluster.TRIGGERS_VERSION}" in modules
