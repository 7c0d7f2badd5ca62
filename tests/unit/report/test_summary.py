"""The summary and the comment on a pull request: short, whole, and inert whatever the texts are."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.report.verdicts import ALL, FIRST, RUN, WAIVER, rule, verdict_of

from penstock.bundle.models import GivenWeightsRecord
from penstock.bundle.verdict_record import MeasuredAgain, RuleResult
from penstock.report.summary import INVISIBLE, markdown_summary, plain, rule_verdict


def test_what_stops_the_release_comes_first_then_what_does_not() -> None:
    lines = markdown_summary(RUN, ALL).splitlines()
    assert lines[0] == "## sonic 1.1.0: rejected"
    bullets = [line for line in lines if line.startswith("- ")]
    assert [bullet.split(":")[0] for bullet in bullets] == [
        "- **LSE-C**",
        "- **KID**",
        "- **LSE-D**",
        "- **LSE-D (fast)** (warning)",
        "- **jitter** (advisory)",
        "- **sharpness** (waived)",
        "- **latency** (pass)",
    ]
    assert "*waived until 2026-12-31 by Ada: the new codec is worth it*" in bullets[5]
    assert "*the waiver expired on 2026-01-31 and no longer counts, by Ada: the new codec is worth it*" in bullets[1]


def test_release_notes_come_first_and_are_inert() -> None:
    lines = markdown_summary(RUN.model_copy(update={"notes": "**bold** @everyone"}), ALL).splitlines()
    assert lines[2] == f"Release notes: \\*\\*bold\\*\\* @{INVISIBLE}everyone"
    given = GivenWeightsRecord(path="weights/a", sha256="1" * 64, replaces="2" * 64, source="https://x.org/n")
    lines = markdown_summary(RUN.model_copy(update={"given_weights": given}), ALL).splitlines()
    assert lines[2] == f"Weights given: weights/a sha256:{'1' * 64}, in place of sha256:{'2' * 64}."


def test_the_table_has_interval_and_the_cases_that_would_settle_it() -> None:
    rows = [line for line in markdown_summary(RUN, ALL).splitlines() if line.startswith("|")]
    assert rows[0] == "| rule | baseline | candidate | change | interval | limit | verdict |"
    assert len(rows) == 2 + len(ALL.rules)
    assert rows[4].endswith("| +1.100 … +1.600 | ≤ 9 | inconclusive (8 cases, 40 would settle it) |")
    assert "| – | ≤ 9 | fail |" in markdown_summary(RUN, verdict_of(rule(interval=None)))


@pytest.mark.parametrize(
    ("metrics", "titles"), [(["kid"], "KID"), (["fid", "kid", "lse_d"], "FID, KID and LSE-D"), (["own_one"], "own_one")]
)
def test_values_that_were_measured_again_are_named_with_the_reason(metrics: list[str], titles: str) -> None:
    stored, measured = {"a": "s@sha256:0+bf16-openvino", "b": "t@sha256:1+bf16-openvino"}, {"a": "s@sha256:0"}
    again = MeasuredAgain(metrics=metrics, stored=stored, measured=measured)
    (line,) = (
        line for line in markdown_summary(RUN, verdict_of(rule(), measured_again=again)).splitlines() if "again" in line
    )
    assert line.replace("\\", "") == (
        f"- {titles} of the baseline were measured again, from its archived outputs: "
        "they are stored in bf16-openvino, and the candidate's are in f32."
    )
    assert "measured again" not in markdown_summary(RUN, verdict_of(rule()))


def test_a_first_release_never_says_that_a_margin_holds() -> None:
    lines = markdown_summary(RUN, FIRST).splitlines()
    assert lines[2] == (
        "- First release: there is no baseline to compare with: 1 rule holds, 1 holds its bounds "
        "(margin not compared), 2 not compared."
    )
    assert [line.rsplit("| ", 1)[1] for line in lines if line.startswith("| ")][1:] == [
        "pass |",
        "pass (margin not compared) |",
        "not compared (no baseline) |",
        "not compared (no baseline) |",
    ]
    broken = verdict_of(*FIRST.rules, rule(baseline=None), baseline=None)
    assert "- First release: there is no baseline to compare with." in markdown_summary(RUN, broken)


@pytest.mark.parametrize(
    ("hostile", "wanted"),
    [
        ("@everyone look", f"@{INVISIBLE}everyone look"),
        ("fixes #12", f"fixes #{INVISIBLE}12"),
        ("GH-12", f"GH-{INVISIBLE}12"),
        ("https://evil.example", f"https://{INVISIBLE}evil.example"),
        ("see www.evil.example", f"see www{INVISIBLE}.evil.example"),
        ("!12 ~bug %1 $2 &3", f"\\!{INVISIBLE}12 \\~{INVISIBLE}bug %{INVISIBLE}1 ${INVISIBLE}2 &{INVISIBLE}3"),
        ("x@sha256:00", "x@sha256:00"),
        ("x@everyone 1@here", f"x@{INVISIBLE}everyone 1@{INVISIBLE}here"),
        ("mailto:a@b.example", f"mailto:a@{INVISIBLE}b.example"),
        ("## Title", "\\## Title"),
        ("#1", f"\\#{INVISIBLE}1"),
        ("- item", "\\- item"),
        ("+ item", "\\+ item"),
        ("12. item", "12\\. item"),
        ("1) item", "1\\) item"),
        ("- - -", "\\- - -"),
        ("---", "\\---"),
        ("-0.5 to 1.5", "-0.5 to 1.5"),
        ("1.5 s", "1.5 s"),
        ("+5 %, 3 < 4", "+5 %, 3 \\< 4"),
        ("a\n/merge", "a /merge"),
        ("\x1b[2J\u202egnp", "\\\\x1b\\[2J\\\\u202egnp"),
        ("<!-- x -->", "\\<\\!-- x --\\>"),
        ("`a`|*b*|_c_", "\\`a\\`\\|\\*b\\*\\|\\_c\\_"),
    ],
)
def test_texts_call_nobody_and_link_nowhere(hostile: str, wanted: str) -> None:
    assert plain(hostile) == wanted


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60), st.text(max_size=20))
def test_whatever_the_texts_are_the_shape_stays(text: str, name: str) -> None:
    bad = rule(
        reason=text, metric=f"m{name}", slice=text, limit=text, waiver=WAIVER.model_copy(update={"reason": text})
    )
    markdown = markdown_summary(RUN.model_copy(update={"model": name}), verdict_of(bad))
    lines = markdown.splitlines()
    assert [line[:2] for line in lines] == ["##", "", "- ", "", "| ", "|-", "| "]
    assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", lines[-1])) == 8
    assert not re.search(r"(?<!\\)(?:\\\\)*[<>\[\]`]", "".join(lines[:3]))


def test_plain_text_cannot_leave_a_table() -> None:
    assert plain("a|b\n[x](y) <b>") == "a\\|b \\[x\\](y) \\<b\\>"


def result(**more: object) -> RuleResult:
    known = {"metric": "lse_d", "slice": None, "verdict": "fail", "reason": "", "limit": "", "n": 1}
    empty = dict.fromkeys(("baseline", "candidate", "change", "interval"))
    return RuleResult.model_validate(known | empty | more)


@pytest.mark.parametrize(
    ("more", "state"),
    [
        ({"verdict": "pass", "severity": "warn"}, "pass"),
        ({"verdict": "fail"}, "fail"),
        ({"verdict": "inconclusive"}, "inconclusive"),
        ({"verdict": "inconclusive", "severity": "warn"}, "warning"),
        ({"severity": "warn", "advisory": True}, "advisory"),
        ({"waiver": {"reason": "r", "author": "a", "expires": "2026-01-01"}}, "waived"),
        ({"waiver": {"reason": "r", "author": "a", "expires": "2026-01-01", "expired": True}}, "fail"),
    ],
)
def test_what_blocks_nothing_is_not_called_failed(more: dict[str, object], state: str) -> None:
    assert rule_verdict(result(**more)) == state
