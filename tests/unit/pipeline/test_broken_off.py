"""Runs that are killed, interrupted, or meet a full disk: nothing is left running, and --resume brings them to an end."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from pathlib import Path

import pytest

from tests.unit.pipeline.pipeline_runs import (
    LIMIT_S,
    STEPS,
    Ended,
    Orphans,
    Penstock,
    archived,
    ctrl_c,
    environment,
    kill,
    one_message,
    pointer,
    published,
)


def went_through(ended: Ended) -> None:
    """The run has ended well, as if nothing had happened."""
    assert ended.code == 0, ended.stderr
    assert archived(ended).verdict().verdict == "pass"
    assert published(ended.out) == ["1.0.0"]
    told = pointer(ended.out)
    assert told is not None
    assert told["run_id"] == ended.name
    assert set(ended.step_status()) == set(STEPS[:-2])
    assert not [path for path in (ended.out / "store").rglob("*") if path.name.startswith(".")]


@pytest.mark.parametrize("steps", [STEPS[::2], STEPS[1::2]], ids="+".join)
def test_killed_at_each_step(prepared: Penstock, orphans: Orphans, steps: tuple[str, ...]) -> None:
    """Killed at one step, resumed, killed at the next but one, …: together the two runs are killed at every step."""
    arguments = prepared.arguments("v1.0.0", "r")
    for step in steps:
        killed = prepared.signalled(arguments, "r", f"{step}: started", kill)
        assert killed.code == -9, step
        assert orphans.left() == [], step
        arguments = prepared.resume_arguments("r")
    ended = prepared.resume("r")
    went_through(ended)
    last = STEPS.index(steps[-1])
    assert [step for step in STEPS if f"{step}: done before" in ended.stderr] == list(STEPS[:last])
    assert f"{steps[-1]}: started" in ended.stderr


def test_killed_between_two_cases(penstock: Penstock, orphans: Orphans) -> None:
    penstock.signalled(penstock.arguments("v1.0.0", "r"), "r", "infer: 1/2", kill)
    assert orphans.left() == []
    (before,) = Ended(-9, "", "", penstock.out, "r").bundle.invocations()
    ended = penstock.resume("r")
    went_through(ended)
    # the case that was done is not put to the model again
    assert ended.bundle.invocations()[0] == before


def test_what_a_killed_writer_left_is_not_evidence(prepared: Penstock) -> None:
    prepared.signalled(prepared.arguments("v1.0.0", "r"), "r", "gate: started", kill)
    bundle = Ended(-9, "", "", prepared.out, "r").bundle
    # the names that a write has before it is whole
    (bundle.path / ".verdict.json.tmp-ab12cd_3").write_text("{")
    (bundle.outputs / "one" / ".output.mp4.tmp-ab12cd_3").write_bytes(b"half a vid")
    ended = prepared.resume("r")
    went_through(ended)
    assert not list(ended.bundle.path.rglob("*.tmp-*"))


def test_nothing_is_left_outside_the_run(penstock: Penstock, orphans: Orphans, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    elsewhere = dataclasses.replace(penstock, environment=environment() | {"TMPDIR": str(temporary)})
    elsewhere.signalled(penstock.arguments("v1.0.0", "r"), "r", "infer: 1/2", kill)
    assert orphans.left() == []
    went_through(elsewhere.resume("r"))
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("line", ["clone: started", "infer: 1/2"])
def test_ctrl_c(penstock: Penstock, orphans: Orphans, line: str) -> None:
    ended = penstock.signalled(penstock.arguments("v1.0.0", "r"), "r", line, ctrl_c)
    assert ended.code == 130, ended.stderr
    assert orphans.left() == []
    assert "--resume r" in one_message(ended)
    assert published(ended.out) == []
    went_through(penstock.resume("r"))
