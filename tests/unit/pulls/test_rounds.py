"""Rounds over all runs: who goes next, and what stands beside each commit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.unit.pulls.cluster_server import ClusterServer, cluster_server, desk_runs
from tests.unit.pulls.payloads import HEAD, OTHER
from tests.unit.pulls.places import desk_settings, repository_on

from penstock.foundation.errors import WorldError
from penstock.notices.commit_status import CommitStatus, State, short
from penstock.notices.forge import RefusedError
from penstock.pulls.desk_file import DeskRepository
from penstock.pulls.pull_lookup import PullNow
from penstock.pulls.pull_run import RunWanted, note, run_body
from penstock.pulls.rounds import LONGEST_REFUSED_S, MAX_REFUSED, REFUSED_S, TRY_AGAIN_S, Rounds


@dataclass
class Hall:
    server: ClusterServer
    folder: Path
    told: list[tuple[str, str, str]] = field(default_factory=list)
    down: bool = False
    refused: set[str] = field(default_factory=set)
    """Commits of which the forge takes no status."""
    asked: list[str] = field(default_factory=list)
    clock: float = 1000.0
    at_most: int = 2
    more: dict[str, str] = field(default_factory=dict)
    led: list[str] = field(default_factory=list)
    """Where each status led."""
    verdicts: list[CommitStatus] = field(default_factory=list)
    """What the forge has of a commit, the last first."""

    def __post_init__(self) -> None:
        self.settings = desk_settings(self.folder, at_most=self.at_most, **self.more)
        self.runs = desk_runs(self.server)
        self.rounds = Rounds(self.settings, self.runs, tell=self.tell, said=self.said, clock=lambda: self.clock)

    def tell(self, _repository: DeskRepository, commit: str, status: CommitStatus) -> None:
        if self.down:
            raise WorldError("the forge cannot be reached")
        self.asked.append(commit)
        if commit in self.refused:
            raise RefusedError("the forge answered 422")
        self.told.append((commit[:4], status.state, status.description))
        self.led.append(status.target_url)

    def said(self, _repository: DeskRepository, _commit: str) -> list[CommitStatus]:
        if self.down:
            raise WorldError("the forge cannot be reached")
        return self.verdicts

    def add(self, number: int, head: str = HEAD, *, fork: bool = False, cause: str = "push") -> str:
        wanted = RunWanted(PullNow(number, open=True, head=head, base="main", fork=fork), "smoke", cause=cause)
        body = run_body(repository_on(self.settings), self.settings.file, wanted)
        assert self.runs.create(body)
        return str(body["metadata"]["name"])

    def going(self) -> list[str]:
        return [name for name, asked in self.server.asked().items() if asked is None]


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    with cluster_server() as server:
        yield Hall(server, tmp_path)


def test_at_most_so_many_the_oldest_first(hall: Hall) -> None:
    names = [hall.add(number) for number in (5, 3, 9, 1)]
    for _ in range(3):
        hall.rounds.go()
    assert hall.going() == names[:2]
    hall.server.end(names[1])
    hall.rounds.go()
    assert hall.going() == names[:3]


def test_one_of_each_pull_request(hall: Hall) -> None:
    first, second = hall.add(7), hall.add(7, OTHER)
    hall.rounds.go()
    assert hall.going() == [first]
    hall.server.runs[first]["spec"]["status"] = "Cancelled"
    hall.rounds.go()
    assert hall.going() == [], "it is ended, and still takes its place"
    hall.server.end(first, status="False", reason="Cancelled", notified=False)
    hall.rounds.go()
    assert hall.going() == [second]


def test_a_fork_that_is_held_takes_no_place(hall: Hall) -> None:
    held, other = hall.add(1, fork=True), hall.add(2, OTHER)
    hall.rounds.go()
    assert hall.going() == [other]
    assert ("c0ff", "pending", f"a fork's commit: runs after /penstock ok-to-test {HEAD}") in hall.told
    hall.runs.patch(held, note(held="false", approved_by="ann"))
    hall.rounds.go()
    assert hall.going() == [held, other]


@pytest.mark.parametrize("head", ["a" * 40, "b" * 64])
def test_the_status_of_a_forks_commit_names_it_whole(hall: Hall, head: str) -> None:
    hall.add(1, head, fork=True)
    hall.rounds.go()
    assert [short(description) for *_, description in hall.told] == [
        f"a fork's commit: runs after /penstock ok-to-test {head}"
    ]


def test_each_stage_is_told_once(hall: Hall) -> None:
    hall.at_most = 1
    hall.__post_init__()
    first, second = hall.add(1), hall.add(2, OTHER)
    for _ in range(3):
        hall.rounds.go()
    assert hall.told == [("c0ff", "pending", "is being tried"), ("beef", "pending", "waits for its turn")]
    hall.server.end(first)
    for _ in range(3):
        hall.rounds.go()
    assert hall.told[2:] == [("beef", "pending", "is being tried")], "the verdict was told by its notify"
    assert [run.name for run in hall.runs.unsettled()] == [second]


@pytest.mark.parametrize(
    ("ended", "reason", "wanted"),
    [
        ("superseded", "Cancelled", ("cancelled", "cancelled: a newer commit came")),
        ("closed", "Cancelled", ("cancelled", "cancelled: the pull request was closed")),
        ("cancelled", "Cancelled", ("cancelled", "cancelled by ann")),
        ("", "Cancelled", ("cancelled", "cancelled")),
        ("", "PipelineRunTimeout", ("error", "ended without a verdict: no space left")),
        ("repeated", "Cancelled", None),
    ],
)
def test_a_run_that_ended_without_its_notify(
    hall: Hall, ended: str, reason: str, wanted: tuple[str, str] | None
) -> None:
    name = hall.add(7)
    hall.rounds.go()
    hall.told.clear()
    hall.runs.patch(name, note(ended=ended, ended_by="ann"))
    hall.server.end(name, status="False", reason=reason, notified=False)
    hall.rounds.go()
    assert [told[1:] for told in hall.told] == ([wanted] if wanted else [])
    assert hall.runs.unsettled() == []


def test_an_end_does_not_hide_a_newer_run_of_the_commit(hall: Hall) -> None:
    first = hall.add(7)
    hall.rounds.go()
    hall.add(7, cause="comment 41")
    hall.server.end(first, status="False", reason="Cancelled", notified=False)
    hall.told.clear()
    hall.rounds.go()
    assert [told[1] for told in hall.told] == ["pending"]


def test_a_forge_that_is_down_is_told_later_and_stops_nothing(hall: Hall) -> None:
    hall.down = True
    name = hall.add(7)
    hall.rounds.go()
    assert hall.going() == [name]
    hall.down = False
    hall.rounds.go()
    assert hall.told == [], "it is left alone for a while"
    hall.clock += TRY_AGAIN_S
    hall.rounds.go()
    assert [told[1:] for told in hall.told] == [("pending", "is being tried")]


def test_a_status_that_is_refused_keeps_no_other_from_being_told(hall: Hall) -> None:
    hall.refused = {HEAD}
    names = [hall.add(1), hall.add(2, OTHER)]
    for _ in range(3):
        hall.rounds.go()
    assert [told[0] for told in hall.told] == ["beef"]
    assert hall.asked == [HEAD, OTHER], "nor is the forge asked again and again"
    hall.clock += REFUSED_S
    hall.server.end(names[1], status="False", reason="Cancelled", notified=False)
    hall.rounds.go()
    assert hall.asked == [HEAD, OTHER, OTHER, HEAD], "what was refused comes last"
    hall.refused.clear()
    hall.clock += LONGEST_REFUSED_S
    hall.rounds.go()
    assert [told[0] for told in hall.told] == ["beef", "beef", "c0ff"]


def test_what_goes_on_is_told_however_often_it_was_refused(hall: Hall) -> None:
    hall.refused = {HEAD}
    hall.add(7)
    for _ in range(3 * MAX_REFUSED):
        hall.rounds.go()
        hall.clock += LONGEST_REFUSED_S
    assert len(hall.asked) == 3 * MAX_REFUSED
    hall.refused.clear()
    hall.rounds.go()
    assert [told[1] for told in hall.told] == ["pending"]


def test_an_ended_run_whose_status_is_refused_is_settled_at_last(hall: Hall, caplog: pytest.LogCaptureFixture) -> None:
    name = hall.add(7)
    hall.rounds.go()
    hall.refused = {HEAD}
    hall.asked.clear()
    hall.server.end(name, status="False", reason="Cancelled", notified=False)
    for _ in range(MAX_REFUSED - 1):
        hall.rounds.go()
        hall.clock += LONGEST_REFUSED_S
    assert [run.name for run in hall.runs.unsettled()] == [name]
    hall.rounds.go()
    assert hall.runs.unsettled() == []
    assert len(hall.asked) == MAX_REFUSED
    assert f"run {name}: the commit's status is given up after {MAX_REFUSED} refusals" in caplog.text


def test_a_new_stage_is_told_at_once_whatever_was_refused_before(hall: Hall) -> None:
    hall.refused = {HEAD}
    name = hall.add(7)
    hall.rounds.go()
    hall.refused.clear()
    hall.server.end(name, status="False", reason="Cancelled", notified=False)
    hall.rounds.go()
    assert [told[1] for told in hall.told] == ["cancelled"]


def test_a_repository_that_is_no_longer_there(hall: Hall) -> None:
    name = hall.add(7)
    hall.server.runs[name]["metadata"]["annotations"]["penstock.dev/path"] = "acme/other"
    hall.server.end(name, status="False", reason="Failed", notified=False)
    hall.rounds.go()
    assert hall.told == []
    assert hall.runs.unsettled() == []


def test_a_restart_loses_nothing(hall: Hall) -> None:
    names = [hall.add(number) for number in (1, 2, 3)]
    hall.rounds.go()
    told = list(hall.told)
    hall.__post_init__()
    hall.rounds.go()
    assert hall.going() == names[:2]
    assert hall.told == told


def test_a_run_that_changed_meanwhile_is_let_go_in_the_next_round(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    name = hall.add(7)
    seen = hall.runs.unsettled()
    hall.server.touch(name)
    with monkeypatch.context() as patch:
        patch.setattr(hall.runs, "unsettled", lambda: seen)
        hall.rounds.go()
    assert (hall.going(), hall.told) == ([], [])
    hall.rounds.go()
    assert hall.going() == [name]


def test_of_a_run_that_is_being_cancelled_nothing_is_said_before_it_has_ended(hall: Hall) -> None:
    name = hall.add(7)
    hall.runs.patch(name, note(ended="cancelled", ended_by="ann") | {"spec": {"status": "Cancelled"}})
    hall.rounds.go()
    assert hall.told == []
    hall.server.end(name, status="False", reason="Cancelled", notified=False)
    hall.rounds.go()
    assert hall.told == [("c0ff", "cancelled", "cancelled by ann")]


def test_a_pending_status_leads_to_the_run_in_progress(tmp_path: Path) -> None:
    with cluster_server() as server:
        hall = Hall(server, tmp_path, more={"book": "https://book.example.org/"})
        name = hall.add(7)
        hall.rounds.go()
        hall.server.end(name)
        hall.rounds.go()
    assert hall.led == [f"https://book.example.org/live/{name}"], "the verdict and its link are for notify to say"


def test_pending_is_not_told_once_the_verdict_is_being_told(hall: Hall) -> None:
    """The forge was down when the run was let go; meanwhile it has come to its end."""
    hall.down = True
    name = hall.add(7)
    hall.rounds.go()
    hall.down = False
    hall.clock += TRY_AGAIN_S
    hall.server.runs[name]["status"] = {"childReferences": [{"kind": "TaskRun", "pipelineTaskName": "notify"}]}
    hall.server.touch(name)
    hall.rounds.go()
    assert hall.told == []
    hall.server.end(name)
    hall.rounds.go()
    assert hall.told == []
    assert hall.runs.unsettled() == []


def test_what_a_round_began_with_is_looked_at_anew(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    hall.down = True
    name = hall.add(7)
    hall.rounds.go()
    seen = hall.runs.unsettled()
    hall.down = False
    hall.clock += TRY_AGAIN_S
    hall.server.end(name)
    with monkeypatch.context() as patch:
        patch.setattr(hall.runs, "unsettled", lambda: seen)
        hall.rounds.go()
    assert hall.told == [], "it has ended since, and notify has said how"


@pytest.mark.parametrize(
    ("verdicts", "wanted"),
    [
        (["success"], []),
        (["success", "pending"], []),
        (["pending", "failure", "pending", "success"], [("failure", "1 failure")]),
        (["pending"], [("error", "its verdict is in its comment: pass")]),
        ([], []),
    ],
)
def test_a_verdict_that_pending_came_after_is_told_again(
    hall: Hall, verdicts: list[State], wanted: list[tuple[str, str]]
) -> None:
    """However that came: a request that was long on its way, a desk that ended just then."""
    name = hall.add(7)
    hall.rounds.go()
    hall.told.clear()
    hall.server.end(name)
    hall.verdicts = [
        CommitStatus(state, f"{place} {state}", "https://x.example/r") for place, state in enumerate(verdicts)
    ]
    hall.down = True
    hall.rounds.go()
    assert len(hall.runs.unsettled()) == 1, "until the forge has said what stands there"
    hall.down = False
    hall.clock += TRY_AGAIN_S
    hall.rounds.go()
    assert [told[1:] for told in hall.told] == wanted
    assert [link for link in hall.led[1:] if link] == ["https://x.example/r"] * (len(verdicts) > 1 and bool(wanted))
    assert hall.runs.unsettled() == []


def test_what_stands_there_for_another_pull_request_stays(hall: Hall) -> None:
    """Of the same commit: it is being tried for another branch, and does this at its own end."""
    name, other = hall.add(7), hall.add(8)
    hall.rounds.go()
    hall.told.clear()
    hall.verdicts = [CommitStatus("pending", "is being tried"), CommitStatus("success", "7 of 7")]
    hall.server.end(name)
    hall.rounds.go()
    assert hall.told == []
    hall.server.end(other)
    hall.rounds.go()
    assert hall.told == [("c0ff", "success", "7 of 7")]


def test_an_end_that_is_told_late_does_not_hide_a_later_verdict(hall: Hall) -> None:
    """The later run is settled by then."""
    first = hall.add(7)
    hall.rounds.go()
    hall.refused = {HEAD}
    hall.runs.patch(first, note(ended="cancelled", ended_by="ann"))
    hall.server.end(first, status="False", reason="Cancelled", notified=False)
    hall.rounds.go()
    later = hall.add(7, cause="comment 41")
    hall.rounds.go()
    hall.server.end(later)
    hall.rounds.go()
    hall.refused.clear()
    hall.told.clear()
    hall.clock += REFUSED_S
    hall.rounds.go()
    assert hall.told == []
    assert hall.runs.unsettled() == []
