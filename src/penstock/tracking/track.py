"""A run's values brought to MLflow, and the model's alias to where the release is. Each may be done again."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from penstock.bundle.directory import Bundle
from penstock.foundation.errors import UsageError, WorldError, one_line
from penstock.releases.baseline import Release, baseline
from penstock.releases.history import PublishedRelease, history
from penstock.sources.git_url import mask
from penstock.store.archive import fetch
from penstock.store.store import NotStoredError, Store
from penstock.tracking.mlflow_api import Mlflow, MlflowError, entries, text_of
from penstock.tracking.run_values import DONE_TAG, MAX_TAG, RUN_TAG, TrackedRun, tracked_run

ALIAS = "current"
"""What ``models:/NAME@current`` follows."""
VERSION_TAG = "penstock.version"
WITHDRAWN_TAG = "penstock.withdrawn"
MLFLOW_RUN_TAG = "penstock.mlflow_run"
"""Of a version that was registered before its run was there: MLflow's id of the run, or :data:`NO_RUN`."""
NO_RUN = "none"
"""The store has no such run, or MLflow takes no such one: it is not looked for again."""
RECORDS = ("run.json", "measurements.jsonl", "verdict.json")
"""What MLflow is told of a run, it is told from these."""
RELEASES_PER_CALL = 3
"""Registered with their runs, at most: a step of a release has more to do. The next call goes on."""
METRICS_PER_REQUEST = 900
OTHERS_PER_REQUEST = 100
"""Of parameters, and of tags: MLflow takes 100 of each, and 1,000 with the metrics."""
ATTEMPTS = 5
_QUOTABLE = re.compile(r"[A-Za-z0-9._+-]{1,250}")
T = TypeVar("T")


@dataclass(frozen=True)
class Tracked:
    """What became of a run."""

    run: str
    """MLflow's id."""
    changed: bool
    """``False``: MLflow had all of it."""


@dataclass(frozen=True)
class Followed:
    """Where the alias is."""

    release: str
    """The current release."""
    version: str
    """MLflow's number of it."""
    changed: bool


def track_run(mlflow: Mlflow, bundle: Bundle, evidence: str = "") -> Tracked:
    """Write a run's tags, parameters and metrics, unless MLflow has them already.

    What a killed process left is completed: the run is found by its tag, values are written with the run's own time,
    so that they are the same ones, and the tag that says that all is there comes last.

    Args:
        mlflow: the server.
        bundle: the run's bundle, whether it has a verdict or not.
        evidence: where its evidence is archived.

    Raises:
        UsageError: a record of the bundle is missing or damaged, or the run has a name that cannot be looked for.
        MlflowError: MLflow cannot be reached, or refuses.
    """
    run = tracked_run(bundle, evidence)
    experiment = _experiment(mlflow, run.experiment)
    there = find_run(mlflow, experiment, run.name)
    if there is not None and _tags_of(there.get("data")).get(DONE_TAG) == run.digest:
        return Tracked(text_of(there, "info", "run_id"), changed=False)
    if there is None:
        tag = [{"key": RUN_TAG, "value": run.name}]
        first = {"experiment_id": experiment, "run_name": run.name, "start_time": run.started_ms, "tags": tag}
        there = mlflow.post("runs/create", first).get("run", {})
    number = text_of(there, "info", "run_id")
    for batch in _batches(run):
        mlflow.post("runs/log-batch", {"run_id": number, **batch})
    mlflow.post("runs/update", {"run_id": number, "status": "FINISHED", "end_time": run.ended_ms})
    mlflow.post("runs/set-tag", {"run_id": number, "key": DONE_TAG, "value": run.digest})
    return Tracked(number, changed=True)


