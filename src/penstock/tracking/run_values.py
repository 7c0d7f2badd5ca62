"""What MLflow is told of a run: tags, parameters, metrics; each within MLflow's limits, and the same every time."""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from penstock.bundle.directory import Bundle
from penstock.bundle.models import WHOLE_SUITE, Run
from penstock.foundation.errors import UsageError, one_line
from penstock.report.old_verdicts import read_verdict
from penstock.sources.git_url import mask

MAX_KEY = 200
"""Of 250 bytes that every backend of MLflow takes."""
MAX_VALUE = 500
"""Of a parameter: what older versions of MLflow take; newer ones take 6,000."""
MAX_TAG = 4_000
_TAKEN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_. -]*(/[A-Za-z0-9_-][A-Za-z0-9_. -]*)*")
"""Keys that MLflow takes: it wants them to be paths, without an empty part, ``.`` or ``..``."""
RUN_TAG = "penstock.run_id"
DONE_TAG = "penstock.tracked"
"""Set last, to the digest of all the values: a run that has it has them all."""


@dataclass(frozen=True)
class TrackedRun:
    """One run."""

    experiment: str
    name: str
    started_ms: int
    ended_ms: int
    tags: dict[str, str]
    params: dict[str, str]
    metrics: dict[str, float]
    """``METRIC`` is the mean over the cases or the value of the suite, ``case/METRIC/CASE`` that of one case."""

    @property
    def digest(self) -> str:
        """Of all of it."""
        whole = [self.experiment, self.name, self.tags, self.params, self.metrics]
        return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def tracked_run(bundle: Bundle, evidence: str = "") -> TrackedRun:
    """Read a run's bundle.

    Args:
        bundle: at least ``run.json``; ``measurements.jsonl`` and ``verdict.json`` if the run came so far.
        evidence: where its evidence is archived.

    Raises:
        UsageError: a record is missing or damaged.
    """
    run = bundle.run()
    try:
        times = [datetime.fromisoformat(step.started).timestamp() for step in run.steps]
    except (ValueError, OverflowError, OSError):  # no time, or one that no clock shows
        todo = "Make the bundle anew, or take the archived one."
        raise UsageError("a step of it has no valid time in 'started'", where="run.json", todo=todo) from None
    ended = [time + step.seconds for time, step in zip(times, run.steps, strict=True)]
    return TrackedRun(
        experiment=run.model or "penstock",
        name=run.run_id,
        started_ms=int(min(times, default=0) * 1000),
        ended_ms=int(max(ended, default=0) * 1000),
        tags={key: one_line(value)[:MAX_TAG] for key, value in _tags(bundle, run, evidence).items() if value},
        params={_key(key): one_line(value)[:MAX_VALUE] for key, value in _params(run).items() if value},
        metrics=_metrics(bundle),
    )


def _tags(bundle: Bundle, run: Run, evidence: str) -> dict[str, str]:
    verdict = read_verdict(bundle) if bundle.verdict_file.exists() else None
    tags = {
        RUN_TAG: run.run_id,
        "penstock.track": run.track,
        "penstock.version": run.source.version if run.source else "",
        "penstock.evidence": mask(evidence),
        "penstock.verdict": verdict.verdict if verdict else "",
        "penstock.baseline": (verdict.baseline or "") if verdict else "",
        "penstock.release_notes": run.notes,
        "penstock.penstock": run.penstock,
    }
    if run.source is not None:
        tags |= {"mlflow.source.name": mask(run.source.url), "mlflow.source.git.commit": run.source.commit}
    return tags


def _params(run: Run) -> dict[str, str]:
    found = {f"parameter.{name}": _plain(value) for name, value in run.parameters.items()}
    found |= {f"extractor.{role}": label for role, label in run.extractors.items()}
    found |= {f"weights.{file.path}": f"sha256:{file.sha256}" for file in run.weights}
    if run.suite is not None:
        found |= {"suite.digest": run.suite.digest, "suite.cases": str(run.suite.cases)}
    if run.image is not None:
        found["image.digest"] = run.image.digest
    return found


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _metrics(bundle: Bundle) -> dict[str, float]:
    if not bundle.measurements_file.exists():
        return {}
    cases: Mapping[str, list[float]] = defaultdict(list)
    found: dict[str, float] = {}
    for one in bundle.measurements():
        if one.value is None:
            continue
        if one.slice is not None:
            found[_key(f"slice/{one.metric}/{one.slice}")] = one.value
        elif one.case == WHOLE_SUITE:
            found[_key(one.metric)] = one.value
        else:
            found[_key(f"case/{one.metric}/{one.case}")] = one.value
            cases[one.metric].append(one.value)
    for metric, values in cases.items():
        found.setdefault(_key(metric), sum(values) / len(values))
    return found


def _key(name: str) -> str:
    """A name that MLflow takes as a key, for each name another one."""
    if len(name) <= MAX_KEY and _TAKEN.fullmatch(name):
        return name
    parts = re.sub(r"[^A-Za-z0-9_/-]+", "_", name).split("/")
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{'/'.join(part for part in parts if part)[:MAX_KEY].rstrip('/')}-{digest}"
