"""Whole runs and their store: two releases at once, another repository under the same name, the platform's floor."""

from __future__ import annotations

import dataclasses
import re
import shlex
from pathlib import Path

import pytest
from tests.pipeline.pipeline_runs import (
    PENSTOCK,
    Ended,
    Penstock,
    archived,
    ctrl_c,
    one_message,
    pointer,
    published,
)
from tests.unit.sources.source_servers import git
from tests.unit.store.lesser_s3 import lesser_s3

from penstock.bundle.models import Run
from penstock.releases.baseline import baseline
from penstock.releases.metric_history import past_releases
from penstock.store.open import open_store


def chain(out: Path) -> list[str]:
    """Versions from the first release to that of today, by what each replaced."""
    store = open_store(out / "store")
    history = past_releases(store, "tiny", baseline(store, "tiny"))
    assert history.note == ""
    return [release.version for release in history.releases]


def overtaken(released: Penstock) -> Ended:
    """A run of v1.0.1 that was judged against v1.0.0 while v1.0.2, judged against the same, was published."""
    late = released.signalled(released.arguments("v1.0.1", "late"), "late", "archive: started", ctrl_c)
    assert late.bundle.verdict().baseline == "first"
    other = released.run("v1.0.2", "other")
    assert other.code == 0, other.stderr
    return released.resume("late")


@pytest.mark.timeout(300)  # five runs
def test_two_tags_at_once_end_with_one_chain(released: Penstock) -> None:
    late = overtaken(released)
    assert late.code == 4, late.stderr
    said = one_message_of_the_last_try(late)
    assert "nothing was published: the released model is 1.0.2 (run 'other') now" in said
    assert published(released.out) == ["1.0.0", "1.0.2"]
    assert chain(released.out) == ["1.0.0", "1.0.2"]
    assert archived(late).verdict().verdict == "pass"
    command = f"penstock run release --out {shlex.quote(str(released.out))} --regate late"
    assert command in said
    assert "--resume" not in late.stdout, "going on with it cannot help"

    # what it says, typed as it is
    again = released.ended([PENSTOCK, *shlex.split(command)[1:], "--name", "again"], "again")
    assert again.code == 0, again.stderr
    assert re.search(r"^not run: .*\binfer\b", again.stderr, re.MULTILINE)
    verdict = archived(again).verdict()
    assert (verdict.verdict, verdict.baseline) == ("pass", "other")
    assert chain(released.out) == ["1.0.0", "1.0.2", "1.0.1"]
    run, before = again.bundle.run(), late.bundle.run()
    assert (run.regated_from, run.run_id, run.image) == ("late", "again", before.image)
    assert again.bundle.invocations() == late.bundle.invocations()
    assert again.bundle.measurements() == late.bundle.measurements()
    assert again.step_status()["measure"] == "unchanged"
    assert "the outputs are those of the run late" in (again.bundle.report / "index.html").read_text(encoding="utf-8")
    assert outputs(again) == outputs(late)


def test_outputs_are_taken_from_the_store_where_there_is_no_cache_and_only_for_the_same_commit(
    released: Penstock, tmp_path: Path
) -> None:
    """On another machine, with the store alone."""
    elsewhere = dataclasses.replace(released, out=tmp_path / "elsewhere")
    store = ["--store", str(released.out / "store")]
    wrong = elsewhere.run("v1.0.1", "wrong", *store, "--regate", "first")
    assert wrong.code == 2, wrong.stderr
    assert "run 'first': it was of commit " in one_message(wrong)
    absent = elsewhere.run("v1.0.0", "absent", *store, "--regate", "nothing")
    assert absent.code == 2, absent.stderr
    assert "no run 'nothing' of tiny is archived" in one_message(absent)
    assert not (elsewhere.out / "cache" / "steps" / "infer").exists()
    again = elsewhere.run("v1.0.0", "again", *store, "--regate", "first")
    assert again.code == 0, again.stderr
    assert re.search(r"^not run: .*\binfer\b", again.stderr, re.MULTILINE)
    assert again.step_status()["measure"] == "done"
    assert published(released.out) == ["1.0.0"], "the same content is not published twice"
    record = Run.model_validate_json(
        (released.out / "store" / "runs" / "tiny" / "again" / "run.json").read_text(encoding="utf-8")
    )
    assert record.regated_from == "first"