def follow_release(mlflow: Mlflow, store: Store, model: str) -> Followed | None:
    """Register what was released of a model, each with its run, and let the alias ``current`` point to the current one.

    After a rollback as after a release: it reads from the store where the pointer is, so that it does not matter which
    move MLflow missed. A run that MLflow missed is brought from the store before its release is registered, since
    MLflow cannot give a version its run later. :data:`RELEASES_PER_CALL` at most, the current one first; the next call
    goes on. A release that moves meanwhile is looked at again.

    Args:
        mlflow: the server.
        store: where the model is released.
        model: its name.

    Returns:
        ``None`` if nothing is released.

    Raises:
        WorldError: the store or MLflow cannot be reached, or refuses.
    """
    for _ in range(ATTEMPTS):
        current = baseline(store, model)
        if current is None:
            return None
        versions, releases = _registered(mlflow, model), history(store, model).releases
        for published in _due(releases, versions, current.version):
            version, run = published.release.version, _released_run(mlflow, store, published)
            if version not in versions:
                versions[version] = _register(mlflow, published, run)
            elif run:
                _tag_version(mlflow, model, versions[version], MLFLOW_RUN_TAG, run)
        for published in releases:
            if published.release.version in versions:
                _mark_withdrawn(mlflow, published, versions[published.release.version])
        number = text_of(versions[current.version], "version")
        changed = _alias(mlflow, model) != number
        if changed:
            mlflow.post("registered-models/alias", {"name": model, "alias": ALIAS, "version": number})
        again = baseline(store, model)
        if again is not None and again.version == current.version:
            return Followed(current.version, number, changed)
    raise MlflowError("others keep moving the current release", where=store.uri)


def find_run(mlflow: Mlflow, experiment: str, name: str) -> dict[str, Any] | None:
    """MLflow's run of one of ours; the oldest if two processes made one each.

    Raises:
        UsageError: a name that cannot be looked for.
    """
    if not _QUOTABLE.fullmatch(name):
        raise UsageError(f"the run's name '{name[:80]}' has characters that MLflow cannot look for", where="run.json")
    wanted = {
        "experiment_ids": [experiment],
        "filter": f"tags.`{RUN_TAG}` = '{name}'",
        "order_by": ["attributes.start_time ASC"],
        "max_results": 2,
    }
    return next(iter(entries(mlflow.post("runs/search", wanted), "runs")), None)


def _experiment(mlflow: Mlflow, name: str) -> str:
    for last in (False, True):
        try:
            return text_of(
                mlflow.get("experiments/get-by-name", {"experiment_name": name}), "experiment", "experiment_id"
            )
        except MlflowError as error:
            if error.code != "RESOURCE_DOES_NOT_EXIST" or last:
                raise
        try:
            return text_of(mlflow.post("experiments/create", {"name": name}), "experiment_id")
        except MlflowError as error:
            if error.code != "RESOURCE_ALREADY_EXISTS":  # another process was faster
                raise
    raise AssertionError


def _batches(run: TrackedRun) -> Iterator[dict[str, Any]]:
    metrics = [
        {"key": key, "value": value, "timestamp": run.started_ms, "step": 0}
        for key, value in sorted(run.metrics.items())
    ]
    params = [{"key": key, "value": value} for key, value in sorted(run.params.items())]
    tags = [{"key": key, "value": value} for key, value in sorted(run.tags.items())]
    for name, values, size in (
        ("tags", tags, OTHERS_PER_REQUEST),
        ("params", params, OTHERS_PER_REQUEST),
        ("metrics", metrics, METRICS_PER_REQUEST),
    ):
        for part in _parts(values, size):
            yield {name: part}


def _parts(values: Sequence[T], size: int) -> Iterator[list[T]]:
    iterator = iter(values)
    while part := list(islice(iterator, size)):
        yield part


def _registered(mlflow: Mlflow, model: str) -> dict[str, dict[str, Any]]:
    """Our version → MLflow's record of it; the lowest number if two processes made one each."""
    if not _QUOTABLE.fullmatch(model):
        raise UsageError(f"the model's name '{model[:80]}' has characters that MLflow cannot look for")
    try:
        mlflow.post("registered-models/create", {"name": model, "description": "Released by Penstock."})
    except MlflowError as error:
        if error.code != "RESOURCE_ALREADY_EXISTS":
            raise
    query = {"filter": f"name = '{model}'", "max_results": "1000"}
    found: dict[str, dict[str, Any]] = {}
    for entry in mlflow.pages("model-versions/search", query, "model_versions"):
        ours = _tags_of(entry).get(VERSION_TAG)
        if ours is not None and (ours not in found or _number(entry) < _number(found[ours])):
            found[ours] = entry
    return found


