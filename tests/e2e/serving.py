"""A small service as a Deployment: its images, its weights, and users who ask it all the time."""

from __future__ import annotations

import hashlib
import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
from tests.e2e.api import Object
from tests.e2e.facts import Facts
from tests.e2e.registry import MANIFESTS
from tests.unit.store.stored_bundle import accepted_bundle

from penstock.bundle.models import Image, WeightsFile
from penstock.releases.attest import attest
from penstock.releases.envelope import private_key
from penstock.releases.release import Release, publish
from penstock.store.archive import archive
from penstock.store.store import Store

BASE = ("library/python", "3.11-slim")
PORT = 8000
SERVICE = """
import hashlib, http.server, json, os, random, signal, threading, time
def weights():
    with open("/weights/w.bin", "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()
counted, counting = {"answers": 0, "failures": 0, "thumbs_down": 0}, threading.Lock()
def count(what):
    with counting:
        counted[what] += 1
def metrics():
    return "\\n".join([
        f'answers_total{{code="200"}} {counted["answers"]}',
        f'answers_total{{code="500"}} {counted["failures"]}',
        f'thumbs_down_total {counted["thumbs_down"]}',
        "",
    ])
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        broken = os.environ["VERSION"].endswith("broken")
        flaky = os.environ["VERSION"].endswith("flaky") and self.path == "/" and random.random() < 0.4
        if os.environ["VERSION"].endswith("slow") and self.path == "/":
            time.sleep(3.0)
        if self.path == "/down":
            count("thumbs_down")
        if self.path == "/":
            count("failures" if flaky else "answers")
        said = (metrics() if self.path == "/metrics" else json.dumps([os.environ["VERSION"], weights()])).encode()
        self.send_response(503 if self.path == "/ready" and broken else 500 if flaky else 200)
        self.send_header("Content-Type", "text/plain" if self.path == "/metrics" else "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(("", 8000), Handler)
server.daemon_threads = False
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever()
server.server_close()
"""
BRING = """
import hashlib, os, urllib.request
for line in os.environ.get("PENSTOCK_WEIGHTS", "").splitlines():
    sha256, source, path = line.split(" ", 2)
    content = urllib.request.urlopen(source, timeout=10).read()
    assert hashlib.sha256(content).hexdigest() == sha256, source
    with open(os.path.join("/weights", path), "wb") as file:
        file.write(content)
"""


def put_image(facts: Facts, name: str, version: str) -> str:
    """The service as an image in the cluster's registry: the Python image with another command. Returns its digest."""
    with httpx.Client(base_url=f"http://{facts.registry}/v2", trust_env=False, timeout=60) as registry:
        answer = registry.get(f"/{BASE[0]}/manifests/{BASE[1]}", headers={"Accept": MANIFESTS})
        assert answer.is_success, answer.text
        manifest: Object = answer.json()
        config = registry.get(f"/{BASE[0]}/blobs/{manifest['config']['digest']}", follow_redirects=True).json()
        config.setdefault("config", {})["Cmd"] = ["python3", "-u", "-c", SERVICE]
        config["config"]["Env"] = [*config["config"].get("Env", []), f"VERSION={version}"]
        for layer in manifest["layers"]:
            mounted = registry.post(f"/{name}/blobs/uploads/", params={"mount": layer["digest"], "from": BASE[0]})
            assert mounted.status_code == httpx.codes.CREATED, mounted.text
        content = json.dumps(config).encode()
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        begun = registry.post(f"/{name}/blobs/uploads/")
        place = httpx.URL(begun.headers["Location"]).copy_add_param("digest", digest)
        put = registry.put(place, content=content)
        assert put.status_code == httpx.codes.CREATED, put.text
        manifest["config"] |= {"digest": digest, "size": len(content)}
        headers = {"Content-Type": manifest["mediaType"]}
        pushed = registry.put(f"/{name}/manifests/{version}", content=json.dumps(manifest), headers=headers)
        assert pushed.status_code == httpx.codes.CREATED, pushed.text
        return pushed.headers["Docker-Content-Digest"]


