"""Runs as they lie on the disk, without a pipeline having made them."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Measurement, Run, Source, StepRecord
from penstock.bundle.verdict_record import RuleResult, Verdict
from penstock.local_run.run_folder import begin, prepare
from penstock.store.archive import archive
from penstock.store.open import open_store

NOW = datetime.datetime.now(datetime.UTC)
RULE = RuleResult(
    metric="sharpness",
    slice=None,
    verdict="fail",
    reason="sharpness fell from 9 to 5",
    predicate="fell from 9 to 5",
    baseline=9.0,
    candidate=5.0,
    change=-4.0,
    interval=None,
    limit="≥ 8",
    n=1,
)


def made_run(
    out: Path,
    name: str,
    version: str,
    *,
    verdict: str = "pass",
    days: float = 0,
    model: str = "sonic",
    value: float = 9.0,
) -> Bundle:
    """A run that came to a verdict, and has not been archived."""
    prepare(out)
    folder = out / "runs" / name
    params = {"revision": f"v{version}", "store": str(out.absolute() / "store")}
    begin(folder, {"what": "release", "params": params, "workspaces": {}})
    bundle = Bundle(folder / "bundle")
    source = Source(url="u", revision=f"v{version}", commit="c" * 40, committer_date="", version=version, tree="t")
    began = (NOW - datetime.timedelta(days=days)).isoformat(timespec="seconds")
    steps = [StepRecord(name="clone", status="done", started=began, seconds=1.0)]
    bundle.update_run(Run(penstock="0", run_id=name, model=model, source=source, steps=steps))
    bundle.write_measurements([Measurement(case="a", metric="sharpness", value=value)])
    rules = [RULE.model_copy(update={"verdict": verdict})]
    bundle.write_verdict(Verdict.model_validate({"verdict": verdict, "level": 0.05, "rules": rules, "candidate": name}))
    bundle.report.mkdir()
    (bundle.report / "index.html").write_text("page", encoding="utf-8")
    return bundle


def archived(out: Path, bundle: Bundle) -> None:
    """Put a run into the store of its directory."""
    run = bundle.run()
    archive(bundle, open_store(out / "store"), model=run.model, run_id=run.run_id)


def stopped_run(out: Path, name: str) -> Path:
    """A run that never came as far as a bundle."""
    folder = out / "runs" / name
    begin(folder, {"what": "release", "params": {"revision": "v9"}, "workspaces": {}})
    (folder / "state").mkdir()
    (folder / "state" / "state.json").write_text(json.dumps({"finished": {"status": "False"}}), encoding="utf-8")
    return folder
