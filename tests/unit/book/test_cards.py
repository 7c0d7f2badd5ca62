"""What is kept of a run."""

from __future__ import annotations

from tests.unit.book.made_rated import waiting_rule

from penstock.book.cards import MAX_TEXT, ModelCard, RunCard, card_of
from penstock.bundle.models import Run, Source
from penstock.bundle.verdict_record import Verdict


def test_a_run_that_was_not_judged() -> None:
    card = card_of("m", "r", Run(penstock="0", run_id="r", track="verify"), None)
    assert (card.verdict, card.version, card.started, card.track) == ("", "", "", "verify")


def test_texts_are_cut_and_stay_on_one_line() -> None:
    source = Source(url="u\n\x1b", revision="r", commit="c" * 9999, committer_date="", version="1\n2", tree="")
    verdict = Verdict(verdict="fail", baseline="b", level=0.05, rules=[])
    card = card_of("m", "r", Run(penstock="0", run_id="r", source=source), verdict)
    assert len(card.commit) == MAX_TEXT
    assert card.version == "1 2"
    assert card.repository == "u \\x1b"
    assert (card.verdict, card.baseline) == ("fail", "b")


def test_search() -> None:
    card = RunCard("Model", "run-7", commit="abcdef", verdict="fail")
    assert card.matches(["model", "abc", "fail"])
    assert not card.matches(["model", "pass"])


def test_where_the_code_of_a_run_comes_from() -> None:
    assert RunCard("m", "r").origin == ""
    assert RunCard("m", "r", pull="7").origin == "pull request #7"
    assert RunCard("m", "r", pull="7", fork=True).origin == "pull request #7 of a fork"
    assert RunCard("m", "r", fork=True).origin == "of a fork"


def test_a_run_by_its_id() -> None:
    card = RunCard("m", "r")
    assert ModelCard("m", (card,), None).run("r") is card
    assert ModelCard("m", (card,), None).run("s") is None


def test_a_run_waits_for_ratings_while_their_rule_is_open() -> None:
    run = Run(penstock="0", run_id="r", regated_from="q")
    verdicts = {
        outcome: Verdict(verdict="inconclusive", level=0.05, rules=[waiting_rule(outcome)])
        for outcome in ("pass", "fail", "inconclusive")
    }
    assert {outcome: card_of("m", "r", run, found).waits for outcome, found in verdicts.items()} == {
        "pass": False,
        "fail": False,
        "inconclusive": True,
    }
    assert card_of("m", "r", run, None).regated_from == "q"


def test_a_run_that_another_rule_has_rejected_waits_for_nothing() -> None:
    rejected = Verdict(verdict="fail", level=0.05, rules=[waiting_rule("inconclusive")])
    assert not card_of("m", "r", Run(penstock="0", run_id="r"), rejected).waits
