"""Whole runs of commits whose suite lies in another repository."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.pipeline.pipeline_runs import Penstock, archived, contract, files, one_message, published, text
from tests.unit.sources.conftest import serve_git
from tests.unit.sources.source_servers import GitServer, commit, git, new_repository

__all__ = ["serve_git"]

RULES = [{"metric": "duration_error", "max": 0.1}, {"metric": "sharpness", "min": 1.0}]


@pytest.fixture
def penstock(tmp_path: Path) -> Penstock:
    """A model whose first release has its suite with it."""
    repository = new_repository(tmp_path / "model")
    commit(repository, files(), "good")
    git(repository, "tag", "v1.0.0")
    return Penstock(repository, tmp_path / "runs")


def moved(repository: Path, address: str, tag: str, rerun: bool = False) -> None:
    """A commit without a suite of its own."""
    shutil.rmtree(repository / "suite", ignore_errors=True)
    policy = {"rules": RULES} | ({"baseline": "rerun"} if rerun else {})
    commit(repository, {"penstock.yaml": text(contract(suite=address, policy=policy))}, tag)
    git(repository, "tag", tag)


@pytest.mark.timeout(300)  # four runs
def test_a_suite_that_moves_out_stays_what_it_was(
    penstock: Penstock, tmp_path: Path, serve_git: Callable[..., GitServer]
) -> None:
    assert penstock.run("v1.0.0", "first").code == 0
    assets = new_repository(tmp_path / "served" / "assets")
    suite = {name: content for name, content in files().items() if name.startswith("suite/")}
    oid = commit(assets, suite)
    server = serve_git(assets.parent)
    address = f"git+{server.url}/assets@{oid}#suite"
    moved(penstock.repository, address, "v1.1.0")

    second = penstock.run("v1.1.0", "second", "--param", "allow-http=true")
    assert second.code == 0, second.stderr
    run, before = archived(second).run(), second.bundle.verdict().baseline
    assert before == "first"
    assert run.suite_from is not None
    assert run.suite_from.address == address
    assert run.suite == archived(replace(second, name="first")).run().suite, "both hold the same cases"
    assert address in (second.bundle.path / "report" / "index.html").read_text(encoding="utf-8")

    # from the cache, although nothing may be fetched without TLS now; and beside the released model, run again
    moved(penstock.repository, address, "v1.2.0", rerun=True)
    third = penstock.run("v1.2.0", "third")
    assert third.code == 0, third.stderr
    assert third.bundle.verdict().baseline == "second"
    assert third.bundle.run().suite == run.suite
    assert published(penstock.out) == ["1.0.0", "1.1.0", "1.2.0"]

    moved(penstock.repository, f"git+{server.url}/assets@main#suite", "v1.3.0")
    fourth = penstock.run("v1.3.0", "fourth", "--param", "allow-http=true")
    assert fourth.code == 2
    assert "'main' is not a whole commit: a branch or a tag can be moved" in one_message(fourth)
