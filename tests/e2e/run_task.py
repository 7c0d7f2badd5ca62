"""One Task on the cluster without a pipeline, from ``tkn task start`` to its results."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tests.e2e.api import TEKTON
from tests.e2e.install import POD_TEMPLATE
from tests.e2e.run import Cluster, condition

TIMEOUT_S = 600


def run_task(cluster: Cluster, task: str, params: Mapping[str, str], workspaces: Mapping[str, str]) -> dict[str, str]:
    """Start it with tkn, as an engineer does, and wait for its end. Returns its results."""
    said = cluster.facts.tkn(
        *("--namespace", cluster.namespace, "task", "start", task, "--use-param-defaults"),
        *(word for name, value in params.items() for word in ("--param", f"{name}={value}")),
        *(word for name, by in workspaces.items() for word in ("--workspace", f"name={name},{by}")),
        *("--pod-template", str(POD_TEMPLATE), "--serviceaccount", "penstock"),
    )
    (name,) = re.findall(r"^TaskRun started: (\S+)", said, re.MULTILINE)
    ended = cluster.api.wait(
        cluster.api.collection("taskruns", TEKTON),
        lambda found: found if condition(found)["status"] in ("True", "False") else None,
        f"the end of the task {name}",
        timeout_s=TIMEOUT_S,
        fieldSelector=f"metadata.name={name}",
    )
    assert condition(ended)["status"] == "True", condition(ended).get("message")
    return {result["name"]: result["value"] for result in ended["status"].get("results", [])}
