"""Bundles of a candidate and a baseline whose texts are hostile, and the rules of their verdict."""

from __future__ import annotations

from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Invocation, Measurement, Source
from penstock.bundle.steps import begin
from penstock.bundle.verdict_record import RuleResult

HOSTILE = "</script><script>alert(1)</script>|`*"


def rule(metric: str, verdict: str, reason: str = "fine") -> RuleResult:
    return RuleResult(
        metric=metric,
        slice=None,
        verdict=verdict,
        reason=reason,
        baseline=7.9,
        candidate=9.26,
        change=1.36,
        interval=None,
        limit="≤ 9",
        n=2,
    )


def make_bundle(path: Path, run_id: str, lse_d: dict[str, float | None]) -> Bundle:
    bundle = Bundle(path)
    run = begin(bundle, run_id=run_id, track="release")
    source = Source(
        url="https://git.example.org/a b.git",
        revision="v1",
        commit="c" * 40,
        committer_date="2026-01-01",
        version="1",
        tree="t",
    )
    bundle.update_run(run.model_copy(update={"model": "sonic-lite", "source": source}))
    bundle.write_measurements(
        [Measurement(case=case, metric="lse_d", value=value, slices=[HOSTILE]) for case, value in lse_d.items()]
    )
    calls = [
        Invocation(case=case, status="ok", output=f"outputs/{case}/output.mp4")
        if value is not None
        else Invocation(case=case, status="failed", error=HOSTILE)
        for case, value in lse_d.items()
    ]
    bundle.write_invocations(calls)
    for case, value in lse_d.items():
        if value is not None:
            (bundle.outputs / case).mkdir(parents=True)
            (bundle.outputs / case / "output.mp4").write_bytes(b"\x00\x00\x00\x18ftypmp42" + run_id.encode())
    return bundle
