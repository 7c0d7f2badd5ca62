"""The desk put together: a real server, a real API server's paths, a real forge's paths."""

from __future__ import annotations

import datetime
import hashlib
import hmac
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.unit.pulls.cluster_server import ClusterServer, cluster_server, desk_runs
from tests.unit.pulls.forge_api import ForgeApi, forge_api, hub_answer
from tests.unit.pulls.payloads import HEAD, OTHER, hub_comment, hub_pull
from tests.unit.pulls.places import TOKEN, WEBHOOK, write, write_secrets

from penstock.foundation.errors import WorldError
from penstock.notices.commit_status import CommitStatus, put_status
from penstock.notices.forge_places import Address
from penstock.pulls import pulls_server
from penstock.pulls.desk_file import DeskSettings, ForgeSecrets, load_desk, read_secrets
from penstock.pulls.hook_queue import HookQueue
from penstock.pulls.pull_lookup import PullNow
from penstock.pulls.pull_run import RunWanted, run_body
from penstock.pulls.pulls_server import Forges, serve_desk
from penstock.pulls.rounds import TRY_AGAIN_S, Rounds

PULL = "/repos/acme/sonic-lite/pulls/7"
COMMENTS = "/repos/acme/sonic-lite/issues/7/comments"
OPEN = "/repos/acme/sonic-lite/pulls?state=open&sort=recentupdate&per_page=100"


def read(path: Path) -> tuple[DeskSettings, dict[str, ForgeSecrets]]:
    """What the command reads before it listens."""
    settings = load_desk(path)
    return settings, read_secrets(settings.file, path.parent)


@pytest.fixture
def forge() -> Iterator[ForgeApi]:
    with forge_api() as there:
        there.answers = {PULL: hub_answer(HEAD), f"{COMMENTS}?per_page=100": [], OPEN: [], "/user": {"login": "bot"}}
        yield there


def config(folder: Path, forge: ForgeApi) -> Path:
    gitea = {"kind": "gitea", "api": forge.url, "webhook": "gitea-webhook", "token": "gitea-token", "allow_http": True}
    port = forge.url.rpartition(":")[2]
    repository = {"url": f"http://127.0.0.1:{port}/acme/sonic-lite.git", "forge": "gitea"}
    value = {"version": 1, "forges": {"gitea": gitea}, "repositories": [repository], "people": ["ann"]}
    write_secrets(folder)
    return write(folder, value)


@pytest.fixture
def cluster() -> Iterator[ClusterServer]:
    with cluster_server() as there:
        yield there


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def until(there: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not there():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.01)


