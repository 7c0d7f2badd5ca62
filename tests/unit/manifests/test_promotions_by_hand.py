"""A promotion that somebody starts tells the same people, and the same MLflow, as a run that an event starts."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.unit.manifests.installed import ROOT, objects, read

TOLD = ("receivers", "mlflow")


def bound(workspaces: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Workspace → what it is bound to."""
    return {entry["name"]: {key: value for key, value in entry.items() if key != "name"} for entry in workspaces}


def test_it_binds_them_as_the_releases_of_events_do() -> None:
    (run,) = read("runs/promote.yaml")
    (template,) = objects("TriggerTemplate")["release"]["spec"]["resourcetemplates"]
    here, there = bound(run["spec"]["workspaces"]), bound(template["spec"]["workspaces"])
    assert {name: here.get(name) for name in TOLD} == {name: there[name] for name in TOLD}
    assert all(there[name]["secret"]["optional"] for name in TOLD)


def test_it_binds_what_the_pipeline_has_and_needs() -> None:
    (run,) = read("runs/promote.yaml")
    declared = objects("Pipeline")["promote"]["spec"]["workspaces"]
    names = [entry["name"] for entry in run["spec"]["workspaces"]]
    assert len(names) == len(set(names))
    assert set(names) <= {entry["name"] for entry in declared}
    assert {entry["name"] for entry in declared if not entry.get("optional")} <= set(names)


@pytest.mark.parametrize(("kind", "name", "commands"), [("pipeline", "promote", 1), ("task", "move", 2)])
def test_so_do_the_documented_commands(kind: str, name: str, commands: int) -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8").replace("\\\n", " ")
    found = [line for line in text.splitlines() if line.startswith(f"tkn {kind} start {name} ")]
    assert len(found) == commands
    for line in found:
        given = dict(re.findall(r"--workspace name=([a-z-]+),(\S+)", line))
        assert {workspace: given.get(workspace) for workspace in TOLD} == {
            "receivers": "secret=penstock-receivers",
            "mlflow": "secret=penstock-mlflow",
        }
