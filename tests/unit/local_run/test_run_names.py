"""A run is found by name, version, tag and path; made-up names tell what they are of."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.unit.cli.made_runs import archived, made_run

from penstock.foundation.errors import UsageError
from penstock.local_run.run_names import find_bundle, made_up_name, version_of
from penstock.releases.release import publish
from penstock.store.open import open_store


@pytest.mark.parametrize("text", ["sonic-1.1.0-b", "1.1.0", "v1.1.0", "sonic-1.1.0", "sonic-v1.1.0"])
def test_a_run_is_found_by_name_version_and_tag(out: Path, text: str) -> None:
    assert find_bundle(text, out=out) == out / "runs" / "sonic-1.1.0-b" / "bundle"


def test_a_run_is_found_by_its_paths(out: Path) -> None:
    folder = out / "sonic-1.1.0-b"
    assert find_bundle(str(folder), out=Path("nowhere")) == folder / "bundle"
    assert find_bundle(str(folder / "bundle"), out=Path("nowhere")) == folder / "bundle"


def test_what_may_be_several_runs_is_listed(out: Path) -> None:
    made_run(out, "sonic-1.1.0-c", "1.1.0")
    with pytest.raises(UsageError, match=r"may be any of 2 runs: sonic-1\.1\.0-[bc], sonic-1\.1\.0-[bc]"):
        find_bundle("1.1.0", out=out)


def test_a_version_is_the_run_that_was_published_under_it(out: Path) -> None:
    first = made_run(out, "sonic-2.0.0-a", "2.0.0")
    run = first.run()
    image = {"kind": "process", "digest": "sha256:0"}
    first.update_run(run.model_validate(run.model_dump() | {"image": image}))
    made_run(out, "sonic-2.0.0-b", "2.0.0")
    archived(out, first)
    store = open_store(out / "store")
    publish(store, first)
    assert find_bundle("2.0.0", out=out) == first.path
    # from another directory it is brought from the store
    brought = find_bundle("v2.0.0", out=out.parent / "other", store=str(out / "store"))
    assert brought.is_relative_to(out.parent / "other" / "cache")
    assert (brought / "report" / "index.html").is_file()
    by_name = find_bundle("sonic-1.0.0-a", out=out.parent / "other", store=str(out / "store"))
    assert (by_name / "run.json").is_file()


@pytest.mark.parametrize(
    ("revision", "version"),
    [("v1.1.0", "1.1.0"), ("main", "main"), ("refs/tags/v2", "2"), ("a" * 40, "a" * 12), ("vocals", "vocals")],
)
def test_the_version_of_a_revision(revision: str, version: str) -> None:
    assert version_of(revision) == version


@pytest.mark.parametrize(
    ("what", "repo", "revision", "stem"),
    [
        ("release", "https://git.example.org/models/Sonic_2.git", "v1.1.0", "sonic-2-1.1.0"),
        ("release", "git@git.example.org:sonic.git", "feature/lips", "sonic-feature-lips"),
        ("verify", "https://git.example.org/sonic", "main", "verify-sonic-main"),
        ("build.yaml", "", "", "build"),
        ("release", "https://git.example.org/" + "x" * 90, "v1", "x" * 40),
    ],
)
def test_made_up_names_show_model_and_version(what: str, repo: str, revision: str, stem: str) -> None:
    name = made_up_name(what, repo, revision)
    assert re.fullmatch(re.escape(stem) + r"-\d{8}-\d{6}-[0-9a-f]{4}", name)
    assert len(name) <= 63