def manifests(facts: Facts, image: str) -> list[Object]:
    """The Deployment and its Service, as docs/operations.md advises: no pod goes before another is ready."""
    python = f"{facts.registry}/{BASE[0]}:{BASE[1]}"
    mount = [{"name": "weights", "mountPath": "/weights"}]
    pod = {
        "terminationGracePeriodSeconds": 20,
        "volumes": [{"name": "weights", "emptyDir": {}}],
        "initContainers": [
            {"name": "weights", "image": python, "command": ["python3", "-c", BRING], "volumeMounts": mount}
        ],
        "containers": [
            {
                "name": "model",
                "image": image,
                "ports": [{"containerPort": PORT}],
                "volumeMounts": mount,
                # without, a busy node leaves it next to nothing: its probe fails, and users get 503
                "resources": {"requests": {"cpu": "50m", "memory": "32Mi"}},
                "readinessProbe": {"httpGet": {"path": "/ready", "port": PORT}, "periodSeconds": 1},
                "lifecycle": {"preStop": {"sleep": {"seconds": 4}}},
            }
        ],
    }
    labels = {"app": "sonic"}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "sonic"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "progressDeadlineSeconds": 15,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "sonic"},
        "spec": {"selector": labels, "ports": [{"port": PORT}]},
    }
    return [deployment, service]


@dataclass(frozen=True)
class Pair:
    """Image and weights of a version of the service."""

    version: str
    image: Image
    source: str
    """Address of the weights."""
    content: bytes
    """The weights."""


def publish_pair(
    store: Store, folder: Path, pair: Pair, *, before: str | None, target: str, key: Path | None = None
) -> None:
    """A release that was judged against the version before, and waits for its target.

    Args:
        store: where it is archived and published.
        folder: its bundle is made below it.
        pair: what is released.
        before: the current version; ``None``: it is the first.
        target: the target's name.
        key: signs the verdict; ``None``: it is not signed.
    """
    run_id = f"run-{pair.version}"
    bundle = accepted_bundle(
        folder / run_id,
        run_id=run_id,
        version=pair.version,
        commit=hashlib.sha1(pair.version.encode(), usedforsecurity=False).hexdigest(),
        baseline=f"run-{before}" if before else None,
    )
    sha256 = hashlib.sha256(pair.content).hexdigest()
    weights = [WeightsFile(path="w.bin", sha256=sha256, bytes=len(pair.content), source=pair.source)]
    bundle.update_run(bundle.run().model_copy(update={"target": target, "image": pair.image, "weights": weights}))
    bundle.seal()
    archive(bundle, store, model=bundle.run().model, run_id=run_id)

    def sign(release: Release, time: str) -> None:
        if key is not None:
            attest(store, bundle, release, private_key(key), time=time)

    publish(store, bundle, sign=sign)


@contextmanager
def weights_server(host: str, files: dict[str, bytes]) -> Iterator[str]:
    """Where weights are fetched from; returns its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = files[self.path.lstrip("/")]
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer((host, 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{host}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class Users:
    """They ask the service all the time, each request by a connection of its own. Use as a context manager."""

    def __init__(self, address: str, *, count: int = 2, every_s: float = 0.05) -> None:
        self._address, self._every_s = f"http://{address}:{PORT}/", every_s
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(count)]
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self.answers: list[tuple[str, str]] = []
        """Version and SHA-256 of the weights, of each answer."""
        self.failures: list[str] = []

    def __enter__(self) -> Users:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        while not self._end.is_set():
            began = time.monotonic()
            try:
                with self._opener.open(self._address, timeout=20) as answer:
                    version, weights = json.loads(answer.read())
                    self.answers.append((version, weights))
            except (OSError, ValueError) as error:
                self.failures.append(f"{type(error).__name__}: {error}")
            self._end.wait(max(0.0, self._every_s - (time.monotonic() - began)))
