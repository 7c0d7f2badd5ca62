"""What is done about pull requests, forks among them: against a real API server's paths, and a forge that answers."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest
from tests.unit.pulls.desk_place import Place, notes, params, place
from tests.unit.pulls.payloads import HEAD, OTHER

from penstock.foundation.errors import WorldError
from penstock.pulls import desk as desk_module
from penstock.pulls.desk import HeadBehindError
from penstock.pulls.happenings import PullEvent

__all__ = ["place"]


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
