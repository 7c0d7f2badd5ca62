"""One Task on the cluster without a pipeline, from ``tkn task start`` to its end."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tests.e2e.api import TEKTON, Object
from tests.e2e.install import POD_TEMPLATE
from tests.e2e.run import Cluster, condition

TIMEOUT_S = 600


def run_task(cluster: Cluster, task: str, params: Mapping[str, str], workspaces: Mapping[str, str]) -> dict[str, str]:
    """Start it and wait for its end, which is a good one. Returns its results."""
    ended = ended_task(cluster, task, params, workspaces)
    assert condition(ended)["status"] == "True", f"{condition(ended).get('message')}\n{said(cluster, ended)}"
    return {result["name"]: result["value"] for result in ended["status"].get("results", [])}


def ended_task(cluster: Cluster, task: str, params: Mapping[str, str], workspaces: Mapping[str, str]) -> Object:
    """Start it with tkn, as an engineer does, and wait for its end, good or bad. Returns the TaskRun."""
    answer = cluster.facts.tkn(
        *("--namespace", cluster.namespace, "task", "start", task, "--use-param-defaults"),
        *(word for name, value in params.items() for word in ("--param", f"{name}={value}")),
        *(word for name, by in workspaces.items() for word in ("--workspace", f"name={name},{by}")),
        *("--pod-template", str(POD_TEMPLATE), "--serviceaccount", "penstock"),
    )
    (name,) = re.findall(r"^TaskRun started: (\S+)", answer, re.MULTILINE)
    return cluster.api.wait(
        cluster.api.collection("taskruns", TEKTON),
        lambda found: found if condition(found)["status"] in ("True", "False") else None,
        f"the end of the task {name}",
        timeout_s=TIMEOUT_S,
        fieldSelector=f"metadata.name={name}",
    )


def said(cluster: Cluster, ended: Object) -> str:
    """What the first step of an ended TaskRun wrote."""
    pod = f"{cluster.api.collection('pods')}/{ended['status']['podName']}/log"
    return cluster.api.text(pod, container=ended["status"]["steps"][0]["container"])
