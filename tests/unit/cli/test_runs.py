"""Runs by name: listing, opening, comparing, cleaning up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.cli.made_runs import stopped_run

from penstock.cli.app import main


def test_runs_are_listed_the_newest_first(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stopped_run(out, "broken")
    assert main(["runs", "--out", str(out)]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["run", "track", "model", "version", "verdict", "image", "weights", "age", "size"]
    assert [line[:5] for line in lines[1:]] == [
        ["broken", "release", "–", "–", "stopped"],
        ["sonic-1.1.0-b", "release", "sonic", "1.1.0", "rejected"],
        ["sonic-1.0.0-a", "release", "sonic", "1.0.0", "accepted"],
    ]
    assert lines[3][5:9] == ["–", "–", "40", "d"]


def test_runs_as_json(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "--out", str(out), "--json"]) == 0
    newest, oldest = json.loads(capsys.readouterr().out)
    assert (oldest["name"], oldest["model"], oldest["version"]) == ("sonic-1.0.0-a", "sonic", "1.0.0")
    assert newest["verdict"] == "rejected"
    assert newest["bytes"] > 100
    assert (Path(newest["bundle"]) / "run.json").is_file()


def test_no_runs_is_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "--out", str(tmp_path / "none")]) == 0
    assert "There are no runs in" in capsys.readouterr().out
    assert not (tmp_path / "none").exists()


def test_a_name_that_comes_near_is_offered(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["open", "1.1.2", "--out", str(out)]) == 2
    assert "there is no file, run or version '1.1.2'. Did you mean '1.1.0'?" in capsys.readouterr().err


def test_compare_and_gate_take_versions(out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "1.0.0", "v1.1.0", "--runs", str(out), "--json"]) == 0
    compared = json.loads(capsys.readouterr().out)
    assert compared["metrics"][0]["change"] == -4.0
    policy = tmp_path / "policy.yaml"
    policy.write_text("rules: [{metric: sharpness, min: 8}]", encoding="utf-8")
    assert main(["gate", "--candidate", "1.1.0", "--policy", str(policy), "--runs", str(out)]) == 1
    assert main(["comment", "--bundle", "1.1.0", "--dry-run", "--runs", str(out)]) == 0
    assert "sonic 1.1.0: rejected" in capsys.readouterr().out
