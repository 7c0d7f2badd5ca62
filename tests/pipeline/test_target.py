"""A contract with a target: whole releases are published, none is current, and the next is compared with none."""

from __future__ import annotations

from pathlib import Path

from tests.pipeline.pipeline_runs import Penstock, contract, files, text
from tests.unit.sources.source_servers import commit, git, new_repository

from penstock.releases.baseline import baseline
from penstock.releases.history import history
from penstock.store.open import open_store


def test_published_and_not_current(tmp_path: Path) -> None:
    repository = new_repository(tmp_path / "model")
    commit(repository, files() | {"penstock.yaml": text(contract(target="shop"))}, "good")
    git(repository, "tag", "v1.0.0")
    penstock = Penstock(repository, tmp_path / "runs")
    first = penstock.run("v1.0.0", "first")
    assert first.code == 0, first.stderr
    assert "not current yet: 'penstock promote' brings it to its target 'shop'" in first.stdout
    commit(repository, {"README.md": "The same model.\n"}, "told")
    git(repository, "tag", "v1.0.1")
    second = penstock.run("v1.0.1", "second")
    assert second.code == 0, second.stderr
    store = open_store(str(tmp_path / "runs" / "store"))
    name = contract()["name"]
    assert baseline(store, name) is None
    found = history(store, name)
    assert [(line.release.version, line.waits, line.release.replaces) for line in found.releases] == [
        ("1.0.1", True, None),
        ("1.0.0", True, None),
    ]