@dataclass
class Served:
    url: str

    def send(self, kind: str, value: Any) -> int:
        body = json.dumps(value).encode()
        signed = hmac.new(WEBHOOK.encode(), body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-Gitea-Event": kind, "X-Hub-Signature-256": f"sha256={signed}"}
        return httpx.post(f"{self.url}/gitea", content=body, headers=headers).status_code


@pytest.fixture
def served(
    tmp_path: Path, forge: ForgeApi, cluster: ClusterServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Served]:
    import uvicorn

    servers: list[uvicorn.Server] = []
    made = pulls_server._server

    def remembered(*given: Any) -> uvicorn.Server:
        servers.append(made(*given))
        return servers[0]

    monkeypatch.setattr(pulls_server, "_server", remembered)
    port = free_port()
    given: tuple[Any, ...] = (*read(config(tmp_path, forge)), desk_runs(cluster))
    thread = threading.Thread(target=serve_desk, args=given, kwargs={"host": "127.0.0.1", "port": port}, daemon=True)
    thread.start()
    until(lambda: bool(servers) and servers[0].started)
    yield Served(f"http://127.0.0.1:{port}")
    servers[0].should_exit = True
    thread.join(10)
    assert not thread.is_alive()


@pytest.mark.slow
def test_from_an_event_to_a_run_and_its_status(served: Served, forge: ForgeApi, cluster: ClusterServer) -> None:
    assert served.send("pull_request", hub_pull()) == 202
    until(lambda: len(forge.posted) > 0)
    run = cluster.only()
    assert run["spec"].get("status") is None, "it was let go"
    path, status = forge.posted[0]
    assert path == f"/repos/acme/sonic-lite/statuses/{HEAD}"
    assert status == {"state": "pending", "context": "penstock/verify", "description": "is being tried"}
    forge.answers[PULL] = hub_answer(OTHER)
    assert served.send("pull_request", hub_pull("synchronized", head=OTHER)) == 202
    until(lambda: len(cluster.runs) == 2)
    assert run["spec"]["status"] == "Cancelled"
    now = datetime.datetime.now(datetime.UTC).isoformat()
    assert served.send("issue_comment", hub_comment("/penstock rtest", written=now)) == 202
    until(lambda: any(path == COMMENTS for path, _ in forge.posted))
    (said,) = [body["body"] for path, body in forge.posted if path == COMMENTS]
    assert "there is no command 'rtest'" in said


def test_what_changed_while_nobody_listened(tmp_path: Path, forge: ForgeApi) -> None:
    settings = load_desk(config(tmp_path, forge))
    now = datetime.datetime.now(datetime.UTC)
    entries = [(9, now), (8, now - datetime.timedelta(days=2))]
    forge.answers[OPEN] = [{"number": number, "updated_at": when.isoformat()} for number, when in entries]
    forges, queue = Forges(read_secrets(settings.file, tmp_path)), HookQueue()
    forges.missed(settings.repositories, queue)
    event = queue.take(0.0)
    assert event is not None
    assert event.happening.number == 9
    assert len(queue) == 0
    forge.status = 403
    forges.missed(settings.repositories, queue)
    assert len(queue) == 0


@dataclass
class Desk:
    """Rounds over a real API server's paths, that tell a real forge's paths; the clock is ours."""

    settings: DeskSettings
    secrets: dict[str, ForgeSecrets]
    cluster: ClusterServer
    clock: float = 0.0

    def __post_init__(self) -> None:
        forges = Forges(self.secrets)
        self.rounds = Rounds(
            self.settings, desk_runs(self.cluster), tell=forges.tell, said=forges.said, clock=lambda: self.clock
        )

    def start(self) -> str:
        wanted = RunWanted(PullNow(7, open=True, head=HEAD, base="main", fork=False), "smoke")
        body = run_body(self.settings.repositories[0], self.settings.file, wanted)
        assert desk_runs(self.cluster).create(body)
        return str(body["metadata"]["name"])

    def notify(self, status: CommitStatus) -> None:
        """The step: it tells the forge by itself."""
        forge = self.secrets["gitea"].forge
        put_status(forge, Address("gitea", "acme/sonic-lite", commit=HEAD), status)


@pytest.fixture
def desk(tmp_path: Path, forge: ForgeApi, cluster: ClusterServer, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(pulls_server, "_nap", lambda _: None)
    return Desk(*read(config(tmp_path, forge)), cluster)


VERDICT = CommitStatus("failure", "fail: lse_d", "https://book.example.org/live/x")


def states(forge: ForgeApi) -> list[str]:
    return [body["state"] for _, body in forge.posted]


def test_a_forge_that_was_down_is_not_told_pending_over_the_verdict(
    desk: Desk, forge: ForgeApi, cluster: ClusterServer
) -> None:
    name = desk.start()
    forge.status = 503
    desk.rounds.go()
    assert cluster.runs[name]["spec"].get("status") is None, "it goes all the same"
    forge.status = 200
    cluster.runs[name]["status"] = {"childReferences": [{"pipelineTaskName": "notify"}]}
    cluster.touch(name)
    desk.notify(VERDICT)
    desk.clock += TRY_AGAIN_S
    desk.rounds.go()
    cluster.end(name, status="False", reason="Failed")
    desk.rounds.go()
    assert states(forge) == ["failure"]
    assert desk_runs(cluster).unsettled() == []


def test_pending_that_comes_after_the_verdict_does_not_stay(
    desk: Desk, forge: ForgeApi, cluster: ClusterServer
) -> None:
    """The forge took its time with what it was told first, or the desk was ended between looking and telling."""
    name = desk.start()
    desk.rounds.go()
    desk.notify(VERDICT)
    desk.notify(CommitStatus("pending", "is being tried"))
    desk.__post_init__()
    cluster.end(name, status="False", reason="Failed")
    desk.rounds.go()
    assert states(forge) == ["pending", "failure", "pending", "failure"]
    _, last = forge.posted[-1]
    assert (last["description"], last["target_url"]) == (VERDICT.description, VERDICT.target_url)
    desk.rounds.go()
    assert len(forge.posted) == 4


@pytest.mark.parametrize(("status", "asked"), [(503, 1), (429, 1), (401, 1), (403, 3), (404, 3)])
def test_a_forge_that_does_not_answer_is_not_asked_for_each_repository(
    tmp_path: Path, forge: ForgeApi, status: int, asked: int
) -> None:
    settings, beats = load_desk(config(tmp_path, forge)), list[int]()
    repositories = [replace(settings.repositories[0], path=f"acme/model-{number}") for number in range(3)]
    forge.status = status
    forges = Forges(read_secrets(settings.file, tmp_path))
    forges.missed(repositories, HookQueue(), beat=lambda: beats.append(len(forge.requests)))
    assert beats == list(range(asked)), "before each it is told that it goes on"
    assert len(forge.requests) == asked


def test_what_was_missed_is_more_than_can_wait(
    tmp_path: Path, forge: ForgeApi, caplog: pytest.LogCaptureFixture
) -> None:
    settings = load_desk(config(tmp_path, forge))
    now = datetime.datetime.now(datetime.UTC).isoformat()
    forge.answers[OPEN] = [{"number": number, "updated_at": now} for number in (9, 8, 7)]
    queue = HookQueue(2)
    Forges(read_secrets(settings.file, tmp_path)).missed(settings.repositories * 2, queue)
    assert len(queue) == 2
    assert len(forge.requests) == 1
    assert "2 events wait already" in caplog.text


def test_an_answer_that_cannot_be_written_stops_nothing(
    tmp_path: Path, forge: ForgeApi, caplog: pytest.LogCaptureFixture
) -> None:
    settings = load_desk(config(tmp_path, forge))
    forge.status = 403
    with caplog.at_level(logging.WARNING):
        Forges(read_secrets(settings.file, tmp_path)).answer(settings.repositories[0], 7, "no")
    assert "was not written" in caplog.text
    assert TOKEN not in caplog.text


def test_an_address_that_is_taken(tmp_path: Path, forge: ForgeApi, cluster: ClusterServer) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(WorldError, match="cannot listen"):
            serve_desk(
                *read(config(tmp_path, forge)), desk_runs(cluster), host="127.0.0.1", port=taken.getsockname()[1]
            )
