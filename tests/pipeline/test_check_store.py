"""What ``penstock check`` says of a suite once there is a store that a real run has filled."""

from __future__ import annotations

import json
import subprocess

from tests.pipeline.pipeline_runs import PENSTOCK, Ended


def test_a_first_release_was_not_compared_and_its_store_bounds_what_the_suite_can_settle(first: Ended) -> None:
    verdict = first.bundle.verdict()
    assert {rule.metric: rule.not_compared for rule in verdict.rules} == {
        "duration_error": None,
        "latency": None,
        "sharpness": "margin",
    }
    summary = (first.bundle.report / "summary.md").read_text(encoding="utf-8")
    assert "2 rules hold, 1 holds its bounds (margin not compared)" in summary
    assert "Every rule holds" not in (first.bundle.report / "index.html").read_text(encoding="utf-8")
    store = first.out / "store"
    before = sorted(store.rglob("*"))
    arguments = [PENSTOCK, "check", str(first.folder / "source"), "--store", str(store), "--json"]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    (margin,) = json.loads(done.stdout)["margins"]
    assert (margin["metric"], margin["cases"]) == ("sharpness", verdict.rules[2].n)
    assert margin["margin"] is not None, "a share of the released model's mean"
    assert sorted(store.rglob("*")) == before, "a check writes nothing"