def _due(
    releases: Sequence[PublishedRelease], versions: dict[str, dict[str, Any]], current: str
) -> list[PublishedRelease]:
    """What to do in this call, the oldest first, as MLflow numbers them.

    Of the releases (the newest first) the current one, then those that MLflow has not, then those that it has without
    a run.
    """
    fresh = [one.release.version for one in releases if one.release.version not in versions]
    without = [one.release.version for one in releases if _lacks_run(versions.get(one.release.version))]
    chosen = (sorted(fresh, key=lambda version: version != current) + without)[:RELEASES_PER_CALL]
    return [one for one in reversed(releases) if one.release.version in chosen]


def _lacks_run(entry: dict[str, Any] | None) -> bool:
    return entry is not None and not entry.get("run_id") and MLFLOW_RUN_TAG not in _tags_of(entry)


def _released_run(mlflow: Mlflow, store: Store, published: PublishedRelease) -> str:
    """MLflow's id of a release's run, which is brought from the store if MLflow has it not, or not all of it.

    Returns:
        :data:`NO_RUN` if it can never be brought; empty if the store did not give it this time, which does not keep
        the release from being shown.

    Raises:
        MlflowError: MLflow cannot be reached, or refuses more than this run's values.
    """
    release = published.release
    try:
        there = find_run(mlflow, _experiment(mlflow, release.model), release.run_id)
        if there is not None and DONE_TAG in _tags_of(there.get("data")):
            return text_of(there, "info", "run_id")
        with tempfile.TemporaryDirectory() as folder:
            bundle = fetch(store, release.model, release.run_id, Path(folder), only=RECORDS)
            return track_run(mlflow, bundle, published.evidence).run
    except (NotStoredError, UsageError):
        return NO_RUN
    except MlflowError as error:
        if error.code != "INVALID_PARAMETER_VALUE":
            raise
        return NO_RUN
    except WorldError:
        return ""


def _register(mlflow: Mlflow, published: PublishedRelease, run: str) -> dict[str, Any]:
    release = published.release
    tags = {
        VERSION_TAG: release.version,
        RUN_TAG: release.run_id,
        "penstock.commit": release.commit,
        "penstock.image": release.image.digest,
        "penstock.evidence": mask(published.evidence),
    }
    if run == NO_RUN:
        tags[MLFLOW_RUN_TAG] = NO_RUN
    value: dict[str, Any] = {
        "name": release.model,
        "source": _source(published.evidence, release),
        "tags": [{"key": key, "value": text[:MAX_TAG]} for key, text in tags.items()],
        "description": f"Release {one_line(release.version)[:200]}.",
    }
    if run and run != NO_RUN:
        value["run_id"] = run
    made = mlflow.post("model-versions/create", value).get("model_version")
    if not isinstance(made, dict):
        raise MlflowError("the answer has no 'model_version'")
    return made


def _source(evidence: str, release: Release) -> str:
    """Where the evidence is; MLflow takes no path of a machine and no web address, so a directory's has its digest."""
    if evidence.startswith("s3://"):
        return evidence
    return f"penstock:/manifest/{release.manifest_sha256}"


def _mark_withdrawn(mlflow: Mlflow, published: PublishedRelease, entry: dict[str, Any]) -> None:
    gone = published.withdrawn
    if gone is not None and WITHDRAWN_TAG not in _tags_of(entry):
        words = one_line(f"{gone.time} by {gone.by}: {gone.reason}")[:MAX_TAG]
        _tag_version(mlflow, published.release.model, entry, WITHDRAWN_TAG, words)


def _tag_version(mlflow: Mlflow, model: str, entry: dict[str, Any], key: str, value: str) -> None:
    number = text_of(entry, "version")
    mlflow.post("model-versions/set-tag", {"name": model, "version": number, "key": key, "value": value})


def _alias(mlflow: Mlflow, model: str) -> str | None:
    try:
        answer = mlflow.get("registered-models/alias", {"name": model, "alias": ALIAS})
    except MlflowError as error:
        if error.code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise
    return text_of(answer, "model_version", "version")


def _tags_of(value: Any) -> dict[str, str]:
    tags = value.get("tags") if isinstance(value, dict) else None
    listed = [tag for tag in tags if isinstance(tag, dict)] if isinstance(tags, list) else []
    return {str(tag.get("key")): str(tag.get("value")) for tag in listed}


def _number(entry: dict[str, Any]) -> int:
    text = text_of(entry, "version")
    return int(text) if text.isdecimal() else 0
