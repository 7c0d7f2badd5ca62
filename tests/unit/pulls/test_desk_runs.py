"""The runs of a namespace, over a real HTTP server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.pulls.cluster_server import ClusterServer, cluster_server, desk_runs
from tests.unit.pulls.payloads import HEAD, OTHER
from tests.unit.pulls.places import desk_settings, repository_on

from penstock.foundation.errors import WorldError
from penstock.pulls import desk_runs as module
from penstock.pulls.pull_lookup import PullNow
from penstock.pulls.pull_run import RunWanted, note, pull_key, run_body


@pytest.fixture
def server() -> Iterator[ClusterServer]:
    with cluster_server() as there:
        yield there


def create(server: ClusterServer, folder: Path, number: int = 7) -> bool:
    settings = desk_settings(folder)
    wanted = RunWanted(PullNow(number, open=True, head=HEAD, base="main", fork=False), "smoke")
    return desk_runs(server).create(run_body(repository_on(settings), settings.file, wanted))


def test_a_run_is_created_once(server: ClusterServer, tmp_path: Path) -> None:
    assert create(server, tmp_path)
    assert not create(server, tmp_path)
    assert len(server.runs) == 1


def test_page_after_page_the_oldest_first(
    server: ClusterServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE", 3)
    for number in range(1, 8):
        create(server, tmp_path, number)
    runs = desk_runs(server)
    assert [run.number for run in runs.unsettled()] == list(range(1, 8))
    key = pull_key(repository_on(desk_settings(tmp_path)), 3)
    assert [run.number for run in runs.of_pull(key)] == [3]
    assert [run.number for run in runs.of_commit(key, HEAD)] == [3]
    assert runs.of_commit(key, OTHER) == []
    settled = next(iter(server.runs.values()))
    settled["metadata"]["labels"]["penstock.dev/settled"] = "true"
    assert len(runs.unsettled()) == 6


def test_changes_and_deletes_what_was_seen(server: ClusterServer, tmp_path: Path) -> None:
    create(server, tmp_path)
    runs = desk_runs(server)
    (run,) = runs.unsettled()
    assert runs.patch(run.name, note(told="waiting"))
    assert not runs.delete(run.name, run.version), "it has changed since"
    assert not runs.patch(run.name, {"metadata": {"resourceVersion": run.version}})
    (run,) = runs.unsettled()
    assert run.notes["told"] == "waiting"
    assert runs.delete(run.name, run.version)
    assert not runs.delete(run.name, run.version)
    assert not runs.patch(run.name, note(told="x"))


@pytest.mark.parametrize("status", [401, 403, 422, 500, 503])
def test_a_refusal_is_told(server: ClusterServer, status: int) -> None:
    server.refuse = [status]
    with pytest.raises(WorldError, match=f"answers {status}: refused"):
        desk_runs(server).unsettled()
    assert len(server.requests) == 1


def test_what_is_missing_is_in_a_file_that_there_is(server: ClusterServer) -> None:
    server.refuse = [403]
    with pytest.raises(WorldError) as caught:
        desk_runs(server).unsettled()
    (named,) = (word.rstrip(".") for word in caught.value.todo.split() if "/" in word)
    assert "kind: Role\n" in (Path(__file__).parents[3] / named).read_text(encoding="utf-8")


def test_an_api_server_that_is_gone(server: ClusterServer) -> None:
    server.url = "http://127.0.0.1:9"
    with pytest.raises(WorldError, match="does not answer"):
        desk_runs(server).unsettled()
