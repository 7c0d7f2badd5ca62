"""kind's own parser reads ``kind-config.yaml``, as it is and as ``make kind-up`` gives it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests.e2e.facts import Facts
from tests.kind.cluster import CONFIG, config

NO_DOCKER = 'exec: "docker": executable file not found'
"""What comes when the file has been read: there is no Docker where this looks."""
REFUSED = "unable to decode config"


def create(facts: Facts, folder: Path, content: str) -> str:
    """What kind says to a configuration, on a machine without Docker."""
    program = json.loads((facts.state / "cluster.json").read_text(encoding="utf-8"))["kind"]
    file = folder / "kind-config.yaml"
    file.write_text(content, encoding="utf-8")
    command = [program, "create", "cluster", "--config", str(file), "--kubeconfig", str(folder / "kubeconfig")]
    environment = {"PATH": str(folder), "HOME": str(folder)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    return done.stderr


@pytest.mark.parametrize("gpu", [True, False])
def test_kind_reads_the_configuration(facts: Facts, tmp_path: Path, gpu: bool) -> None:
    said = create(facts, tmp_path, config(gpu=gpu))
    assert NO_DOCKER in said
    assert REFUSED not in said


def test_kind_reads_the_file_as_it_is(facts: Facts, tmp_path: Path) -> None:
    assert NO_DOCKER in create(facts, tmp_path, CONFIG.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("hostPath:", "hostPat:"),
        ("containerdConfigPatches:", "containerdConfigPatch:"),
        ("  - role: worker", "  - rolle: worker"),
        ("name: penstock", "name: [penstock]"),
        ("kind.x-k8s.io/v1alpha4", "kind.x-k8s.io/v1"),
    ],
)
def test_kind_refuses_a_mistake(facts: Facts, tmp_path: Path, right: str, wrong: str) -> None:
    content = CONFIG.read_text(encoding="utf-8")
    assert right in content
    said = create(facts, tmp_path, content.replace(right, wrong))
    assert NO_DOCKER not in said
