"""PipelineRuns that a schedule starts, on the cluster that this pod runs on: one of each at a time.

The client is the extra ``kubernetes``. It is imported when it is needed: that takes a second.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.foundation.errors import UsageError, WorldError, one_line
from penstock.foundation.yaml_text import read_yaml
from penstock.targets.workload_api import MAX_ANSWER_BYTES, careful_retries, refusal_words

TEKTON = {"group": "tekton.dev", "version": "v1", "plural": "pipelineruns"}
LABEL = "penstock.dev/scheduled"
"""On each run that a schedule has started: the name of its file."""
JOB = "penstock.dev/job"
"""Likewise: the uid of the Job that has started it, whose pod may be tried again."""
NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
REQUEST_S = 30.0
MAX_LISTED = 500
MAX_LABEL = 63


def scheduled_files(folder: Path) -> list[Path]:
    """The files of a folder that each say a run, ``NAME.yaml``; others are passed over.

    Raises:
        UsageError: there is none.
    """
    paths = sorted(path for path in folder.glob("*.yaml") if path.is_file())
    if not paths:
        raise UsageError(
            "there is nothing to start",
            where="ConfigMap penstock-scheduled-runs",
            todo="Put PipelineRuns into it, a file NAME.yaml each (docs/operations.md, 'On a schedule').",
        )
    return paths


def scheduled_run(path: Path) -> dict[str, Any]:
    """The run that a file says, labelled with the file's name without ``.yaml``.

    Raises:
        UsageError: it is no YAML, or no PipelineRun that is given its name by the cluster.
    """
    value = read_yaml(path, name=path.name).value
    metadata = value.get("metadata") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(metadata, dict):
        raise UsageError("it is no PipelineRun", where=path.name, todo="See tekton/runs/drift.yaml.")
    kind = (value.get("apiVersion"), value.get("kind"))
    if kind != ("tekton.dev/v1", "PipelineRun"):
        todo = "A schedule starts a PipelineRun of tekton.dev/v1, and nothing else."
        raise UsageError(f"it is a {one_line(str(kind[1]))[:80]}, and no PipelineRun", where=path.name, todo=todo)
    if not isinstance(metadata.get("generateName"), str) or {"name", "namespace"} & metadata.keys():
        todo = "Say metadata.generateName, and neither name nor namespace: each night's run has a name of its own."
        raise UsageError("it cannot be started twice", where=path.name, todo=todo)
    if not isinstance(metadata.get("labels", {}), dict) or len(path.stem) > MAX_LABEL:
        todo = f"Labels are a mapping; the file's name becomes one, of at most {MAX_LABEL} characters."
        raise UsageError("it cannot be labelled", where=path.name, todo=todo)
    labels = metadata.get("labels", {}) | {LABEL: path.stem}
    return value | {"metadata": metadata | {"labels": labels}}


@dataclass(frozen=True)
class Started:
    """The run that a file of the schedule stands for now."""

    run: str
    """Its name."""
    why_not: str = ""
    """Why it was not created now; empty: it was."""


class ClusterRuns:
    """The PipelineRuns of one namespace."""

    def __init__(self, api: Any, namespace: str) -> None:
        """``api``: a ``CustomObjectsApi``; nothing is asked yet."""
        self._api, self._namespace = api, namespace

    @classmethod
    def here(cls) -> ClusterRuns:
        """Those of this pod's own namespace.

        Raises:
            UsageError: this is no pod with the token of its account, or the extra is not installed.
        """
        return cls(*custom_objects_here(where="schedule", manifest="tekton/schedule/scheduled.yaml"))

    def start(self, name: str, run: dict[str, Any], *, job: str) -> Started:
        """Create a run, unless one of this name still goes, or this Job has created one before.

        Args:
            name: of its file.
            run: as :func:`scheduled_run` gives it.
            job: the Job that this is done for, by its uid: a Job that is made by hand may have the name of an earlier.

        Raises:
            WorldError: the API server refuses, or does not answer.
        """
        found = self._ask(
            self._api.list_namespaced_custom_object, name, label_selector=f"{LABEL}={name}", limit=MAX_LISTED
        )
        for item in found.get("items", []):
            known = item["metadata"]
            if known.get("labels", {}).get(JOB) == job:
                return Started(str(known["name"]), "this Job has started it before")
            if not _has_ended(item):
                return Started(str(known["name"]), "the run that was started last still goes")
        metadata = run["metadata"] | {"labels": run["metadata"]["labels"] | {JOB: job}}
        made = self._ask(self._api.create_namespaced_custom_object, name, body=run | {"metadata": metadata})
        return Started(str(made["metadata"]["name"]))

    def _ask(self, call: Any, name: str, **given: Any) -> dict[str, Any]:
        from kubernetes.client.exceptions import ApiException
        from urllib3.exceptions import HTTPError

        try:
            place = TEKTON | {"namespace": self._namespace}
            answer = call(**place, _request_timeout=REQUEST_S, _preload_content=False, **given)
            try:
                content = answer.read(MAX_ANSWER_BYTES + 1)
            finally:
                answer.close()
            found = json.loads(content) if len(content) <= MAX_ANSWER_BYTES else None
        except ApiException as error:
            todo = (
                "Does the account have its Role? See tekton/rbac/scheduled.yaml." if error.status in (401, 403) else ""
            )
            what = f"the API server answers {error.status or 0}: {refusal_words(error)}"
            raise WorldError(what, where=f"{name}.yaml", todo=todo) from None
        except HTTPError as error:
            what = f"the API server does not answer: {one_line(str(error))[:200]}"
            raise WorldError(what, where=f"{name}.yaml", todo="Look whether it was started: tkn pr list.") from None
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise WorldError("the API server's answer is none", where=f"{name}.yaml")
        return found


def custom_objects_here(*, where: str, manifest: str) -> tuple[Any, str]:
    """The API server's ``CustomObjectsApi`` as the account of this pod, and the pod's namespace.

    Args:
        where: who asks, for messages.
        manifest: what it is installed with, likewise.

    Raises:
        UsageError: this is no pod with the token of its account, or the extra is not installed.
    """
    try:
        from kubernetes import client, config
    except ImportError:
        todo = "Install it: pip install 'penstock[kubernetes]'."
        raise UsageError("it needs the extra 'kubernetes'", where=where, todo=todo) from None
    configuration = client.Configuration()
    try:
        config.load_incluster_config(configuration)
        namespace = NAMESPACE_FILE.read_text(encoding="utf-8").strip()
    except (config.ConfigException, OSError) as error:
        todo = f"It runs in a pod whose account has its token: {manifest}."
        what = f"there is no cluster around: {one_line(str(error))}"
        raise UsageError(what, where=where, todo=todo) from None
    configuration.retries = careful_retries()
    return client.CustomObjectsApi(client.ApiClient(configuration)), namespace


def _has_ended(run: dict[str, Any]) -> bool:
    conditions = run.get("status", {}).get("conditions", [])
    return any(one.get("type") == "Succeeded" and one.get("status") in ("True", "False") for one in conditions)
