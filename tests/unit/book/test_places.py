from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.unit.book.made_store import MODEL, BookClient, client_of, copied
from tests.unit.store.stored_bundle import accepted_bundle

from penstock.book.patient_pool import PatientPool
from penstock.book.places import models_in, pull_of, runs_in
from penstock.book.shelf import Shelf
from penstock.bundle.directory import Bundle
from penstock.store.archive import archive
from penstock.store.local import LocalStore
from penstock.store.pull_key import pull_key


def add_pull(folder: Path, store: LocalStore, run_id: str, number: str, *, fork: bool = False) -> Bundle:
    bundle = accepted_bundle(folder / run_id, run_id=run_id, verdict="fail")
    bundle.update_run(bundle.run().model_copy(update={"track": "verify"}))
    (bundle.report).mkdir()
    (bundle.report / "index.html").write_text("<!doctype html>a pull request's report")
    root = pull_key(MODEL, run_id, number=number, fork=fork)
    archive(bundle, store, model=MODEL, run_id=run_id, root=root)
    return bundle


@pytest.fixture
def store(made: LocalStore, tmp_path: Path) -> LocalStore:
    """The made store with two runs of pull requests, one of a fork."""
    found = copied(made, tmp_path)
    add_pull(tmp_path, found, "pull-a", "7")
    add_pull(tmp_path, found, "pull-b", "12", fork=True)
    add_pull(tmp_path, found, "run-0", "12")
    return found


@pytest.fixture
def pulls(store: LocalStore) -> BookClient:
    return client_of(store)


def test_each_run_is_found_where_it_lies(store: LocalStore) -> None:
    found = runs_in(store, MODEL)
    assert found["pull-a"] == f"pulls/{MODEL}/7/pull-a"
    assert found["pull-b"] == f"forks/pulls/{MODEL}/12/pull-b"
    assert found["run-0"] == f"runs/{MODEL}/run-0", "a name of two runs is the release's"
    assert [pull_of(root) for root in (found["pull-a"], found["pull-b"], found["run-0"])] == ["7", "12", ""]


def test_of_many_pull_requests_the_newest(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.book.places.NEWEST_PULLS", 1)
    (store.directory / "pulls" / MODEL / "x").mkdir()
    found = runs_in(store, MODEL)
    assert "pull-b" in found
    assert "pull-a" not in found, "one over both folders: 12, a fork's"


def test_runs_of_no_pull_request_are_beside_the_newest(
    store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock.book.places.NEWEST_PULLS", 1)
    add_pull(tmp_path, store, "night", "")
    found = runs_in(store, MODEL)
    assert found["night"] == f"pulls/{MODEL}/0/night"
    assert pull_of(found["night"]) == ""
    assert "pull-b" in found


class MeetingStore(LocalStore):
    """Lists the folder of a pull request once several are asked for at the same time."""

    meeting = threading.Barrier(6)

    def names(self, prefix: str) -> Sequence[str]:
        if prefix.rpartition("/")[2].isdecimal():
            self.meeting.wait(5)
        return super().names(prefix)


def test_pull_requests_are_listed_side_by_side(tmp_path: Path) -> None:
    store = MeetingStore(tmp_path)
    for number in range(1, 7):
        (tmp_path / "pulls" / MODEL / f"{number}" / f"run-{number}").mkdir(parents=True)
    assert sorted(runs_in(store, MODEL)) == [f"run-{number}" for number in range(1, 7)]


def test_a_model_that_has_pull_requests_alone(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    add_pull(tmp_path, store, "pull-a", "1")
    assert models_in(store) == [MODEL]
    page = client_of(store).get("/")
    assert page.status_code == 200
    assert MODEL in page.text


def test_the_pages_of_a_pull_request(pulls: BookClient) -> None:
    first = pulls.get(f"/models/{MODEL}/runs/pull-a")
    assert first.status_code == 200, "also the first page that is asked for"
    assert "files/report/index.html" in first.text
    report = first.text.partition('class="main" href="')[2].partition('"')[0]
    assert "a pull request's report" in pulls.get(report).text
    runs = pulls.get(f"/models/{MODEL}/runs").text
    assert "verify, pull request #7<" in runs
    assert "verify, pull request #12 of a fork<" in runs
    assert "pull-b" in pulls.get("/search?q=%2312").text
    assert "0 releases, 1 runs" in pulls.get("/search?q=fork").text
    assert pulls.get(f"/compare?a={MODEL}/run-0&b={MODEL}/pull-a").status_code == 200


def test_a_new_run_is_at_its_address_before_anybody_opens_a_list(store: LocalStore, tmp_path: Path) -> None:
    now = [0.0]
    shelf = Shelf(store, pool=PatientPool("s", clock=lambda: now[0]))
    shelf.models()
    add_pull(tmp_path, store, "pull-c", "13")
    assert shelf.root(MODEL, "pull-c") == f"runs/{MODEL}/pull-c", "the last look was a moment ago"
    now[0] += 60
    assert shelf.root(MODEL, "pull-c") == f"pulls/{MODEL}/13/pull-c"


def test_unknown_names_start_no_look_each(store: LocalStore) -> None:
    shelf = Shelf(store, pool=PatientPool("s", clock=lambda: 0.0))
    shelf.models()
    looks = shelf._refresh
    assert [shelf.root(MODEL, f"none-{number}") for number in range(2)] == [f"runs/{MODEL}/none-{n}" for n in range(2)]
    assert shelf._refresh is looks


def test_the_page_of_a_run_says_where_its_code_comes_from(pulls: BookClient) -> None:
    first, fork, release = (pulls.get(f"/models/{MODEL}/runs/{run}").text for run in ("pull-a", "pull-b", "run-0"))
    assert "<b>pull request #7</b>" in first
    assert "<b>pull request #12 of a fork</b>" in fork
    assert "pull request" not in release


def test_the_verdict_beside_a_model_is_that_of_a_release(pulls: BookClient) -> None:
    assert pulls.get("/").text.count("rejected") == 1  # run-2's, not the later pull requests'
