"""What is done about comments: commands by people who may, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tests.unit.pulls.desk_place import Place, notes, params, place
from tests.unit.pulls.payloads import OTHER

from penstock.gating.run_waivers import run_waivers

__all__ = ["place"]


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


def test_however_many_commands_one_run_goes_on(place: Place) -> None:
    place.event()
    place.start_all()
    for _ in range(25):
        place.say("/penstock retest")
    going = [run for run in place.runs() if run["spec"].get("status") != "Cancelled"]
    assert going == [place.runs()[-1]]
    assert len({run["metadata"]["name"] for run in place.runs()}) == 26
    assert place.answers == []


def test_a_command_below_a_pull_request_that_was_closed_meanwhile(place: Place) -> None:
    place.event()
    place.now = replace(place.now, open=False)
    place.event()
    place.say("/penstock retest\n/penstock waive lse_d known until 2026-12-01")
    assert place.runs() == []
    assert place.answers == ["- `retest`: the pull request is closed\n- `waive`: the pull request is closed"]


def test_a_command_for_a_fork_that_is_gone(place: Place) -> None:
    """Its commits are a fork's still; the base repository has them."""
    place.now = replace(place.now, fork=True)
    place.event()
    place.say(f"/penstock ok-to-test {place.now.head}")
    place.start_all()
    place.say("/penstock retest")
    assert [notes(run, "approved-by") for run in place.runs()] == ["ann", "ann"]
    place.now = replace(place.now, open=False)
    place.event()
    assert [notes(run, "ended") for run in place.runs()] == ["repeated"], "Gitea closes it; what waited is gone"
