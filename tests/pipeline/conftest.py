"""Fixtures: the tiny repository, a place for its runs, and a first release that all may build on."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.invocation.orphans import Orphans, adopted
from tests.pipeline.pipeline_runs import Ended, Penstock, broken_repository, tiny_repository

Once = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """Make a directory once for all workers of this session: the first that needs it fills it, the others wait."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent

    def made(name: str, make: Callable[[Path], object]) -> Path:
        folder, whole = base / name, base / f"{name}.made"
        with (base / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not whole.exists():
                # of a worker that failed at it
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder)
                whole.touch()
        return folder

    return made


@pytest.fixture(scope="session")
def repository(once: Once) -> Path:
    """The tiny repository, at a path that holds spaces and is not ASCII. Tests only read it."""
    where = Path("größe 1") / "tiny model"
    return once("modelle", lambda folder: tiny_repository(folder / where)) / where


@pytest.fixture
def penstock(repository: Path, tmp_path: Path) -> Penstock:
    """Runs over the tiny repository into a directory of this test."""
    return Penstock(repository, tmp_path / "läufe und mehr")


@pytest.fixture(scope="session")
def first(repository: Path, once: Once) -> Ended:
    """The first release, accepted and published. Tests only read it."""

    def run(folder: Path) -> None:
        ended = Penstock(repository, folder / "läufe und mehr").run("v1.0.0", "first", "--json")
        told = dataclasses.asdict(ended) | {"out": str(ended.out)}
        (folder / "ended.json").write_text(json.dumps(told), encoding="utf-8")

    told = json.loads((once("first", run) / "ended.json").read_text(encoding="utf-8"))
    return Ended(**told | {"out": Path(told["out"])})


@pytest.fixture
def released(penstock: Penstock, first: Ended) -> Penstock:
    """As ``penstock``, with the first release published before."""
    assert first.code == 0, first.stderr
    shutil.copytree(first.out, penstock.out)
    return penstock


@pytest.fixture
def orphans() -> Iterator[Orphans]:
    """Processes whose parent dies come to this process while the test lasts."""
    with adopted() as found:
        yield found


@pytest.fixture(scope="session")
def broken(once: Once) -> Path:
    """A repository of releases that no verdict can be given on. Tests only read it."""
    return once("broken", lambda folder: broken_repository(folder / "model")) / "model"


@pytest.fixture
def prepared(penstock: Penstock, first: Ended) -> Penstock:
    """As ``penstock``, with what an earlier run has left in the cache: it saves most of the time of a run."""
    shutil.copytree(first.out / "cache", penstock.out / "cache")
    return penstock
