"""A release on the cluster: cold, warm and unchanged side by side, and what of it is Tekton and the start of pods.

``make bench-cluster``, after ``make cluster-up`` and ``make images``. Prints Markdown, keeps the numbers in
``build/e2e/bench-cluster.json``.

How the time is divided. Tekton writes into a pod's termination message when it started the step's program, to the
millisecond; the program's last log line says when it was done. In between the *step is at work* (Python's start
included). All time of the run in which no step is at work is *Tekton and pods*: creating and binding the TaskRun and
its pod, the sandbox, Tekton's init container, the volumes, and noticing that the program ended. Steps at the same time
count once.
"""

from __future__ import annotations

import json
import secrets
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.e2e.api import Api
from tests.e2e.facts import read_facts
from tests.e2e.gpu import holding
from tests.e2e.install import NAMESPACE, Place, apply, claim, install, write_keys
from tests.e2e.pods import Pod, Recorder
from tests.e2e.repositories import Repository, put_sonic_lite
from tests.e2e.run import Cluster, Run
from tests.e2e.session import Session, write_result

from penstock.store.open import open_store

RUN_TIMEOUT_S = 1200
RUNS = (("cold", "v1.0.0"), ("warm", "v1.0.5"), ("unchanged", "v1.0.5"))
"""Cold: nothing in the cache. Warm: another commit. Unchanged: the same commit once more."""


@dataclass(frozen=True)
class Work:
    """When a step's program ran."""

    task: str
    began: datetime
    ended: datetime

    @property
    def seconds(self) -> float:
        """How long."""
        return (self.ended - self.began).total_seconds()


@dataclass(frozen=True)
class Times:
    """Where the time of one run went."""

    wall_s: float
    work: tuple[Work, ...]
    held_s: float
    """How long a card was held."""
    pull_s: float
    """How long the node fetched the model's image meanwhile."""
    used_s: float
    """How long the model was at work on it."""

    @property
    def at_work_s(self) -> float:
        """How long at least one step was at work."""
        return union_s([(item.began, item.ended) for item in self.work])

    @property
    def start_up_s(self) -> float:
        """The rest: Tekton and pods."""
        return self.wall_s - self.at_work_s

    def of(self, task: str) -> float | None:
        """How long a task's steps were at work; None if there was none."""
        found = [item.seconds for item in self.work if item.task == task]
        return sum(found) if found else None


def union_s(intervals: Sequence[tuple[datetime, datetime]]) -> float:
    """How long at least one of the intervals lasted."""
    total, until = 0.0, datetime.min.replace(tzinfo=UTC)
    for began, ended in sorted(intervals):
        total += max(0.0, (ended - max(began, until)).total_seconds())
        until = max(until, ended)
    return total


def work(run: Run, pod: Pod) -> Work:
    """What a pod's termination message and its log say."""
    (step,) = (item for item in pod.containers if item.name.startswith("step-"))
    path = f"{run.cluster.api.collection('pods')}/{pod.name}/log"
    lines = run.cluster.api.text(path, container=step.name).strip().splitlines()
    last = json.loads(lines[-1])
    return Work(pod.task, began(step.said), datetime.fromisoformat(last["time"]))


def began(termination: str) -> datetime:
    """When Tekton's entrypoint started the program, of the message that it left."""
    (text,) = (entry["value"] for entry in json.loads(termination) if entry["key"] == "StartedAt")
    return datetime.fromisoformat(text)


def times(run: Run, folder: Path) -> Times:
    """Where the time of a run went that has ended."""
    pods = [pod for pod in run.must_be_green().pods() if pod.task]
    cards = [holding(run.cluster.api, pod) for pod in pods if pod.gpus]
    inference = run.bundle(folder / run.name).run().inference
    used_s = inference.used_s if inference is not None and not inference.unchanged else 0.0
    held_s, pull_s = sum(card.held_s for card in cards), sum(card.pull_s for card in cards)
    return Times(run.seconds, tuple(work(run, pod) for pod in pods), held_s, pull_s, used_s)


