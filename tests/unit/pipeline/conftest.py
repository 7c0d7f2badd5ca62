"""Fixtures: the tiny repository, a place for its runs, and a first release that all may build on."""

from __future__ import annotations

import ctypes
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.pipeline.pipeline_runs import Ended, Orphans, Penstock, broken_repository, tiny_repository

from penstock.invocation.launch import PR_SET_CHILD_SUBREAPER, descendants


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny repository, at a path that holds spaces and is not ASCII. Tests only read it."""
    return tiny_repository(tmp_path_factory.mktemp("modelle") / "größe 1" / "tiny model")


@pytest.fixture
def penstock(repository: Path, tmp_path: Path) -> Penstock:
    """Runs over the tiny repository into a directory of this test."""
    return Penstock(repository, tmp_path / "läufe und mehr")


@pytest.fixture(scope="session")
def first(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """The first release, accepted and published. Tests only read it."""
    return Penstock(repository, tmp_path_factory.mktemp("first") / "läufe und mehr").run("v1.0.0", "first", "--json")


@pytest.fixture
def released(penstock: Penstock, first: Ended) -> Penstock:
    """As ``penstock``, with the first release published before."""
    assert first.code == 0, first.stderr
    shutil.copytree(first.out, penstock.out)
    return penstock


@pytest.fixture
def orphans() -> Iterator[Orphans]:
    """Processes whose parent dies come to this process while the test lasts."""
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    yield Orphans(frozenset(descendants(os.getpid())))
    libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


@pytest.fixture(scope="session")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of releases that no verdict can be given on."""
    return broken_repository(tmp_path_factory.mktemp("broken") / "model")


@pytest.fixture
def prepared(penstock: Penstock, first: Ended) -> Penstock:
    """As ``penstock``, with what an earlier run has left in the cache: it saves most of the time of a run."""
    shutil.copytree(first.out / "cache", penstock.out / "cache")
    return penstock
