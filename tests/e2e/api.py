"""The Kubernetes API over HTTP: read, create, delete, and wait on a condition by watching, never by sleeping."""

from __future__ import annotations

import base64
import json
import ssl
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
import yaml

Object = dict[str, Any]
T = TypeVar("T")

CORE = "/api/v1"
TEKTON = "/apis/tekton.dev/v1"
WATCH_S = 30
"""A watch is opened anew after this time, so that nobody waits on a dead one."""
GONE = 410


class Api:
    """The API server, as the cluster's administrator, in one namespace."""

    def __init__(self, kubeconfig: Path, namespace: str) -> None:
        self.namespace = namespace
        server, context = _connection(kubeconfig)
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
        timeout = httpx.Timeout(30, read=WATCH_S + 30)
        # the API server is on this machine: no proxy of the environment is asked
        self._client = httpx.Client(base_url=server, verify=context, limits=limits, timeout=timeout, trust_env=False)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def collection(self, kind: str, group: str = CORE) -> str:
        """The path of a namespaced collection, such as ``pods``."""
        return f"{group}/namespaces/{self.namespace}/{kind}"

    def get(self, path: str) -> Object | None:
        """One object, or None."""
        answer = self._client.get(path)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        return _object(answer)

    def list(self, path: str, **selectors: str) -> list[Object]:
        """Objects of a collection; ``labelSelector`` and ``fieldSelector`` narrow it."""
        items: list[Object] = _object(self._client.get(path, params=selectors))["items"]
        return items

    def text(self, path: str, **params: str) -> str:
        """What is not an object: a pod's log."""
        answer = self._client.get(path, params=params)
        return answer.text if answer.is_success else f"({answer.status_code}: {answer.text[:300]})"

    def create(self, path: str, manifest: Object) -> Object:
        """Create an object."""
        return _object(self._client.post(path, json=manifest))

    def patch(self, path: str, change: Object) -> Object:
        """Merge ``change`` into an object."""
        headers = {"Content-Type": "application/merge-patch+json"}
        return _object(self._client.patch(path, content=json.dumps(change), headers=headers))

    def delete(self, path: str, *, grace_s: int | None = None) -> None:
        """Delete an object if it is there."""
        params = {} if grace_s is None else {"gracePeriodSeconds": str(grace_s)}
        answer = self._client.delete(path, params=params)
        assert answer.is_success or answer.status_code == httpx.codes.NOT_FOUND, answer.text

    def changes(self, path: str, *, stopped: Callable[[], bool], **selectors: str) -> Iterator[tuple[str, Object]]:
        """What is in a collection (``ADDED``), then every change, until ``stopped()``.

        After a break what is there is told again as ``MODIFIED``. The end of a watch is told as ``("", {})``, so that
        whoever waits can look at the clock.
        """
        word = "ADDED"
        while not stopped():
            listed = _object(self._client.get(path, params=selectors))
            for item in listed["items"]:
                yield word, item
            word = "MODIFIED"
            version = listed["metadata"]["resourceVersion"]
            while not stopped():
                try:
                    for kind, item in self._watch(path, version, selectors):
                        version = item["metadata"]["resourceVersion"]
                        if kind != "BOOKMARK":
                            yield kind, item
                except (httpx.TransportError, WatchGoneError):
                    break
                yield "", {}

    def _watch(self, path: str, version: str, selectors: dict[str, str]) -> Iterator[tuple[str, Object]]:
        params = {
            "watch": "1",
            "resourceVersion": version,
            "timeoutSeconds": str(WATCH_S),
            "allowWatchBookmarks": "true",
        }
        with self._client.stream("GET", path, params={**params, **selectors}) as answer:
            if answer.status_code == GONE:
                raise WatchGoneError
            for line in answer.iter_lines():
                event = json.loads(line)
                if event["type"] == "ERROR":
                    raise WatchGoneError
                yield event["type"], event["object"]

    def wait(
        self, path: str, condition: Callable[[Object], T | None], what: str, *, timeout_s: float, **selectors: str
    ) -> T:
        """Wait until ``condition`` returns something for one object of a collection; returns that.

        Raises AssertionError that says what was waited for.
        """
        deadline = time.monotonic() + timeout_s
        for kind, item in self.changes(path, stopped=lambda: time.monotonic() > deadline, **selectors):
            found = condition(item) if kind in ("ADDED", "MODIFIED") else None
            if found is not None:
                return found
            if time.monotonic() > deadline:
                break
        raise AssertionError(f"{what}: not within {timeout_s:.0f} s")


class WatchGoneError(Exception):
    """The watch cannot go on from where it was."""


def _object(answer: httpx.Response) -> Object:
    assert answer.is_success, (
        f"{answer.request.method} {answer.request.url.path}: {answer.status_code}: {answer.text[:500]}"
    )
    found: Object = answer.json()
    return found


def _connection(kubeconfig: Path) -> tuple[str, ssl.SSLContext]:
    """Server and TLS of the kubeconfig's current context; certificates as files or inline."""
    content = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    context = _named(content["contexts"], content["current-context"])["context"]
    cluster = _named(content["clusters"], context["cluster"])["cluster"]
    user = _named(content["users"], context["user"])["user"]

    def pem(section: Object, key: str) -> bytes:
        if f"{key}-data" in section:
            return base64.b64decode(str(section[f"{key}-data"]))
        return (kubeconfig.parent / str(section[key])).read_bytes()

    tls = ssl.create_default_context(cadata=pem(cluster, "certificate-authority").decode())
    with tempfile.NamedTemporaryFile(prefix="penstock-e2e-", suffix=".pem") as file:  # ssl reads files only; 0600
        file.write(pem(user, "client-certificate") + b"\n" + pem(user, "client-key"))
        file.flush()
        tls.load_cert_chain(file.name)
    return cluster["server"], tls


def _named(entries: list[Object], name: str) -> Object:
    return next(entry for entry in entries if entry["name"] == name)
