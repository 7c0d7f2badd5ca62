"""Which pods of Penstock reach whom: the steps that have to reach out, the others, the listener.

What the model's own container reaches is in ``test_isolation.py``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from tests.e2e.api import Api, Object
from tests.e2e.facts import Facts
from tests.e2e.install import NAMESPACE, Installed
from tests.e2e.outside import Outside

ELSEWHERE = "default"
"""A namespace without policies."""
LISTENING = 8000
OPEN_TO_STEPS = {"registry", "git", "S3", "the internet", "listener"}
"""What a step that reaches out reaches."""
NAME = "el-penstock.penstock.svc.cluster.local"
CLOSED_WITHIN_S = 60
LOOK = """
import json, socket, sys, time
def reach(host, port):
    try:
        socket.create_connection((host, port), timeout=4).close()
    except OSError as error:
        return str(error)
    return "open"
places, closed, patience_s = json.loads(sys.argv[1]), set(json.loads(sys.argv[3])), float(sys.argv[4])
began = time.monotonic()
found = {name: reach(*place) for name, place in places.items()}
while time.monotonic() - began < patience_s and any(found[name] == "open" for name in closed):
    time.sleep(0.2)
    found = {name: reach(*place) for name, place in places.items()}
print(f"as it stays after {time.monotonic() - began:.1f} s")
try:
    found["names"] = socket.gethostbyname(sys.argv[2])
except OSError as error:
    found["names"] = f"none: {error}"
print(json.dumps(found))
"""
LISTEN = f"""
from http.server import HTTPServer, SimpleHTTPRequestHandler
HTTPServer(("", {LISTENING}), SimpleHTTPRequestHandler).serve_forever()
"""


class LinkLocal(Outside):
    """A link-local address of the node, as a cloud's metadata service has it, with somebody listening."""

    address = "169.254.33.44"


@pytest.fixture(scope="module")
def link_local() -> Iterator[LinkLocal]:
    with LinkLocal() as place:
        yield place


@pytest.fixture(scope="module")
def looked(
    facts: Facts,
    installed: Installed,
    session_id: str,
    outside: Outside,
    link_local: LinkLocal,
    tell: Callable[[str], None],
) -> Iterator[dict[str, dict[str, str]]]:
    """Who looked → what it reached: name → ``open``, or why not.

    A network plugin learns of a pod when it has its address: on an idle node it needs some tenths of a second, on one
    at its limit seconds. So who is to be closed in looks again until it is, or ``CLOSED_WITHIN_S`` are over.
    """
    image = facts.kubectl(
        *("get", "task", "clone", "--namespace", NAMESPACE, "--output", "jsonpath={.spec.steps[0].image}")
    )
    apis = {namespace: Api(facts.kubeconfig, namespace) for namespace in (NAMESPACE, ELSEWHERE)}
    made: list[tuple[Api, str]] = []

    def pod(namespace: str, name: str, step: str, command: list[str]) -> str:
        labels = {"tekton.dev/task": step} if step else {}
        path = apis[namespace].collection("pods")
        apis[namespace].create(path, manifest(f"{name}-{session_id}", labels, image, command))
        made.append((apis[namespace], f"{name}-{session_id}"))
        return f"{name}-{session_id}"

    try:
        server = pod(NAMESPACE, "server", "clone", ["python3", "-c", LISTEN])
        address = wait(apis[NAMESPACE], server, running)
        node = str(urlsplit(facts.git).hostname)
        places = {
            "registry": place(f"http://{facts.registry}"),
            "git": place(facts.git),
            "S3": place(facts.s3.endpoint),
            "the internet": [outside.address, outside.port],
            "API server": ["10.96.0.1", 443],
            "API server on the node": [node, 6443],
            "kubelet": [node, 10250],
            "link-local": [link_local.address, link_local.port],
            "a step": [address, LISTENING],
            "listener": [service_address(apis[NAMESPACE]), 8080],
        }

        def look(namespace: str, name: str, step: str, closed: set[str]) -> tuple[str, str]:
            said = [json.dumps(places), NAME, json.dumps(sorted(closed)), str(CLOSED_WITHIN_S)]
            return namespace, pod(namespace, name, step, ["python3", "-c", LOOK, *said])

        lookers = {
            "open step": look(NAMESPACE, "open", "clone", places.keys() - OPEN_TO_STEPS),
            "closed step": look(NAMESPACE, "shut", "check", set(places)),
            "no step": look(NAMESPACE, "none", "", set(places)),
            "elsewhere": look(ELSEWHERE, "elsewhere", "", {"a step"}),
        }
        found = {}
        for who, (namespace, name) in lookers.items():
            wait(apis[namespace], name, ended)
            *told, last = apis[namespace].text(f"{apis[namespace].collection('pods')}/{name}/log").splitlines()
            tell(f"{who}: {' '.join(told)}")
            found[who] = json.loads(last)
        yield found
    finally:
        for api, name in made:
            api.delete(f"{api.collection('pods')}/{name}", grace_s=0)
        for api in apis.values():
            api.close()


def manifest(name: str, labels: dict[str, str], image: str, command: list[str]) -> Object:
    container = {
        "name": "look",
        "image": image,
        "command": command,
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
            # every pod of Tekton's begins with init containers; mostly the policies are in force when they have ended
            "initContainers": [container | {"name": "first", "command": ["python3", "-c", "pass"]}],
            "containers": [container],
        },
    }


def wait(api: Api, name: str, condition: object) -> str:
    path = api.collection("pods")
    found: str = api.wait(path, condition, f"pod {name}", timeout_s=300, fieldSelector=f"metadata.name={name}")  # type: ignore[arg-type]
    return found


def running(pod: Object) -> str | None:
    """Its address, once its program listens or is about to."""
    return pod["status"].get("podIP") if pod["status"]["phase"] == "Running" else None


def ended(pod: Object) -> str | None:
    phase: str = pod["status"]["phase"]
    assert phase != "Failed", pod["status"]
    return phase if phase == "Succeeded" else None


def place(url: str) -> list[object]:
    parts = urlsplit(url)
    return [parts.hostname, parts.port]


def service_address(api: Api) -> str:
    service = api.get(f"{api.collection('services')}/el-penstock")
    assert service
    return str(service["spec"]["clusterIP"])


def reached(found: dict[str, str]) -> set[str]:
    return {name for name, answer in found.items() if answer == "open"}


def test_without_a_policy_everything_answers(looked: dict[str, dict[str, str]], link_local: LinkLocal) -> None:
    """What the others do not reach is there to be reached; but a step, which no one may call."""
    assert reached(looked["elsewhere"]) == looked["elsewhere"].keys() - {"names", "a step"}
    assert looked["elsewhere"]["names"][0].isdecimal()
    assert link_local.visitors


def test_a_step_that_reaches_out_reaches_no_part_of_the_cluster(looked: dict[str, dict[str, str]]) -> None:
    """But the listener, which is open to all and believes signatures."""
    assert reached(looked["open step"]) == OPEN_TO_STEPS
    assert looked["open step"]["names"][0].isdecimal()


@pytest.mark.parametrize("who", ["closed step", "no step"])
def test_any_other_pod_reaches_nobody(looked: dict[str, dict[str, str]], who: str) -> None:
    assert reached(looked[who]) == set()
    assert looked[who]["names"].startswith("none")
