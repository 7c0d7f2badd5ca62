"""Each canary is probed with its own release's suite, and its answers are compared with that release's record."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.unit.evaluation.probed_services import (
    ANSWER,
    CASES,
    ProbedService,
    probed_repository,
    probed_service,
)
from tests.unit.evaluation.stored_releases import MODEL, committed, git, stored_release, write_release
from tests.unit.sources.conftest import bucket

from penstock.contract.placed_suite import RECORD
from penstock.contract.suite_sources import FOLDER
from penstock.evaluation.probe_calls import ProbedSuite
from penstock.evaluation.released_probes import ReleasedProbes, ReleasedSuites, RepositoryAccess
from penstock.foundation.errors import PenstockError, UsageError, WorldError
from penstock.foundation.files import write_json
from penstock.store.local import LocalStore
from penstock.suites.suite_files import SUMS, as_text, digest_of, listed
from penstock.watch.probe_policy import ProbePolicy

__all__ = ["bucket"]

LOCAL = RepositoryAccess(allow_local=True)
pytestmark = pytest.mark.slow
"""Git is started for each of them."""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """At its first commit three cases; at the second one of them has another name."""
    return committed(probed_repository(tmp_path_factory.mktemp("released") / "repository"))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> LocalStore:
    folder = tmp_path_factory.mktemp("store")
    store = LocalStore(folder / "store")
    stored_release(store, folder, repository, "1.0.0")
    suite = repository / "suite" / "suite.yaml"
    suite.write_text(suite.read_text(encoding="utf-8").replace(f'"{CASES[0]}"', '"mug"'), encoding="utf-8")
    git(repository, "commit", "--quiet", "--all", "--message=it is a mug")
    stored_release(store, folder, repository, "1.1.0")
    return store


@pytest.fixture(scope="module")
def stable() -> Iterator[ProbedService]:
    with probed_service() as service:
        yield service


def test_each_release_has_its_own_suite_and_record(store: LocalStore, tmp_path: Path) -> None:
    suites = ReleasedSuites(store, MODEL, tmp_path, LOCAL)
    first, second = suites.of("1.0.0"), suites.of("1.1.0")
    assert [case.name for case in first.suite.cases] == list(CASES)
    assert [case.name for case in second.suite.cases] == ["mug", *CASES[1:]]
    assert set(first.recorded or {}) == set(CASES[:-1])
    again = suites.of("1.0.0")
    assert again.suite == first.suite, "a canary may be an earlier release"
    assert all(path.is_file() for files in (again.recorded or {}).values() for path in files.values())


def test_the_canary_is_the_release_that_was_named_last(
    store: LocalStore, stable: ProbedService, tmp_path: Path
) -> None:
    with probed_service(answer=ANSWER | {"text": "Entry"}) as canary:
        policy = ProbePolicy(canary=canary.url, stable=stable.url, model=MODEL)
        with ReleasedProbes(ReleasedSuites(store, MODEL, tmp_path, LOCAL).of, policy) as probes:
            probes.choose("1.0.0")
            before = [probes.put(number) for number in range(6)]
            probes.choose("1.1.0")
            after = [probes.put(number) for number in range(6)]
    assert {pair.case for pair in before} <= set(CASES)
    assert {pair.case for pair in after} <= {"mug", *CASES[1:]}
    assert [pair.differs is not None for pair in before] == [pair.compared for pair in before]
    assert any(pair.compared for pair in before)


def test_a_pair_of_a_canary_that_is_over_is_not_kept(store: LocalStore, stable: ProbedService, tmp_path: Path) -> None:
    suites = ReleasedSuites(store, MODEL, tmp_path, LOCAL)
    asked: list[str] = []
    policy = ProbePolicy(canary=stable.url, stable=stable.url, model=MODEL)

    def slow(version: str) -> ProbedSuite:
        asked.append(version)
        if len(asked) == 1:
            probes.choose("1.1.0")  # while the first is still being brought
        return suites.of(version)

    with ReleasedProbes(slow, policy) as probes:
        probes.choose("1.0.0")
        probes.put(0)
    assert asked == ["1.0.0", "1.1.0"]


@pytest.mark.parametrize(("retry_s", "tries"), [(0.0, 2), (60.0, 1)])
def test_one_that_cannot_be_brought_is_tried_again_after_a_while(
    stable: ProbedService, store: LocalStore, tmp_path: Path, retry_s: float, tries: int
) -> None:
    suites = ReleasedSuites(store, MODEL, tmp_path, LOCAL)
    asked: list[str] = []

    def of(version: str) -> ProbedSuite:
        asked.append(version)
        if asked == ["1.0.0"]:
            raise WorldError("the store is gone")
        return suites.of(version)

    policy = ProbePolicy(canary=stable.url, stable=stable.url, model=MODEL)
    with ReleasedProbes(of, policy, retry_s=retry_s) as probes:
        probes.choose("1.0.0")
        with pytest.raises(WorldError, match="the store is gone"):
            probes.put(0)
        if tries == 1:
            with pytest.raises(WorldError, match="the store is gone"):
                probes.put(0)
            probes.choose("1.1.0")  # another one is not made to wait
        assert not probes.put(0).canary.failed
    assert asked == (["1.0.0", "1.0.0"] if tries == 2 else ["1.0.0", "1.1.0"])


@pytest.mark.parametrize(
    ("version", "kind", "said"),
    [
        ("9.9.9", UsageError, "recognition-lite 9.9.9: the store has no such release"),
        ("../../etc", UsageError, "../../etc"),
        ("", UsageError, "plain names"),
    ],
)
def test_what_was_never_released(
    store: LocalStore, tmp_path: Path, version: str, kind: type[PenstockError], said: str
) -> None:
    with pytest.raises(kind) as caught:
        ReleasedSuites(store, MODEL, tmp_path, LOCAL).of(version)
    assert said in str(caught.value)


def elsewhere(folder: Path, address: str) -> Path:
    """A repository whose contract has that address in place of the folder, and in which the suite is placed."""
    path = probed_repository(folder / "elsewhere")
    contract = path / "penstock.yaml"
    contract.write_text(contract.read_text(encoding="utf-8").replace("suite: suite", f"suite: {address}"), "utf-8")
    (path / ".gitignore").write_text("/.penstock/\n", encoding="utf-8")
    (path / ".penstock").mkdir()
    (path / "suite").rename(path / FOLDER)
    write_json(path / RECORD, {"address": address, "digest": digest_of(listed(path / FOLDER))})
    return committed(path)


def test_a_suite_that_lies_elsewhere_is_brought(bucket: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = probed_repository(tmp_path / "model") / "suite"
    sums = as_text(listed(files))
    for path in listed(files):
        bucket.put_object(Bucket="weights", Key=f"suites/a/{path}", Body=(files / path).read_bytes())
    bucket.put_object(Bucket="weights", Key=f"suites/a/{SUMS}", Body=sums.encode())
    address = f"s3://weights/suites/a#sha256={hashlib.sha256(sums.encode()).hexdigest()}"
    store = LocalStore(tmp_path / "store")
    stored_release(store, tmp_path, elsewhere(tmp_path, address), "1.0.0")
    (secret := tmp_path / "secret").mkdir()
    (work := tmp_path / "work").mkdir()
    suites = ReleasedSuites(store, MODEL, work, replace(LOCAL, store=secret))
    with monkeypatch.context() as without:  # what opens it is in the directory alone
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            (secret / name).write_text(os.environ[name], encoding="utf-8")
            without.delenv(name)
        for _ in range(2):  # also where an earlier one lies
            found = suites.of("1.0.0")
            assert [case.name for case in found.suite.cases] == list(CASES)
            assert all(path.is_file() for inputs in found.inputs.values() for path in inputs.values())
            assert not list(work.glob("suite*")), "what it was fetched through is gone"


def test_a_suite_that_a_run_binds_is_no_watchs(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    stored_release(store, tmp_path, elsewhere(tmp_path, f"workspace://suite#sha256={'0' * 64}"), "1.0.0")
    (tmp_path / "work").mkdir()
    with pytest.raises(UsageError, match="the suite is bound by each run"):
        ReleasedSuites(store, MODEL, tmp_path / "work", LOCAL).of("1.0.0")


def test_a_repository_is_not_opened_more_than_allowed(store: LocalStore, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        ReleasedSuites(store, MODEL, tmp_path).of("1.0.0")


def test_files_that_are_not_those_that_were_released(store: LocalStore, repository: Path, tmp_path: Path) -> None:
    record = stored_release(LocalStore(tmp_path / "first"), tmp_path, repository, "2.0.0")
    other = LocalStore(tmp_path / "store")
    write_release(other, tmp_path, record.model_copy(update={"tree": "0" * 64}))
    with pytest.raises(WorldError, match="not those that were released"):
        ReleasedSuites(other, MODEL, tmp_path / "work", LOCAL).of("2.0.0")
