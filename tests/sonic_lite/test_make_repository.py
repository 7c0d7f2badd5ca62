from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import make_repository
import pytest
import yaml
from tests.sonic_lite.talking_head_service import ASSETS, MODEL

from penstock.contract.load import load_contract, load_suite
from penstock.contract.models import Contract, suite_model
from penstock.contract.policy import Policy
from penstock.contract.presets import with_preset
from penstock.foundation.errors import UsageError, WorldError
from penstock.foundation.files import sha256_file

TAGS = [
    *("v1.0.0", "v1.0.1-desync", "v1.0.2-duration", "v1.0.3-crash", "v1.0.4-silent", "v1.0.5", "v1.0.6-open-lips"),
    *("v1.0.7-wide-mouth", "v1.0.8-small"),
    *("v1.1.0", "v1.2.0"),
]


def git(repository: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(repository), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made") / "sonic-lite.git"
    make_repository.make("sonic-lite", out)
    return out


def test_every_release_is_a_tag_and_main_is_the_first(repository: Path) -> None:
    assert sorted(git(repository, "tag").splitlines()) == TAGS
    assert git(repository, "rev-parse", "HEAD") == git(repository, "rev-parse", "v1.0.0^{commit}")
    assert git(repository, "symbolic-ref", "HEAD") == "refs/heads/main"
    assert git(repository, "fsck", "--strict") == ""
    for tag in TAGS[1:]:
        assert git(repository, "rev-parse", f"{tag}^") == git(repository, "rev-parse", "v1.0.0^{commit}")
        assert git(repository, "show", f"{tag}:VERSION") == tag.removeprefix("v").partition("-")[0]


def test_a_release_changes_code_and_neither_suite_nor_policy(repository: Path) -> None:
    for tag in TAGS[1:]:
        changed = git(repository, "diff", "--name-only", "v1.0.0", tag).splitlines()
        code = [name for name in changed if name.startswith("sonic_lite/")]
        assert sorted({*changed} - {*code}) == ["CHANGELOG.md", "VERSION"]
        assert code
        # An overlay that copies a file changes only what the release is about.
        added, removed = (
            sum(int(line.split()[column]) for line in git(repository, "diff", "--numstat", "v1.0.0", tag).splitlines())
            for column in (0, 1)
        )
        assert added < 60
        assert removed < 15


def test_the_same_folders_give_the_same_commits_whatever_the_user_configured(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".gitconfig").write_text(
        "[user]\nname=Me\nemail=me@example.org\nsigningkey=0\n[commit]\ngpgsign=true\n[tag]\ngpgsign=true\n"
        "[core]\nautocrlf=true\n[init]\ndefaultBranch=trunk\n"
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Somebody")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    again = tmp_path / "again.git"
    make_repository.make("sonic-lite", again)
    listing = ("for-each-ref", "--format=%(objectname) %(refname)")
    assert git(again, *listing) == git(repository, *listing)


def test_making_it_again_keeps_it_and_other_directories_are_left_alone(repository: Path, tmp_path: Path) -> None:
    before = repository.stat().st_ino
    make_repository.make("sonic-lite", repository)
    assert repository.stat().st_ino == before
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="something else"):
        make_repository.make("sonic-lite", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_repository_of_older_folders_is_replaced(repository: Path, tmp_path: Path) -> None:
    out = tmp_path / "sonic-lite.git"
    shutil.copytree(repository, out)
    git(out, "update-ref", "refs/heads/main", git(out, "rev-parse", "v1.1.0^{commit}"))
    make_repository.make("sonic-lite", out)
    assert git(out, "rev-parse", "main") == git(repository, "rev-parse", "main")
    assert [path.name for path in tmp_path.iterdir()] == ["sonic-lite.git"]


def test_contract_and_suite_hold_and_name_the_digests_of_what_is_there(repository: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    subprocess.run(["git", "clone", "-q", "-b", "v1.1.0", str(repository), str(tree)], check=True, capture_output=True)
    raw = yaml.safe_load((tree / "penstock.yaml").read_text())
    raw["call"] = with_preset(raw["call"]["preset"], raw["call"])
    contract = Contract.model_validate(raw)
    assert (contract.extractors["lipsync"], contract.extractors["frechet"]) == ("syncnet-compact", "portrait-features")
    for weights in contract.weights:
        assert sha256_file(tree / weights.path) == weights.sha256
    suite = suite_model("talking-head").model_validate(yaml.safe_load((tree / "suite" / "suite.yaml").read_text()))
    assert len(suite.cases) == 24
    for case in suite.cases:
        assert all((tree / "suite" / file).is_file() for file in case.inputs.values())
    assert suite.reference is not None
    assert len(list((tree / "suite" / suite.reference).iterdir())) == 24


def test_every_rule_that_blocks_speaks_of_cases_enough(repository: Path, tmp_path: Path) -> None:
    """Twenty cases are where the intervals of the gate reach the error rates that the documents promise (ADR 8)."""
    tree = tmp_path / "tree"
    subprocess.run(["git", "clone", "-q", str(repository), str(tree)], check=True, capture_output=True)
    contract = load_contract(tree)
    suite = load_suite(tree, contract)
    policy = contract.policy
    assert isinstance(policy, Policy)
    blocking = [rule for rule in policy.rules if rule.severity == "block" and rule.margin is not None]
    assert {rule.metric for rule in blocking} >= {"lse_d", "lse_c", "kid"}
    for rule in blocking:
        assert sum(rule.slice is None or rule.slice in case.slices for case in suite.cases) >= 20, rule


def test_the_program_prints_the_commits(tmp_path: Path) -> None:
    command = [
        sys.executable,
        str(ASSETS / "make_repository.py"),
        "--out",
        str(tmp_path / "r.git"),
        "--json",
        "--model",
    ]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([*command, "sonic-lite"], env=environment, capture_output=True, text=True, check=True)
    assert list(json.loads(done.stdout)["commits"]) == TAGS
    done = subprocess.run([*command, "sonic-heavy"], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    models = sorted(found.parent.name for found in ASSETS.glob("models/*/releases.yaml"))
    assert f"There are: {', '.join(models)}." in done.stderr


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Assets with one model, whose suite a program makes."""
    base = tmp_path / "test-assets" / "models" / "small" / "base"
    base.mkdir(parents=True)
    (base / "penstock.yaml").write_text('sha256: "{{sha256 suite/made.txt}}"\n')
    (base / "model_version.txt").write_text("WEIGHT_SHA256={{sha256 suite/made.txt}}\n")
    made = "made: [{by: small_maker, to: suite}]\n"
    releases = 'releases: [{tag: v1, date: "2026-03-02T09:00:00+00:00", message: First}]\n'
    (base.parent / "releases.yaml").write_text(f"author: A <a@example.org>\nbranch: main\nbase: base\n{made}{releases}")
    (tmp_path / "small_maker.py").write_text(
        "import pathlib, sys\nout = pathlib.Path(sys.argv[2])\nout.mkdir()\n(out / 'made.txt').write_text('made')\n"
    )
    return tmp_path


def test_what_a_program_makes_is_in_the_repository_and_its_digest_wherever_it_is_asked_for(small: Path) -> None:
    make_repository.make("small", small / "out.git", assets=small / "test-assets")
    assert git(small / "out.git", "show", "v1:suite/made.txt") == "made"
    expected = hashlib.sha256(b"made").hexdigest()
    assert git(small / "out.git", "show", "v1:penstock.yaml") == f'sha256: "{expected}"'
    assert git(small / "out.git", "show", "v1:model_version.txt") == f"WEIGHT_SHA256={expected}"


def test_a_program_can_be_told_more(small: Path) -> None:
    with (small / "small_maker.py").open("a") as program:
        program.write("(out / 'told.txt').write_text(' '.join(sys.argv[3:]))\n")
    make_repository.make("small", small / "out.git", assets=small / "test-assets", more=("--each", "2"))
    assert git(small / "out.git", "show", "v1:suite/told.txt") == "--each 2"


def test_a_program_that_fails_leaves_nothing(small: Path) -> None:
    (small / "small_maker.py").write_text("raise SystemExit('no photographs')")
    with pytest.raises(WorldError, match="small_maker failed: no photographs"):
        make_repository.make("small", small / "out.git", assets=small / "test-assets")
    assert not list(small.glob("*out.git*"))


def test_the_folder_is_small() -> None:
    total = sum(path.stat().st_size for path in MODEL.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    assert total < 4_000_000
