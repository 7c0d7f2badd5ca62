"""A pull request on one machine: merged, compared with the release, archived apart, never published."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.pipeline.pipeline_runs import Ended, Penstock, contract, one_message, published, text
from tests.unit.sources.source_servers import commit, git

REF = "refs/pull/7/head"


@pytest.fixture(scope="module")
def forge(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Penstock:
    """Over a copy of the repository, of which v1.0.0 is released, and ``main`` has moved on since."""
    folder = tmp_path_factory.mktemp("pulls")
    copy = folder / "forge"
    shutil.copytree(repository, copy, symlinks=True)
    git(copy, "checkout", "-q", "-b", "other", "v1.0.0")
    commit(copy, {"answer.mp4": b"of others"})
    git(copy, "checkout", "-q", "-B", "main", "v1.0.0")
    commit(copy, {"NOTES.md": "of others\n"})
    found = Penstock(copy, folder / "out")
    assert found.run("v1.0.0", "first").code == 0
    return found


def tried(forge: Penstock, tag: str, name: str, *more: str, base: str = "main") -> Ended:
    """The files of a release as a pull request that began at the first one."""
    copy = forge.repository
    head = git(copy, "commit-tree", f"{tag}^{{tree}}", "-p", git(copy, "rev-parse", "v1.0.0^{commit}"), "-m", tag)
    git(copy, "update-ref", REF, head)
    given = {"ref": REF, "base": base, "pull-request": "7"}
    options = [part for item in given.items() for part in ("--param", "=".join(item))]
    return forge.run(head, name, "--store", str(forge.out / "store"), *options, *more, track="verify")


def test_the_merge_is_compared_with_the_release_and_kept_apart(forge: Penstock) -> None:
    ended = tried(forge, "v1.0.0", "same")
    assert ended.code == 0, ended.stderr
    assert (ended.folder / "source" / "NOTES.md").is_file(), "what was tried is the merge"
    run, verdict = ended.bundle.run(), ended.bundle.verdict()
    assert run.source is not None
    assert run.source.base == git(forge.repository, "rev-parse", "main")
    assert (verdict.baseline, verdict.cases, verdict.uncompared) == ("first", "smoke", "")
    kept = forge.out / "store" / "pulls" / "tiny" / "7" / "same"
    assert (kept / "manifest.json").is_file()
    assert (kept / "report" / "index.html").is_file()
    assert published(forge.out) == ["1.0.0"]


def test_a_worse_one_ends_red_and_its_evidence_is_kept(forge: Penstock) -> None:
    ended = tried(forge, "v1.1.0", "worse", "--param", "fork=true")
    assert ended.code in (1, 3), ended.stderr
    assert (forge.out / "store" / "forks" / "pulls" / "tiny" / "7" / "worse" / "manifest.json").is_file()
    assert published(forge.out) == ["1.0.0"]


def test_a_policy_that_the_pull_request_loosens_is_named_and_the_floor_holds_all_the_same(
    forge: Penstock, tmp_path: Path
) -> None:
    copy = forge.repository
    git(copy, "checkout", "-q", "--detach", "v1.0.0")
    lax = {"rules": [{"metric": "duration_error", "max": 5.0}, {"metric": "latency", "max": 30.0}]}
    commit(copy, {"penstock.yaml": text(contract(policy=lax))}, "a policy of its own")
    git(copy, "tag", "lax")
    git(copy, "checkout", "-q", "main")
    floor = tmp_path / "floor.yaml"
    floor.write_text("min_cases: 2\nrules:\n  - {metric: sharpness, min: 1.0e6}\n", encoding="utf-8")
    ended = tried(forge, "lax", "lax", "--policy-floor", str(floor), "--param", "fork=true")
    assert ended.code == 1, ended.stderr
    verdict = ended.bundle.verdict()
    assert [(rule.metric, rule.origin, rule.verdict) for rule in verdict.rules] == [
        ("duration_error", "policy", "pass"),
        ("latency", "policy", "pass"),
        ("sharpness", "floor", "fail"),
    ]
    assert [(one.metric, one.what) for one in verdict.weakened] == [
        ("duration_error", "max 0.1 became 5"),
        ("sharpness", "there is no such rule any more"),
    ]
    assert [left.why for left in verdict.not_asked] == ["the platform's floor: at least 2 cases"]
    kept = forge.out / "store" / "forks" / "pulls" / "tiny" / "7" / "lax"
    assert (kept / "policy-floor.yaml").read_bytes() == floor.read_bytes()
    comment = (kept / "report" / "pull-request.md").read_text(encoding="utf-8")
    assert "duration error: max 0.1 became 5; sharpness: there is no such rule any more" in comment


def test_a_conflict_is_one_message(forge: Penstock) -> None:
    ended = tried(forge, "v1.1.0", "conflict", base="other")
    assert ended.code == 2
    assert "it cannot be merged into 'other': conflicts in answer.mp4" in one_message(ended)
