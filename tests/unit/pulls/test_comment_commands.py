"""Commands in comments."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.pulls.comment_commands import USAGE, CommentWaiver, PullCommand, has_commands, parse_commands

TODAY = datetime.date(2026, 11, 27)


def parsed(text: str) -> list[PullCommand]:
    found = parse_commands(text, today=TODAY)
    assert not found.faults
    return list(found.commands)


def faults(text: str) -> str:
    return "\n".join(parse_commands(text, today=TODAY).faults)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("/penstock verify", PullCommand("verify")),
        ("/penstock verify full", PullCommand("verify", full=True)),
        ("/PENSTOCK  Verify\tFULL  ", PullCommand("verify", full=True)),
        ("/penstock retest\r\nThanks!", PullCommand("retest")),
        ("/penstock cancel\n\n/penstock retest", PullCommand("cancel")),
        ("/penstock ok-to-test", PullCommand("ok-to-test")),
        ("/penstock ok-to-test C0FFEE0", PullCommand("ok-to-test", commit="c0ffee0")),
        (
            "/penstock waive lse_d known, until the new extractor is out until 2026-12-24",
            PullCommand(
                "waive",
                waived=CommentWaiver(
                    "lse_d", None, "known, until the new extractor is out", datetime.date(2026, 12, 24)
                ),
            ),
        ),
        (
            "/penstock waive mask_error@hair  hair   is new UNTIL 2026-11-27",
            PullCommand("waive", waived=CommentWaiver("mask_error", "hair", "hair is new", TODAY)),
        ),
    ],
)
def test_commands(text: str, wanted: PullCommand) -> None:
    assert parsed(text) == [wanted]


def test_several_in_the_first_lines() -> None:
    found = parsed("/penstock waive a b until 2026-12-01\n/penstock verify full\nand then\n/penstock cancel")
    assert [command.verb for command in found] == ["waive", "verify"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "please /penstock retest",
        " /penstock retest",
        "\n/penstock retest",
        "> /penstock retest",
        "/penstocks retest",
        "/penstock-retest",
        "`/penstock retest`",
        "<!-- penstock -->\n/penstock retest",
    ],
)
def test_what_is_none(text: str) -> None:
    assert parsed(text) == []
    assert not has_commands(text)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("/penstock", "there is no command ''"),
        ("/penstock rm -rf /", "there is no command 'rm'"),
        ("/penstock verify everything", "write: /penstock verify"),
        ("/penstock retest now", "write: /penstock retest"),
        ("/penstock ok-to-test abc", "write: /penstock ok-to-test"),
        ("/penstock ok-to-test $(x)", "write: /penstock ok-to-test"),
        ("/penstock waive lse_d because", "write: /penstock waive"),
        ("/penstock waive lse_d until 2026-12-01", "write: /penstock waive"),
        ("/penstock waive lse_d@ x until 2026-12-01", "the metric"),
        ("/penstock waive $(params.x) x until 2026-12-01", "the metric"),
        ("/penstock waive lse_d $(params.x) until 2026-12-01", "no '$('"),
        ("/penstock waive lse_d x until 2026-11-26", "from 2026-11-27"),
        ("/penstock waive lse_d x until 2027-03-01", "to 2027-02-27"),
        ("/penstock waive lse_d x until tomorrow", "from 2026-11-27"),
        ("/penstock waive lse_d x until 20261201", "from 2026-11-27"),
        ("/penstock waive lse_d " + "x" * 301 + " until 2026-12-01", "at most 300"),
        ("/penstock retest " + "x" * 600, "at most 600"),
        ("/penstock retest \u202e", "visible"),
        ("/penstock retest\n" * 6, "at most 5 commands"),
    ],
)
def test_faults_say_what_to_write(text: str, what: str) -> None:
    assert what in faults(text)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(text=st.text(max_size=200))
def test_any_text(text: str) -> None:
    parse_commands(text, today=TODAY)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    verb=st.sampled_from(sorted(USAGE)),
    rest=st.text(st.characters(codec="utf-8"), max_size=80),
    day=st.dates(TODAY - datetime.timedelta(days=200), TODAY + datetime.timedelta(days=200)),
)
def test_what_is_waived_is_safe_in_a_parameter(verb: str, rest: str, day: datetime.date) -> None:
    found = parse_commands(f"/penstock {verb} lse_d {rest} until {day}", today=TODAY)
    for command in found.commands:
        if command.waived is not None:
            assert "$(" not in command.waived.reason
            assert command.waived.reason.isprintable()
            assert TODAY <= command.waived.expires <= TODAY + datetime.timedelta(days=92)


def test_as_the_gate_takes_it() -> None:
    waived = CommentWaiver("mask_error", "hair", "new", datetime.date(2026, 12, 1))
    wanted = {"metric": "mask_error", "slice": "hair", "reason": "new", "expires": "2026-12-01", "by": "ann"}
    assert waived.as_json("ann") == wanted
