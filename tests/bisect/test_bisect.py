"""``penstock bisect`` over a real repository whose commits were all measured before: no model is run here.

``test_bisect_runs.py`` runs models.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tests.pipeline.pipeline_runs import contract, files, text
from tests.unit.bisect.histories import measurements, write_bundle
from tests.unit.sources.source_servers import commit, git, new_repository

from penstock.bisect.fixed_suite import load_reference
from penstock.bundle.directory import Bundle
from penstock.cli.app import main
from penstock.foundation.files import sha256_tree
from penstock.store.archive import archive
from penstock.store.local import LocalStore

HOSTILE = "Blur \x1b]0;owned\x07 $(touch /tmp/x) <b>'\"\u202e"
SHARPNESS = (100.0, 101.0, 99.5, 60.0, 61.0, 60.5)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Commits 0 to 5, the good one tagged v1, the last one v2; commit 3 made it worse."""
    repository = new_repository(tmp_path_factory.mktemp("bisect") / "ein modell")
    rules = [{"metric": "sharpness", "margin": "10%"}, {"metric": "latency", "max": 5.0}]
    for number in range(len(SHARPNESS)):
        own = files() | {"penstock.yaml": text(contract(policy={"rules": rules})), "n": f"{number}"}
        commit(repository, own, HOSTILE if number == 3 else f"commit {number}")
    git(repository, "tag", "v1", "main~5")
    git(repository, "tag", "v2")
    return repository


def hashes(repository: Path) -> list[str]:
    """Oldest first."""
    return git(repository, "rev-list", "--reverse", "main").split()


