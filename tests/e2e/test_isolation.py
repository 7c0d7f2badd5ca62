"""What the model's container can see and reach, told by a model that looks: nothing that is not its own.

Two things close the network: the cluster's NetworkPolicy, and the sandbox that the driver puts around the model where
the kernel has Landlock. The model is tried in both; the policy also alone.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.e2e import scout as scouting
from tests.e2e.api import Api
from tests.e2e.outside import Outside
from tests.e2e.pods import FINISHED
from tests.e2e.repositories import OWN_MODELS, Repository
from tests.e2e.run import Run
from tests.e2e.session import Session

from penstock.bundle.directory import Bundle

OWN_MOUNTS = (
    "/",
    "/dev",
    "/proc",
    "/sys",
    "/etc/hosts",
    "/etc/hostname",
    "/etc/resolv.conf",
    "/workspace",
    "/tekton",
    "/tmp",
    # its weights, beside its image
    "/model/weights",
)
SCOUT = OWN_MODELS / "sonic-scout" / "releases" / "scout" / "sonic_lite" / "scout.py"

CLOSED_WITHIN_S = 60
LOOK = """
import time
def look(addresses, patience_s):
    until = time.monotonic() + patience_s
    found = {name: reach(*place) for name, place in addresses.items()}
    while patience_s and "open" in found.values() and time.monotonic() < until:
        time.sleep(0.2)
        found = {name: reach(*place) for name, place in addresses.items()}
    print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def scout_bundle(scout: Run, bundles: Path) -> Bundle:
    return scout.must_be_green().bundle(bundles / "scout")


@pytest.fixture(scope="module")
def report(scout_bundle: Bundle) -> dict[str, Any]:
    reports = scouting.found(scout_bundle)
    assert reports, "the scout's report is not in the model's log"
    return reports[-1]


def test_the_scout_looked(report: dict[str, Any], scout_bundle: Bundle) -> None:
    assert report["files"] > 50
    assert report["processes"] >= 1
    assert len(report["reached"]) == 8
    assert all(call.status == "ok" for call in scout_bundle.invocations())


def test_the_pod_counts_as_namespaces(scout_bundle: Bundle) -> None:
    inference = scout_bundle.run().inference
    assert inference is not None
    assert inference.isolation == "namespaces"
    levels = [shard.isolation for shard in inference.shards]
    assert [(found.level, found.how.startswith("pod, Landlock ABI")) for found in levels if found] == [
        ("namespaces", True)
    ] * len(levels)


def test_the_model_is_nobody(report: dict[str, Any]) -> None:
    assert report["who"] == [65532, 65532]


def test_no_service_account_token(report: dict[str, Any], scout: Run) -> None:
    assert report["service_account"] == []
    (pod,) = scout.pods("infer")
    sources = [source for volume in pod.volumes for source in volume.get("projected", {}).get("sources", [])]
    assert [source for source in sources if "serviceAccountToken" in source] == []


def test_no_credentials_of_store_registry_or_webhooks(report: dict[str, Any], scout: Run) -> None:
    assert report["secrets"] == {}
    assert report["credential_files"] == []
    (pod,) = scout.pods("infer")
    assert [volume["name"] for volume in pod.volumes if "secret" in volume] == []


def test_no_environment_of_the_cluster(report: dict[str, Any]) -> None:
    names = [name for name in report["environment"] if name.startswith(("AWS_", "KUBE")) or "TOKEN" in name]
    assert names == []


def test_nothing_is_mounted_but_its_own(report: dict[str, Any]) -> None:
    foreign = [path for path in report["mounts"] if not path.startswith(OWN_MOUNTS[1:]) and path != "/"]
    assert foreign == []


def test_no_address_is_reached(report: dict[str, Any], outside: Outside) -> None:
    assert {name: answer for name, answer in report["reached"].items() if answer == "open"} == {}


def test_no_name_is_resolved(report: dict[str, Any]) -> None:
    assert [answer for answer in report["resolved"].values() if answer[0].isdecimal()] == []


def test_the_policy_alone_closes_the_network(session: Session, outside: Outside) -> None:
    """A plain program in the place of the model, without the sandbox that the driver puts around it.

    It looks again until all is closed: kube-router closes a pod a moment after it has started, not before.
    """
    labels = {"tekton.dev/task": "infer"}
    reached = look_from(session, outside, session.cluster.namespace, labels, patience_s=CLOSED_WITHIN_S)
    assert {name: answer for name, answer in reached.items() if answer == "open"} == {}


def test_without_the_policy_all_of_it_is_reached(session: Session, outside: Outside) -> None:
    """The same from the namespace ``default``: what the model did not reach was there to be reached."""
    reached = look_from(session, outside, "default", {})
    assert {name: answer for name, answer in reached.items() if answer != "open"} == {}
    assert outside.visitors


def test_the_scout_does_find_what_is_there(
    session: Session, sonic_scout: Repository, outside: Outside, tmp_path: Path
) -> None:
    """Sent out on this machine, it finds a secret, a credential file, an environment and an open port."""
    wanted = scouting.looking_for(session.cluster.facts, session.installed, outside)
    home = tmp_path / "home"
    home.mkdir()
    (home / "config.json").write_text(f'{{"password": "{session.installed.registry_password}"}}', encoding="utf-8")
    code = f"{SCOUT.read_text()}\nPLACES = [{str(home)!r}]\nprint(json.dumps(look_about(json.load(sys.stdin))))"
    environment = {"AWS_SECRET_ACCESS_KEY": session.cluster.facts.s3.secret_key}
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(wanted),
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    report = json.loads(done.stdout)
    assert report["credential_files"] == [str(home / "config.json")]
    assert report["secrets"][str(home / "config.json")] == ["registry password"]
    assert any(names == ["S3 secret key"] for names in report["secrets"].values())
    assert "AWS_SECRET_ACCESS_KEY" in report["environment"]
    assert report["reached"]["S3"] == report["reached"]["the internet"] == "open"


def look_from(
    session: Session, outside: Outside, namespace: str, labels: dict[str, str], *, patience_s: float = 0
) -> dict[str, str]:
    """Which of the scout's addresses a pod of its own reaches: name → ``open`` or why not.

    With ``patience_s`` it looks until it reaches none of them, at most so long.
    """
    facts = session.cluster.facts
    image = facts.kubectl(
        *("get", "task", "clone", "--namespace", session.cluster.namespace),
        *("--output", "jsonpath={.spec.steps[0].image}"),
    )
    addresses = scouting.looking_for(facts, session.installed, outside)["addresses"]
    code = f"{SCOUT.read_text()}\n{LOOK}\nlook({addresses!r}, {patience_s})"
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "containers": [{"name": "look", "image": image, "command": ["python3", "-c", code]}],
    }
    name = f"look-{session.id}"
    api = Api(facts.kubeconfig, namespace)
    try:
        pods = api.collection("pods")
        metadata = {"name": name, "labels": labels}
        api.create(pods, {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
        api.wait(
            pods,
            lambda pod: True if pod["status"].get("phase") in FINISHED else None,
            f"the end of the pod {namespace}/{name}",
            timeout_s=300,
            fieldSelector=f"metadata.name={name}",
        )
        found: dict[str, str] = json.loads(api.text(f"{pods}/{name}/log"))
        api.delete(f"{pods}/{name}", grace_s=0)
    finally:
        api.close()
    return found
