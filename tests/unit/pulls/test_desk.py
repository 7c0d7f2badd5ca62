"""What is done about pull requests and comments: against a real API server's paths, and a forge that says what is."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from tests.unit.pulls.cluster_server import ClusterServer, cluster_server, desk_runs
from tests.unit.pulls.payloads import HEAD, OTHER
from tests.unit.pulls.places import desk_settings, repository_on

from penstock.foundation.errors import WorldError
from penstock.gating.run_waivers import run_waivers
from penstock.notices.commit_status import CommitStatus, short
from penstock.pulls import desk as desk_module
from penstock.pulls.desk import Desk, HeadBehindError
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


# pull requests


def test_an_event_makes_one_run_however_often_it_comes(place: Place) -> None:
    for _ in range(3):
        place.event()
    run = place.server.only()
    assert params(run)["revision"] == HEAD
    assert params(run)["slice"] == "smoke"
    assert run["spec"]["status"] == "PipelineRunPending"
    place.server.end(run["metadata"]["name"])
    place.event()
    assert len(place.runs()) == 1, "nor once it has ended"


def test_a_newer_push_cancels_the_older_run(place: Place) -> None:
    place.event()
    place.start_all()
    place.push(OTHER)
    old, new = place.runs()
    assert (old["spec"]["status"], notes(old, "ended")) == ("Cancelled", "superseded")
    assert params(new)["revision"] == OTHER


def test_an_older_run_that_waits_is_taken_away(place: Place) -> None:
    place.event()
    place.push(OTHER)
    assert params(place.server.only())["revision"] == OTHER


def test_an_old_event_starts_nothing(place: Place) -> None:
    place.push(OTHER)
    place.event(HEAD)
    assert params(place.server.only())["revision"] == OTHER


def test_a_forge_whose_api_is_behind_is_asked_again(place: Place) -> None:
    with pytest.raises(HeadBehindError):
        place.event(OTHER, patient=True)
    assert place.runs() == []
    place.event(OTHER, patient=False)
    assert params(place.server.only())["revision"] == HEAD, "what the forge says is what there is"


def test_back_to_an_earlier_commit_by_force(place: Place) -> None:
    place.event()
    place.start_all()
    place.push(OTHER)
    place.start_all()
    place.push(HEAD)
    first, second, third = place.runs()
    assert notes(second, "ended") == "superseded"
    assert params(third)["revision"] == HEAD
    assert first["metadata"]["name"] != third["metadata"]["name"]


def test_another_target_branch_is_another_merge(place: Place) -> None:
    place.event()
    place.start_all()
    place.now = replace(place.now, base="release/1")
    place.event()
    assert [notes(run, "base") for run in place.runs()] == ["main", "release/1"]
    assert params(place.runs()[1])["base"] == "refs/heads/release/1", "whatever tag has this name"
    assert notes(place.runs()[0], "ended") == "superseded"


def test_closed_during_a_run_and_opened_again(place: Place) -> None:
    place.event()
    place.start_all()
    place.now = replace(place.now, open=False)
    place.event()
    assert notes(place.server.only(), "ended") == "closed"
    place.now = replace(place.now, open=True)
    place.event()
    assert len(place.runs()) == 2
    place.now = replace(place.now, open=False)
    place.event()
    assert len(place.runs()) == 1, "the one that never ran is gone"


@pytest.mark.parametrize("deleted", [[], [0], [1], [0, 1]])
def test_no_name_is_used_twice_whatever_was_deleted(place: Place, deleted: list[int]) -> None:
    """The folder and the evidence of that name are still there."""
    for _ in range(2):
        place.now = replace(place.now, open=True)
        place.event()
        place.start_all()
        place.now = replace(place.now, open=False)
        place.event()
    used = list(place.server.runs)
    assert len(used) == 2
    for position in deleted:
        del place.server.runs[used[position]]
    place.time += datetime.timedelta(minutes=10)
    place.now = replace(place.now, open=True)
    place.event()
    place.event()
    (new,) = set(place.server.runs) - {name for position, name in enumerate(used) if position not in deleted}
    assert new not in used


def test_a_closed_one_starts_nothing(place: Place) -> None:
    place.now = replace(place.now, open=False)
    place.event()
    place.say("/penstock verify")
    assert place.runs() == []
    assert "closed" in place.answers[0]


def test_pull_requests_do_not_touch_each_other(place: Place) -> None:
    place.event()
    place.desk.pull(place.repository, PullEvent(path="acme/sonic-lite", number=8, head=HEAD), patient=False)
    place.push(OTHER)
    assert sorted((params(run)["pull-request"], params(run)["revision"]) for run in place.runs()) == [
        ("7", OTHER),
        ("8", HEAD),
    ]


def test_nobody_fills_the_cluster(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_module, "MAX_WAITING", 3)
    for number in range(1, 6):
        place.desk.pull(place.repository, PullEvent(path="acme/sonic-lite", number=number, head=HEAD), patient=False)
    assert len(place.runs()) == 3
    place.say("/penstock retest")
    assert len(place.runs()) == 3
    assert "3 runs wait already" in place.answers[-1]


@pytest.mark.parametrize(("fork", "again"), [(False, "retest"), (True, f"ok-to-test {'a' * 64}")])
def test_a_commit_for_which_there_is_no_room_is_told_so(
    place: Place, monkeypatch: pytest.MonkeyPatch, fork: bool, again: str
) -> None:
    monkeypatch.setattr(desk_module, "MAX_WAITING", 1)
    place.now = replace(place.now, fork=fork)
    place.event()
    assert place.told == []
    head = "a" * 64
    place.now = replace(place.now, head=head)
    other = PullEvent(path="acme/sonic-lite", number=8, head=head)
    place.desk.pull(place.repository, other, patient=False)
    assert place.told == [(head, "pending", f"too many runs wait; to try this one: /penstock {again}")]
    assert len(place.runs()) == 1


def test_a_forge_that_is_down_changes_nothing(place: Place) -> None:
    place.event()
    place.down = True
    with pytest.raises(WorldError):
        place.push(OTHER)
    assert params(place.server.only())["revision"] == HEAD


def test_forks_that_nobody_lets_run_keep_nobody_out(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_module, "MAX_WAITING", 3)
    place.now = replace(place.now, fork=True)
    for number in range(11, 16):
        place.desk.pull(place.repository, PullEvent(path="acme/sonic-lite", number=number, head=HEAD), patient=False)
    assert len(place.runs()) == 3
    place.now = replace(place.now, fork=False)
    place.event()
    assert len(place.runs()) == 4


def test_a_run_that_was_let_go_since_it_was_read_is_cancelled(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.event()
    runs = place.desk._runs
    seen = runs.unsettled()
    place.start_all()
    monkeypatch.setattr(runs, "of_pull", lambda _: seen)
    place.now = replace(place.now, open=False)
    place.event()
    run = place.server.only()
    assert (run["spec"]["status"], notes(run, "ended")) == ("Cancelled", "closed")


# comments


@pytest.mark.parametrize("text", ["/penstock verify full", "/penstock retest", "/penstock cancel"])
def test_somebody_who_is_not_named_does_nothing(place: Place, text: str) -> None:
    place.event()
    before = json.dumps(place.runs())
    place.say(text, person="eve")
    assert json.dumps(place.runs()) == before
    assert place.answers == []


def test_the_whole_suite(place: Place) -> None:
    place.event()
    place.start_all()
    place.say("/penstock verify full")
    old, new = place.runs()
    assert notes(old, "ended") == "repeated"
    assert (params(new)["slice"], notes(new, "asked-by")) == ("", "ann")


def test_retest_tries_the_same_again(place: Place) -> None:
    place.event()
    place.say("/penstock verify full")
    place.server.end(place.runs()[1]["metadata"]["name"])
    place.say("/penstock retest")
    assert [params(run)["slice"] for run in place.runs()] == ["smoke", "", ""]


def test_a_comment_that_comes_twice_makes_one_run(place: Place) -> None:
    place.event()
    place.say("/penstock retest", number=41)
    place.say("/penstock retest", number=41)
    place.say("/penstock retest", number=42)
    assert len(place.runs()) == 3


def test_a_comment_that_somebody_kept_does_nothing(place: Place) -> None:
    place.event()
    place.say("/penstock verify full", minutes_ago=60 * 24 + 1)
    assert len(place.runs()) == 1


def test_cancel(place: Place) -> None:
    place.event()
    place.start_all()
    place.say("/penstock cancel")
    run = place.server.only()
    assert run["spec"]["status"] == "Cancelled"
    assert (notes(run, "ended"), notes(run, "ended-by")) == ("cancelled", "ann")
    place.event()
    assert len(place.runs()) == 1, "it stays so until somebody asks, or a new commit comes"
    place.say("/penstock retest")
    assert len(place.runs()) == 2


def test_an_old_cancel_does_not_end_what_was_started_since(place: Place) -> None:
    place.server.seconds = 20 * 60
    place.event()
    place.start_all()
    place.say("/penstock cancel", minutes_ago=15)
    assert "status" not in place.server.only()["spec"]


def test_a_waiver_goes_with_this_commit(place: Place) -> None:
    place.event()
    place.say("/penstock waive lse_d known until 2026-12-01")
    place.say("/penstock waive lse_d@hair known as well until 2026-12-01")
    place.say("/penstock waive lse_d better known until 2026-12-02", person="rita")
    place.say("/penstock retest")
    waived = json.loads(params(place.runs()[-1])["waive"])
    assert [(one["metric"], one.get("slice"), one["reason"], one["by"]) for one in waived] == [
        ("lse_d", "hair", "known as well", "ann"),
        ("lse_d", None, "better known", "rita"),
    ]
    place.push(OTHER)
    assert json.loads(params(place.runs()[-1])["waive"]) == [], "a newer commit has to be looked at anew"


def test_the_gate_takes_what_is_waived(place: Place) -> None:
    place.event()
    place.say('/penstock waive lse_d@hair known: "hair", 日本 until 2026-12-01')
    (waiver,) = run_waivers(params(place.runs()[-1])["waive"])
    assert (waiver.metric, waiver.slice, waiver.author) == ("lse_d", "hair", "ann")
    assert waiver.reason == 'known: "hair", 日本'
    assert run_waivers(params(place.runs()[0])["waive"]) == []
    for number in range(11):
        place.say(f"/penstock waive m{number} x until 2026-12-01")
    assert "at most 10 rules" in place.answers[-1]
    assert len(run_waivers(params(place.runs()[-1])["waive"])) == 10


def test_a_command_for_a_commit_whose_event_was_lost(place: Place) -> None:
    place.event()
    place.start_all()
    place.now = replace(place.now, head=OTHER)
    place.say("/penstock verify")
    assert [notes(run, "ended") for run in place.runs()] == ["superseded", ""]


def test_several_commands_at_once(place: Place) -> None:
    place.event()
    place.say("/penstock waive lse_d known until 2026-12-01\n/penstock verify full")
    last = place.runs()[-1]
    assert params(last)["slice"] == ""
    assert json.loads(params(last)["waive"])[0]["metric"] == "lse_d"


@pytest.mark.parametrize("still", [False, True])
def test_several_waivers_at_once(place: Place, still: bool) -> None:
    place.event()
    place.server.still = still
    rules = [f"m{number}" for number in range(5)]
    text = "\n".join(f"/penstock waive {rule} known until 2026-12-01" for rule in rules)
    place.say(text, number=41)
    place.say(text, number=41)
    assert place.answers == []
    assert len(place.runs()) == 6, "one for each; the event that came twice made none"
    last = place.runs()[-1]
    assert [one["metric"] for one in json.loads(params(last)["waive"])] == rules
    assert [run for run in place.runs() if notes(run, "ended") == ""] == [last]


def test_who_may_is_told_what_is_wrong(place: Place) -> None:
    place.event()
    place.say("/penstock waive lse_d because\n/penstock rtest")
    assert len(place.runs()) == 1
    (answer,) = place.answers
    assert "write: /penstock waive" in answer
    assert "there is no command 'rtest'" in answer


# forks


@pytest.fixture
def fork(place: Place) -> Place:
    place.now = replace(place.now, fork=True)
    place.event()
    return place


def held(place: Place) -> list[bool]:
    return [notes(run, "held") == "true" for run in place.runs()]


@pytest.mark.parametrize("text", ["/penstock verify", "/penstock retest", "/penstock waive a b until 2026-12-01"])
def test_a_fork_runs_by_nothing_but_ok_to_test(fork: Place, text: str) -> None:
    fork.say(text)
    assert held(fork) == [True]
    assert f"/penstock ok-to-test {HEAD}" in fork.answers[0]


def test_somebody_lets_it_run(fork: Place) -> None:
    fork.say(f"/penstock ok-to-test {HEAD}")
    fork.say(f"/penstock ok-to-test {HEAD}", number=41)
    run = fork.server.only()
    assert (held(fork), notes(run, "approved-by"), params(run)["fork"]) == ([False], "ann", "true")
    fork.say("/penstock retest")
    assert held(fork) == [False, False]
    assert notes(fork.runs()[1], "approved-by") == "ann"


def test_the_forks_author_does_not(fork: Place) -> None:
    fork.say(f"/penstock ok-to-test {HEAD}", person="eve")
    assert held(fork) == [True]


def test_a_newer_push_of_the_fork_needs_it_again(fork: Place) -> None:
    fork.say(f"/penstock ok-to-test {HEAD}")
    fork.start_all()
    fork.push(OTHER)
    old, new = fork.runs()
    assert notes(old, "ended") == "superseded"
    assert (notes(new, "held"), notes(new, "approved-by")) == ("true", "")
    fork.say("/penstock retest")
    assert held(fork)[-1]


@pytest.mark.parametrize("named", ["", HEAD[:12], HEAD[:39], HEAD + "0" * 24])
def test_a_commit_that_is_not_named_whole_is_not_meant(fork: Place, named: str) -> None:
    """Its author may have read another one; and two commits with the same first digits are soon made."""
    fork.time += datetime.timedelta(hours=1)
    fork.say(f"/penstock ok-to-test {named}")
    assert held(fork) == [True]
    (answer,) = fork.answers
    assert "named whole" in answer
    assert f"`/penstock ok-to-test {HEAD}`" in answer


def test_a_commit_that_is_named_is_meant_and_no_other(fork: Place) -> None:
    fork.push(OTHER)
    fork.say(f"/penstock ok-to-test {HEAD}")
    assert held(fork) == [True]
    assert "another now" in fork.answers[0]
    assert f"/penstock ok-to-test {OTHER}`" in fork.answers[0]
    fork.say(f"/penstock ok-to-test {OTHER.upper()}")
    assert held(fork) == [False]


def test_a_commit_whose_event_was_lost(place: Place) -> None:
    place.now = replace(place.now, fork=True)
    place.say(f"/penstock ok-to-test {HEAD}")
    place.say(f"/penstock ok-to-test {HEAD}")
    assert held(place) == [False]


def test_ok_to_test_where_it_is_not_needed(place: Place) -> None:
    place.event()
    place.say("/penstock ok-to-test")
    assert "not a fork" in place.answers[0]
    assert len(place.runs()) == 1


def test_a_fork_that_pushes_all_day_fills_nothing(fork: Place) -> None:
    for number in range(20):
        fork.push(f"{number:040x}")
    assert len(fork.runs()) == 1
