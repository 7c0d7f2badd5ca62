"""``penstock compare`` on files and bundles."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import typer
from tests.unit.gating.compared_sides import side
from typer.testing import CliRunner, Result

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Invocation, Machine, Run
from penstock.cli.compare import compare as command
from penstock.foundation.errors import UsageError

app = typer.Typer()
app.command()(command)
OLD = Path(__file__).parents[1] / "gating" / "bundle-of-version-1"


def write(path: Path, **metrics: dict[str, float | None]) -> Path:
    lines = [one.model_dump_json() for one in side("x", **metrics).measurements]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def bundle(path: Path, run_id: str, gpu: str = "", **metrics: dict[str, float | None]) -> Path:
    found = Bundle(path)
    machine = Machine(system="Linux", processor="x", cores=2, memory_bytes=1, python="3", gpu=gpu)
    found.update_run(Run(penstock="0.1.0", run_id=run_id, model="sonic", machine=machine))
    found.write_measurements(side("x", **metrics).measurements)
    found.write_invocations([Invocation(case=case, status="ok") for case in next(iter(metrics.values()))])
    return path


def test_bare_files_table_and_json(tmp_path: Path) -> None:
    old = write(tmp_path / "old.jsonl", lse_d={"a": 7.0, "b": 8.0}, own={"a": 1.0})
    new = write(tmp_path / "new.jsonl", lse_d={"a": 7.5, "b": 8.5, "c": 1.0})
    done = run(old, new)
    assert done.exit_code == 0, done.output
    assert "\x1b" not in done.stdout
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["metric", "baseline", "candidate", "change", "interval", "cases"] in lines
    assert ["LSE-D", "7.500", "8.000", "+0.500", "(+6.7%)", "+0.500", "…", "+0.500", "2"] in lines
    assert f"only {new} has the cases c" in done.stdout
    assert f"only {old} has the metrics own" in done.stdout
    content = json.loads(run(old, new, "--json").stdout)
    assert (content["baseline"], content["candidate"], content["verdict"]) == (str(old), str(new), None)
    assert content["metrics"][0]["change"] == 0.5
    assert [case["case"] for case in content["worst"]] == ["a", "b"]


def test_a_policy_gives_the_gates_verdict_and_exit_code(tmp_path: Path) -> None:
    old, new = write(tmp_path / "old.jsonl", lse_d={"a": 7.0}), write(tmp_path / "new.jsonl", lse_d={"a": 9.5})
    policy = tmp_path / "policy.yaml"
    policy.write_text("rules: [{metric: lse_d, max: 9}]")
    done = run(old, new, "--policy", policy, "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["verdict"]["verdict"] == "fail"
    assert run(new, old, "--policy", policy).exit_code == 0
    done = run(old, new, "--policy", policy)
    assert f"fail: {new} against the baseline {old}" in done.stdout


def test_two_bundles_that_are_not_alike_are_shown_with_a_warning_and_not_judged(tmp_path: Path) -> None:
    old = bundle(tmp_path / "old", "run-1", lse_d={"a": 7.0, "b": 8.0})
    new = bundle(tmp_path / "new", "run-2", gpu="NVIDIA H200, 1.2", lse_d={"a": 7.0, "b": 8.0})
    done = run(old, new)
    assert done.exit_code == 0
    assert "from run-1 to run-2" in done.stdout
    assert "! Not like with like. GPU model: NVIDIA H200 in the candidate, no GPU in the baseline." in done.stdout
    policy = tmp_path / "policy.yaml"
    policy.write_text("rules: [{metric: lse_d, max: 9}]")
    refused = run(old, new, "--policy", policy).exception
    assert isinstance(refused, UsageError)
    assert "GPU model" in str(refused)


@pytest.mark.slow
def test_the_page_of_two_bundles_and_of_bare_files(tmp_path: Path) -> None:
    old = bundle(tmp_path / "old", "run-1", lse_d={"a": 7.0, "b": 8.0})
    new = bundle(tmp_path / "new", "run-2", lse_d={"a": 7.5, "b": 9.0})
    files = (old / "measurements.jsonl", new / "measurements.jsonl")
    for number, pair in enumerate(((old, new), files, (OLD, new))):
        out = tmp_path / f"page-{number}"
        done = run(*pair, "--out", out)
        assert done.exit_code == 0, done.exception
        page = (out / "index.html").read_text(encoding="utf-8")
        assert "LSE-D" in page
        assert "accepted" not in page
        assert str(out / "index.html") in done.stdout
    assert not (new / "report").exists(), "a bundle that is compared stays as it is"
    assert isinstance(run(old, new, "--out", files[0]).exception, UsageError)


def test_an_edited_bundle_is_refused(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(OLD, tmp_path / "copy"))
    assert run(OLD, copy).exit_code == 0
    (copy / "measurements.jsonl").write_text('{"case": "one", "metric": "lse_d", "value": 1}\n')
    assert "changed measurements.jsonl" in str(run(OLD, copy).exception)


def test_hostile_names_drive_no_terminal(tmp_path: Path) -> None:
    hostile = "\x1b[2J\u202e[bold]x"
    old = write(tmp_path / "old.jsonl", lse_d={hostile: 7.0, "b": 1.0, hostile + "2": 1.0})
    new = write(tmp_path / "new.jsonl", lse_d={hostile: 9.0, "b": 1.0, hostile + "3": None})
    done = run(old, new)
    assert done.exit_code == 0
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout
    assert "\\x1b[2J\\u202e[bold]x" in done.stdout
