"""Releases of the tiny model, good and bad, through the whole pipeline."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.pipeline.pipeline_runs import (
    SECRETS,
    STEPS,
    Ended,
    Penstock,
    archived,
    one_message,
    pointer,
    published,
)


def tasks(ended: Ended) -> dict[str, str]:
    """Pipeline task → its status, of a run with --json."""
    return {entry["pipelineTaskName"]: entry["status"] for entry in ended.status["taskRuns"]}


def test_good_release_is_published(first: Ended) -> None:
    assert first.code == 0, first.stderr
    assert (first.status["status"], first.status["exitCode"]) == ("True", 0)
    assert published(first.out) == ["1.0.0"]
    assert (first.status["verdict"], first.status["published"], first.status["reason"]) == ("pass", "1.0.0", "")
    told = pointer(first.out)
    assert told is not None
    assert (told["run_id"], told["version"]) == ("first", "1.0.0")
    assert archived(first).verdict().verdict == "pass"
    assert '"kind":"video"' in (first.bundle.report / "index.html").read_text(encoding="utf-8")
    assert first.step_status() == dict.fromkeys(STEPS[:-2], "done")


def test_secrets_reach_neither_the_model_nor_the_evidence(first: Ended) -> None:
    said = (first.bundle.path / "logs" / "model.log").read_text(encoding="utf-8")
    assert said.count("environment: {") == 2
    assert "AWS_" not in said
    assert "LD_LIBRARY_PATH" not in said
    for path in first.out.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(secret.encode() in content for secret in SECRETS.values()), path


def test_second_run_over_the_same_is_unchanged(released: Penstock, first: Ended) -> None:
    again = released.run("v1.0.0", "again")
    assert again.code == 0, again.stderr
    status = again.step_status()
    assert (status["infer"], status["measure"]) == ("unchanged", "unchanged")
    # the model was not even started, and the log, the record and the page say so
    assert "not run: infer" in again.stderr.splitlines()
    assert "plan: unchanged: " in again.stderr
    inference = again.bundle.run().inference
    assert inference is not None
    assert (inference.unchanged, inference.shards) == (True, [])
    assert "outputs of an earlier run" in (again.bundle.report / "index.html").read_text(encoding="utf-8")
    assert again.bundle.invocations() == first.bundle.invocations()
    assert archived(again).verdict().verdict == "pass"
    assert again.bundle.measurements() == first.bundle.measurements()
    # the same release is not published twice, and its evidence stays that of the first run
    assert published(released.out) == ["1.0.0"]
    told = pointer(released.out)
    assert told is not None
    assert told["run_id"] == "first"


def test_better_release_moves_the_baseline(released: Penstock) -> None:
    ended = released.run("v1.0.1", "second")
    assert ended.code == 0, ended.stderr
    assert published(released.out) == ["1.0.0", "1.0.1"]
    told = pointer(released.out)
    assert told is not None
    assert told["run_id"] == "second"
    compared = {rule.metric: rule.baseline for rule in archived(ended).verdict().rules}
    assert compared["sharpness"] is not None


def was_rejected(ended: Ended, rule: str, reason: str) -> None:
    """The run over ``released`` ended as a rejection, for this reason; what was released before is untouched."""
    assert ended.code == 1, ended.stderr
    assert ended.status["exitCode"] == 1
    assert ended.status["status"] == "False"
    verdict = archived(ended).verdict()
    assert verdict.verdict == "fail"
    failing = {line.metric: line.reason for line in verdict.rules if line.verdict == "fail"}
    assert reason in failing[rule]
    assert published(ended.out) == ["1.0.0"]
    kept = pointer(ended.out)
    assert kept is not None
    assert kept["run_id"] == "first"
    assert "not run: publish" in ended.stderr.splitlines()
    # a verdict is no error: the end says it, once, and offers nothing that cannot change it
    assert "error: " not in ended.stderr
    assert "tried again" not in ended.stderr
    told = ended.status
    assert (told["verdict"], told["published"]) == ("fail", None)
    assert reason in told["reason"]
    assert Path(told["report"]).is_file()
    assert Path(told["bundle"]).samefile(ended.bundle.path)


@pytest.mark.parametrize("tag", ["v1.2.0", "v1.3.0"], ids=["crashes-on-one-case", "crashes-always"])
def test_release_that_crashes_is_rejected(released: Penstock, tag: str) -> None:
    before = pointer(released.out)
    was_rejected(released.run(tag, "bad", "--json"), "sharpness", "no face found")
    assert pointer(released.out) == before


def test_release_of_wrong_duration_is_rejected_also_when_resumed(released: Penstock) -> None:
    before = pointer(released.out)
    was_rejected(released.run("v1.1.0", "bad", "--json"), "duration_error", "0.32")
    ended = released.resume("bad")
    assert ended.code == 1
    assert "infer: done before" in ended.stderr
    assert published(released.out) == ["1.0.0"]
    assert pointer(released.out) == before


def test_finished_run_that_is_resumed_stays_as_it_is(released: Penstock) -> None:
    before = sorted((path, path.stat().st_mtime_ns) for path in (released.out / "store").rglob("*"))
    ended = released.resume("first", "--json")
    assert ended.code == 0, ended.stderr
    assert ended.status["exitCode"] == 0
    assert sorted((path, path.stat().st_mtime_ns) for path in (released.out / "store").rglob("*")) == before
    assert "started" not in ended.stderr


def test_name_is_taken_once(released: Penstock) -> None:
    ended = released.run("v1.0.1", "first")
    assert ended.code == 2
    assert "--resume first" in one_message(ended)
    assert archived(ended).run().source is not None
    assert published(released.out) == ["1.0.0"]


def test_a_refusal_at_the_start_does_not_use_up_the_name(penstock: Penstock) -> None:
    for arguments in (("v9.9.9", "again"), ("v1.0.0", "again", "--param", "shards=none")):
        ended = penstock.run(*arguments)
        assert ended.code == 2, ended.stderr
        assert "--resume" not in ended.stderr + ended.stdout
        assert "tried again" not in ended.stderr
    ended = penstock.run("v1.0.0", "again", track="verify")
    assert ended.code == 0, ended.stderr
    assert ended.stdout.splitlines()[-1].startswith(
        "tiny 1.0.0: accepted. Nothing is published on this track. Report: "
    )


def test_verify_publishes_nothing(penstock: Penstock) -> None:
    ended = penstock.run("v1.0.0", "quick", "--json", track="verify")
    assert ended.code == 0, ended.stderr
    assert [call.case for call in ended.bundle.invocations()] == ["one"]
    assert not (penstock.out / "store").exists()
    assert "environment" in (ended.bundle.path / "logs" / "check-smoke.log").read_text(encoding="utf-8")
    assert json.loads(ended.stdout)["exitCode"] == 0