def table(found: dict[str, Times]) -> str:
    """All of it in Markdown."""
    columns = list(found.values())
    tasks = list(dict.fromkeys(item.task for column in columns for item in column.work))
    rows = [
        ("**the whole run**", [f"**{column.wall_s:.0f} s**" for column in columns]),
        ("steps at work", [f"{column.at_work_s:.1f} s" for column in columns]),
        ("Tekton and pods", [f"{column.start_up_s:.1f} s" for column in columns]),
        ("the same, share", [f"{100 * column.start_up_s / column.wall_s:.0f} %" for column in columns]),
        ("the same, each pod", [f"{column.start_up_s / len(column.work):.1f} s" for column in columns]),
        ("card held", [f"{column.held_s:.0f} s" if column.held_s else "–" for column in columns]),
        ("of it fetching the image", [f"{column.pull_s:.1f} s" if column.held_s else "–" for column in columns]),
        ("card used", [f"{column.used_s:.1f} s" if column.held_s else "–" for column in columns]),
        *((f"`{task}` at work", [_seconds(column.of(task)) for column in columns]) for task in tasks),
    ]
    lines = [f"| | {' | '.join(found)} |", f"|---|{'---:|' * len(found)}"]
    return "\n".join([*lines, *(f"| {name} | {' | '.join(cells)} |" for name, cells in rows)])


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} s"


@contextmanager
def bench_session(name: str, folder: Path) -> Iterator[tuple[Session, Repository]]:
    """Penstock installed, a place of its own in store and registry, and a claim ``name`` with nothing in it."""
    facts = read_facts()
    prefix = f"s3://{facts.s3.bucket}/{name}"
    place = Place(prefix, f"{facts.registry}/{name}", repositories=(f"{facts.git}/",))
    installed = install(facts, place)
    apply(facts, [claim(name)])
    api = Api(facts.kubeconfig, NAMESPACE)
    try:
        with Recorder(api) as recorder:
            cluster = Cluster(facts, api, recorder, open_store(place.store, write_keys(facts, folder / "keys")))
            yield Session(name, place, cluster, installed), put_sonic_lite(facts, name)
    finally:
        for run in api.list(api.collection("pipelineruns", "/apis/tekton.dev/v1")):
            if any(_claims(binding) == name for binding in run["spec"].get("workspaces", [])):
                facts.kubectl("delete", "pipelinerun", run["metadata"]["name"], "--namespace", NAMESPACE)
        facts.kubectl("delete", "persistentvolumeclaim", name, "--namespace", NAMESPACE)
        api.close()


def _claims(binding: dict[str, dict[str, str]]) -> str:
    return binding.get("persistentVolumeClaim", {}).get("claimName", "")


def main() -> int:
    """Run the three, one after the other, and print the table."""
    name = f"bench-{datetime.now(UTC):%m%d-%H%M%S}-{secrets.token_hex(2)}"
    found: dict[str, Times] = {}
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as temporary:
        folder = Path(temporary)
        with bench_session(name, folder) as (session, repository):
            for kind, revision in RUNS:
                run = session.release(repository, revision, claim=name).wait(timeout_s=RUN_TIMEOUT_S)
                found[kind] = times(run, folder)
                sys.stderr.write(f"{kind}: {run.name}: {found[kind].wall_s:.0f} s\n")
    assert found["unchanged"].of("infer") is None, "the model ran, but its inputs had not changed"
    assert found["warm"].of("infer") is not None, "the model did not run, but its inputs had changed"
    write_result("bench-cluster", {kind: _json(column) for kind, column in found.items()})
    sys.stdout.write(table(found) + "\n")
    return 0


def _json(column: Times) -> dict[str, object]:
    return {
        "wall_s": column.wall_s,
        "at_work_s": round(column.at_work_s, 3),
        "start_up_s": round(column.start_up_s, 3),
        "card": {"held_s": column.held_s, "pull_s": column.pull_s, "used_s": column.used_s},
        "work": [
            {"task": item.task, "began": item.began.isoformat(), "ended": item.ended.isoformat()}
            for item in column.work
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