def test_another_repository_under_the_same_name_is_refused_before_its_model_runs(
    released: Penstock, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    git(tmp_path, "clone", "-q", str(released.repository), str(other))
    eve = dataclasses.replace(released, repository=other)
    refused = eve.run("v1.0.1", "eve")
    assert refused.code == 2, refused.stderr
    said = one_message(refused)
    assert f"the name 'tiny' belongs to the repository {released.repository}, and this one is {other}" in said
    assert "infer: started" not in refused.stderr
    assert not (released.out / "store" / "runs" / "tiny" / "eve").exists()
    assert published(released.out) == ["1.0.0"]

    words = ["--to", str(other), "--reason", "the team moved", "--store", str(released.out / "store")]
    moved = eve.ended([PENSTOCK, "store", "transfer", "tiny", *words], "")
    assert moved.code == 0, moved.stderr
    assert f"tiny: from {released.repository} to {other}, transfer 1, by " in moved.stdout
    accepted = eve.run("v1.0.1", "moved")
    assert accepted.code == 0, accepted.stderr
    told = pointer(released.out)
    assert told is not None
    assert (told["run_id"], told["repository"]) == ("moved", str(other))
    assert told["transfer"]["reason"] == "the team moved"


def test_the_floor_of_the_platform_rejects_what_the_policy_accepts(released: Penstock, tmp_path: Path) -> None:
    floor = tmp_path / "floor.yaml"
    floor.write_text("min_cases: 3\nrules:\n  - {metric: sharpness, min: 0.5}\n", encoding="utf-8")
    ended = released.run("v1.0.1", "second", "--policy-floor", str(floor))
    assert ended.code == 1, ended.stderr
    evidence = archived(ended)
    verdict = evidence.verdict()
    assert [(rule.origin, rule.verdict) for rule in verdict.rules] == [("policy", "pass")] * 3 + [("floor", "fail")]
    assert "2 cases, fewer than the 3" in verdict.rules[-1].reason
    assert (evidence.path / "policy-floor.yaml").read_bytes() == floor.read_bytes()
    assert published(released.out) == ["1.0.0"]
    assert "(floor)" in (ended.bundle.report / "index.html").read_text(encoding="utf-8")
    floor.write_text("rules:\n  - {metric: sharpnes, margin: 5%}\n", encoding="utf-8")
    typo = released.run("v1.0.1", "third", "--policy-floor", str(floor))
    assert typo.code == 2
    assert "unknown metric 'sharpnes'" in typo.stderr
    assert not (released.out / "runs" / "third").exists()


def test_a_store_that_cannot_do_it_is_told_before_the_model_runs(penstock: Penstock, tmp_path: Path) -> None:
    with lesser_s3("conditions") as server:
        asked = dataclasses.replace(penstock, environment=penstock.environment | {"AWS_ENDPOINT_URL": server.url})
        ended = asked.run("v1.0.0", "first", "--store", "s3://bucket/pre")
    assert ended.code == 4, ended.stderr
    said = one_message_of_the_last_try(ended)
    assert "the store refuses an upload with its SHA-256 and If-None-Match (NotImplemented" in said
    assert "Penstock needs a store that takes SHA-256 checksums" in said
    assert "try again" not in said.lower()
    assert "infer: started" not in ended.stderr


def one_message_of_the_last_try(ended: Ended) -> str:
    """What the step that failed says; it may have been tried more than once."""
    assert "Traceback" not in ended.stderr + ended.stdout
    said = {line for line in ended.stderr.splitlines() if "error: " in line}
    assert len(said) == 1, ended.stderr
    return said.pop()


def outputs(ended: Ended) -> dict[str, bytes]:
    return {
        path.relative_to(ended.bundle.outputs).as_posix(): path.read_bytes()
        for path in ended.bundle.outputs.rglob("*")
        if path.is_file()
    }
