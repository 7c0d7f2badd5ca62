"""A run and a verdict with one rule of each kind."""

from __future__ import annotations

from typing import Any

from penstock.bundle.models import Run, Source, SuiteRecord
from penstock.bundle.verdict_record import RuleResult, Verdict, WaiverRecord

WAIVER = WaiverRecord(reason="the new codec is worth it", author="Ada", expires="2026-12-31")
EXPIRED = WAIVER.model_copy(update={"expires": "2026-01-31", "expired": True})
RUN = Run(
    penstock="0.1.0",
    run_id="release-7",
    model="sonic",
    source=Source(
        url="https://git.example.org/sonic", revision="v1", commit="c" * 40, committer_date="", version="1.1.0", tree=""
    ),
    suite=SuiteRecord(digest="0", cases=8),
)


def rule(verdict: str = "fail", **more: Any) -> RuleResult:
    fixed: dict[str, Any] = {
        "metric": "lse_d",
        "slice": None,
        "verdict": verdict,
        "reason": "LSE-D rose from 7.9 to 9.26",
        "baseline": 7.9,
        "candidate": 9.26,
        "change": 1.36,
        "interval": (1.1, 1.6),
        "limit": "≤ 9",
        "n": 8,
    }
    return RuleResult.model_validate(fixed | more)


def verdict_of(*rules: RuleResult, **more: Any) -> Verdict:
    fixed = {"verdict": "fail", "baseline": "release-6", "candidate": "release-7", "level": 0.05, "rules": list(rules)}
    return Verdict.model_validate(fixed | more)


ALL = verdict_of(
    rule("pass", metric="fid"),
    rule(severity="warn", slice="fast"),
    rule("inconclusive", metric="lse_c", needed=40),
    rule(severity="warn", advisory=True, metric="jitter"),
    rule(waiver=WAIVER, metric="sharpness"),
    rule(waiver=EXPIRED, metric="kid"),
    rule("pass", waiver=WAIVER, metric="latency"),
    rule(),
)

FIRST = verdict_of(
    *(
        rule("pass", metric=metric, baseline=None, change=None, interval=None, not_compared=part, reason=reason)
        for metric, part, reason in (
            ("av_offset_abs", None, "|A/V offset| is 0 frames, as it must be ≤ 1 frames"),
            ("lse_d", "margin", "LSE-D is 8, as it must be ≤ 9; margin not compared: there is no baseline"),
            ("lse_c", "rule", "not compared: there is no baseline (first release)"),
            ("kid", "rule", "not compared: there is no baseline (first release)"),
        )
    ),
    verdict="pass",
    baseline=None,
)
"""A first release: bounds that hold, and margins that had nothing to be compared with."""