@pytest.fixture(scope="module")
def measured(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An --out with a run of every commit."""
    out = tmp_path_factory.mktemp("out")
    digest = next(iter(load_reference(repository).suite_digests))
    for number, (oid, value) in enumerate(zip(hashes(repository), SHARPNESS, strict=True)):
        lines = measurements("sharpness", {"one": value, "two": value + 3})
        write_bundle(out / "runs" / f"run-{number}" / "bundle", oid, lines, suite=digest, run_id=f"run-{number}")
    return out


@pytest.fixture
def out(measured: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(measured, tmp_path / "out dir"))


def bisect(
    repository: Path, out: Path, *more: str, good: str = "v1", bad: str = "v2", metric: str = "sharpness"
) -> int:
    where = ["--repo", str(repository), "--out", str(out), "--good", good, "--bad", bad]
    return main(["bisect", *where, "--metric", metric, *more])


def test_the_answer(repository: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bisect(repository, out) == 0
    captured = capsys.readouterr()
    oid = hashes(repository)[3]
    lines = captured.out.splitlines()
    assert lines[0] == f"{oid} is the first bad commit"
    assert lines[1] == r"  subject: Blur \x1b]0;owned\x07 $(touch /tmp/x) <b>'" + '"' + r"\u202e"
    assert lines[2] == "  author:  A <a@example.org>"
    assert lines[3] == "  date:    2024-05-01T10:00:00+02:00"
    assert "commit 2: sharpness 101, -0.5 [-0.5, -0.5]" in captured.out
    assert "sharpness 61.5, -40 [-40, -40]" in captured.out
    assert str(out / "runs" / "run-2" / "bundle") in captured.out
    assert "0 run, 4 reused, 0 skipped" in captured.out
    assert "sharpness: 5 commits after" in captured.err
    assert "0/5 " in captured.err
    assert "(at most 5 left if none is skipped)" in captured.err
    assert "(at most 2 left if none is skipped)" in captured.err
    assert "bad: sharpness 62, -39.5 [-39.5, -39.5]; run run-5: sharpness fell from 101.5 to 62" in captured.err
    assert not {"\x1b", "\x07", "\u202e"} & set(captured.out + captured.err)


def test_as_json(repository: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bisect(repository, out, "--json", "--quiet") == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    found = json.loads(captured.out)
    assert (found["outcome"], found["metric"], found["slice"], found["level"]) == ("found", "sharpness", None, 0.05)
    assert found["first_bad"]["hash"] == hashes(repository)[3]
    assert found["first_bad"]["subject"] == HOSTILE
    assert found["before"]["hash"] == hashes(repository)[2]
    answers = {step["position"]: step["answer"] for step in found["steps"]}
    assert answers == {0: "good", 5: "bad", 2: "not worse", 3: "worse"}
    step = next(step for step in found["steps"] if step["position"] == 3)
    assert (step["value"], step["against_good"]["change"], step["against_good"]["verdict"]) == (61.5, -40.0, "fail")
    assert found["rule"] == "no more than -10 % under the baseline"
    kept = next(path for path in (out / "bisect").glob("*/bisect.json"))
    assert json.loads(kept.read_text(encoding="utf-8")) == found


def test_runs_and_archive_stay_as_they_are(repository: Path, out: Path, tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    for path in sorted((out / "runs").iterdir()):
        archive(Bundle(path / "bundle"), store, model="tiny", run_id=path.name)
    shutil.rmtree(out / "runs")
    before = sha256_tree(tmp_path / "store")
    assert bisect(repository, out, "--store", str(tmp_path / "store"), "--json") == 0
    assert sha256_tree(tmp_path / "store") == before
    assert not (out / "runs").exists()


def test_not_worse_is_one_and_a_wider_margin_makes_it_so(
    repository: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bisect(repository, out, "--margin", "50%") == 1
    assert "nothing to find: " in capsys.readouterr().out
    assert bisect(repository, out, bad="v2~3") == 1
    assert bisect(repository, out, "--margin", "0.2", bad="v1~0", good="v1") == 2


def test_policy_of_a_file(repository: Path, out: Path, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("level: 0.01\nrules: [{metric: sharpness, margin: 60}]\n", encoding="utf-8")
    assert bisect(repository, out, "--policy", str(policy)) == 1
    policy.write_text("level: 0.01\nrules: [{metric: sharpness, margin: 30}]\n", encoding="utf-8")
    assert bisect(repository, out, "--policy", str(policy)) == 0


def test_one_case_cannot_tell_anything(repository: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (out / "runs").glob("*/bundle"):
        bundle = Bundle(path)
        bundle.write_measurements([line for line in bundle.measurements() if line.case == "one"])
        bundle.write_invocations([call for call in bundle.invocations() if call.case == "one"])
    assert bisect(repository, out) == 3
    assert "it cannot be told whether" in capsys.readouterr().out


def test_the_repository_is_the_one_around_the_current_directory(
    repository: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository / "suite")
    assert main(["bisect", "--out", str(out), "--good", "v1", "--bad", "HEAD", "--metric", "sharpness"]) == 0


@pytest.mark.parametrize(
    ("changes", "more", "message"),
    [
        ({"good": "v2", "bad": "v1"}, [], "swap --good and --bad"),
        ({"bad": "v3"}, [], "no branch, tag or commit 'v3'"),
        ({"good": "--upload-pack=touch /tmp/owned"}, [], "would be read as an option"),
        ({"metric": "sharp"}, [], "there is no metric 'sharp'"),
        ({"metric": "jitter"}, [], "there is no rule for 'jitter'"),
        ({}, ["--margin", "lots"], "'lots' is not a margin"),
        ({}, ["--slice", "absent"], "no case carries the slice 'absent'"),
        ({}, ["--store", "/no/such/store"], "there is no store"),
        ({}, ["--param", "revision=x"], "'revision' is set by the bisection"),
        ({}, ["--param", "image=r/m@sha256:x"], "'image' is set by the bisection"),
        ({}, ["--workspace", "work=/tmp"], "'work' is set by the bisection"),
        ({}, ["--policy", "/no/such/policy"], "missing"),
    ],
)
def test_bad_usage_is_two_and_one_line(
    repository: Path,
    out: Path,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, str],
    more: list[str],
    message: str,
) -> None:
    assert bisect(repository, out, *more, **changes) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert message in captured.err
    assert len(captured.err.splitlines()) == 1


def test_a_directory_that_is_no_repository(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert bisect(tmp_path / "empty", tmp_path / "out") == 2
    assert "git repository" in capsys.readouterr().err
    assert bisect(tmp_path / "gone", tmp_path / "out") == 2
