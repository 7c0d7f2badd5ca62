"""A desk over a real API server's paths, with a forge that says what is; for the tests of what it does."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from tests.unit.pulls.cluster_server import ClusterServer, cluster_server, desk_runs
from tests.unit.pulls.payloads import HEAD
from tests.unit.pulls.places import desk_settings, repository_on

from penstock.foundation.errors import WorldError
from penstock.notices.commit_status import CommitStatus, short
from penstock.pulls.desk import Desk
from penstock.pulls.desk_file import DeskRepository
from penstock.pulls.happenings import CommentEvent, PullEvent
from penstock.pulls.pull_lookup import PullNow

NOON = datetime.datetime(2026, 11, 27, 12, 30, tzinfo=datetime.UTC)
"""Half an hour after the cluster's first run."""


@dataclass
class Place:
    """A desk, its cluster, and a forge with one pull request."""

    server: ClusterServer
    folder: Path
    now: PullNow = field(default_factory=lambda: PullNow(7, open=True, head=HEAD, base="main", fork=False))
    down: bool = False
    answers: list[str] = field(default_factory=list)
    told: list[tuple[str, str, str]] = field(default_factory=list)
    time: datetime.datetime = NOON
    comments: int = 40

    def __post_init__(self) -> None:
        settings = desk_settings(self.folder)
        self.repository = repository_on(settings)
        self.desk = Desk(
            settings,
            desk_runs(self.server),
            look_up=self.look_up,
            answer=self.answer,
            tell=self.tell,
            now=lambda: self.time,
        )

    def look_up(self, _repository: DeskRepository, number: int) -> PullNow:
        if self.down:
            raise WorldError("the forge cannot be reached")
        return replace(self.now, number=number)

    def answer(self, _repository: DeskRepository, _number: int, text: str) -> None:
        self.answers.append(text)

    def tell(self, _repository: DeskRepository, commit: str, status: CommitStatus) -> None:
        if self.down:
            raise WorldError("the forge cannot be reached")
        self.told.append((commit, status.state, short(status.description)))

    def event(self, head: str | None = None, *, patient: bool = False) -> None:
        seen = PullEvent(path="acme/sonic-lite", number=7, head=head or self.now.head)
        self.desk.pull(self.repository, seen, patient=patient)

    def push(self, head: str) -> None:
        self.now = replace(self.now, head=head)
        self.event()

    def say(self, text: str, *, person: str = "ann", number: int | None = None, minutes_ago: float = 0) -> None:
        self.comments += 1
        written = self.time - datetime.timedelta(minutes=minutes_ago)
        seen = CommentEvent(
            path="acme/sonic-lite", number=7, comment=number or self.comments, person=person, text=text, written=written
        )
        self.desk.comment(self.repository, seen)

    def runs(self) -> list[dict[str, Any]]:
        return list(self.server.runs.values())

    def start_all(self) -> None:
        """As the rounds do."""
        for run in self.runs():
            if run["spec"].get("status") == "PipelineRunPending":
                del run["spec"]["status"]
                self.server.touch(run["metadata"]["name"])


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with cluster_server() as server:
        yield Place(server, tmp_path)


def params(run: dict[str, Any]) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in run["spec"]["params"]}


def notes(run: dict[str, Any], name: str) -> str:
    return str(run["metadata"]["annotations"].get(f"penstock.dev/{name}", ""))
