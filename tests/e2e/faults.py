"""Doing harm to a run while it is under way, and proving that the store is none the worse for it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.install import POD_TEMPLATE, REGISTRY_SECRET, STORE_SECRET
from tests.e2e.pods import FINISHED, Pod
from tests.e2e.repositories import Repository
from tests.e2e.run import Cluster, Request, Run

from penstock.bundle.directory import Bundle, read_model
from penstock.foundation.errors import PenstockError
from penstock.foundation.files import sha256_file
from penstock.releases.baseline import Baseline, Release
from penstock.store.archive import fetch
from penstock.store.store import Store

LOSE_TIMEOUT_S = 1200
CLAIM_LABEL = "penstock.dev/claim"


@dataclass(frozen=True)
class Where:
    """Where a run keeps what it makes."""

    store: str
    registry: str
    claim: str
    store_secret: str = STORE_SECRET


def release(cluster: Cluster, repository: Repository, revision: str, where: Where, name: str, **params: str) -> Run:
    """Start a release; its name says what is done to it, and its label which claim it holds."""
    request = Request(
        pipeline="release",
        params={
            "url": repository.url,
            "revision": revision,
            "store": where.store,
            "registry": where.registry,
            "allow-http": "true",
            "tls-verify": "false",
            **params,
        },
        workspaces={
            "work": f"claimName={where.claim}",
            "store-credentials": f"secret={where.store_secret}",
            "registry-credentials": f"secret={REGISTRY_SECRET}",
        },
        pod_template=POD_TEMPLATE,
        name=name,
        more=("--labels", f"{CLAIM_LABEL}={where.claim}"),
    )
    return Run.start(cluster, request, model=repository.model)


def lose_pods(
    run: Run, tasks: Collection[str], *, at_work: Collection[str], forced: Collection[str]
) -> Mapping[str, Pod]:
    """Delete the first pod of each of these tasks once, as soon as it has a place on the node.

    Args:
        run: the run.
        tasks: the tasks.
        at_work: those whose pod is deleted when its step runs already.
        forced: those whose pod is deleted without waiting for its end, as for a lost node.

    Returns:
        Task → its pod, as it was when it was deleted.
    """
    lost: dict[str, Pod] = {}

    def next_one(pods: list[Pod]) -> Pod | None:
        for pod in pods:
            if pod.task in tasks and pod.task not in lost and not pod.deleted:
                assert pod.phase not in FINISHED, f"{pod.task} ended before its pod could be deleted"
                if pod.started if pod.task in at_work else pod.scheduled:
                    return pod
        return None

    recorder, api = run.cluster.recorder, run.cluster.api
    while missing := set(tasks) - set(lost):
        what = f"{run.name}: pods of {', '.join(sorted(missing))}"
        pods = recorder.wait(lambda pods: next_one(pods) is not None, what, timeout_s=LOSE_TIMEOUT_S, run=run.name)
        pod = next_one(pods)
        if pod is not None:
            grace_s = 0 if pod.task in forced else None
            api.delete(f"{api.collection('pods')}/{pod.name}", grace_s=grace_s)
            lost[pod.task] = pod
    return lost


def lose_all_pods(run: Run, task: str) -> None:
    """Delete every pod that a task gets, when its step runs, until the run has ended.

    Not before it runs: what is gone before Tekton has seen it end is made anew without being counted as a try.
    """
    recorder, api = run.cluster.recorder, run.cluster.api

    def live(pods: list[Pod]) -> list[Pod]:
        return [pod for pod in pods if pod.task == task and pod.started and pod.uid not in lost]

    lost = set[str]()
    with ThreadPoolExecutor(1) as pool:
        end = pool.submit(run.wait)
        while not end.done():
            with contextlib.suppress(AssertionError):  # no new pod meanwhile: look again whether the run has ended
                recorder.wait(lambda pods: bool(live(pods)), f"a pod of {task}", timeout_s=2, run=run.name)
            for pod in live(recorder.pods(run.name)):
                api.delete(f"{api.collection('pods')}/{pod.name}")
                lost.add(pod.uid)
        end.result()


def wait_for_log(run: Run, task: str, words: str, *, timeout_s: float = 600) -> None:
    """Wait until a step has written some words."""
    deadline = time.monotonic() + timeout_s
    while words not in run.log(task):
        assert time.monotonic() < deadline, f"{run.name}: {task} never said '{words}':\n{run.log(task)}"
        time.sleep(0.5)


def wait_for_failed_pods(run: Run, task: str, count: int = 1, *, timeout_s: float = 900) -> None:
    """Wait until so many pods of a task have failed."""

    def failed(pods: list[Pod]) -> bool:
        return sum(pod.task == task and pod.phase == "Failed" for pod in pods) >= count

    run.cluster.recorder.wait(failed, f"{run.name}: {task} to fail", timeout_s=timeout_s, run=run.name)


def tries(run: Run, task: str) -> int:
    """How many pods a task had."""
    return len({pod.uid for pod in run.pods(task)})


def retries(run: Run, task: str) -> int:
    """How often Tekton counted a failed try of a task, and began another."""
    return sum(len(item["status"].get("retriesStatus", [])) for item in run.task_runs(task))


def unsound(store: Store, model: str, folder: Path) -> list[str]:
    """What is wrong in a store, in words: a manifest without its files, a release that is none.

    Args:
        store: the store.
        model: the model.
        folder: where its bundles are fetched to.
    """
    found = []
    for run_id in archived(store, model):
        try:
            bundle = fetch(store, model, run_id, folder / run_id)
            bundle.verify()
        except PenstockError as error:
            found.append(f"runs/{model}/{run_id}: {error}")
    records = {key: _record(store, key, folder) for key in published(store, model)}
    for key, record in records.items():
        found += [f"{key}: {fault}" for fault in _faults(record, folder / record.run_id)]
    pointer = store.get_pointer(f"baselines/{model}.json")
    today = Baseline.model_validate(pointer) if pointer else None
    if today and today.run_id not in {record.run_id for record in records.values()}:
        found.append(f"the baseline is the run {today.run_id}, which was never published")
    if records and today is None:
        found.append("there are releases, but none is current")
    return found


def archived(store: Store, model: str) -> list[str]:
    """The runs whose manifest is in the store."""
    keys = [entry.key.split("/") for entry in store.list(f"runs/{model}")]
    return [parts[2] for parts in keys if parts[3:] == ["manifest.json"]]


def published(store: Store, model: str) -> list[str]:
    """The keys of the releases in the store."""
    return [entry.key for entry in store.list(f"published/{model}")]


def _record(store: Store, key: str, folder: Path) -> Release:
    file = folder / "record.json"
    store.get_file(key, file)
    return read_model(file, Release)


def _faults(record: Release, directory: Path) -> list[str]:
    """What does not hold of a release whose bundle lies in ``directory``."""
    bundle = Bundle(directory)
    if not bundle.manifest_file.exists():
        return [f"its run {record.run_id} is not archived"]
    faults = []
    if sha256_file(bundle.manifest_file) != record.manifest_sha256:
        faults.append("it names another manifest than its run has")
    if bundle.verdict().verdict != "pass":
        faults.append(f"the verdict of its run is '{bundle.verdict().verdict}'")
    if bundle.run().image != record.image:
        faults.append("it names another image than its run made")
    return faults
