"""Offers the cluster's volumes anew: empties those that were released, and forgets who had them. Runs as a process.

Kubernetes does not empty local volumes; without a provisioner each could be claimed once.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import os
import shutil
import signal
import ssl
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

VOLUMES = "/api/v1/persistentvolumes"
LABEL = "app.kubernetes.io%2Fcomponent%3Dpenstock-volume"
WATCH_S = 300
RETRY_S = 1.0
Object = dict[str, Any]


@dataclass(frozen=True)
class Api:
    """The API server, as the cluster's administrator."""

    host: str
    tls: ssl.SSLContext

    @classmethod
    def from_kubeconfig(cls, path: Path) -> Api:
        """The only cluster and user of a kubeconfig."""
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        cluster, user = content["clusters"][0]["cluster"], content["users"][0]["user"]
        tls = ssl.create_default_context(cadata=_pem(path, cluster, "certificate-authority"))
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:  # ssl reads files only; mode 0600
            file.write(_pem(path, user, "client-certificate") + "\n" + _pem(path, user, "client-key"))
            file.flush()
            tls.load_cert_chain(file.name)
        return cls(urlsplit(cluster["server"]).netloc, tls)

    def volumes(self) -> tuple[list[Object], str]:
        """All volumes of ours, and the version of this list."""
        with closing(self._connection(30)) as connection:
            connection.request("GET", f"{VOLUMES}?labelSelector={LABEL}")
            content = _answer(connection)
        return content["items"], content["metadata"]["resourceVersion"]

    def volume(self, name: str) -> Object:
        """One volume, as it is now."""
        with closing(self._connection(30)) as connection:
            connection.request("GET", f"{VOLUMES}/{name}")
            return _answer(connection)

    def changes(self, version: str) -> Iterator[Object]:
        """Volumes as they change, until the server ends it."""
        query = f"watch=1&labelSelector={LABEL}&resourceVersion={version}&timeoutSeconds={WATCH_S}"
        with closing(self._connection(WATCH_S + 30)) as connection:
            connection.request("GET", f"{VOLUMES}?{query}")
            answer = connection.getresponse()
            while line := answer.readline():
                event = json.loads(line)
                if event["type"] == "ERROR":
                    return
                yield event["object"]

    def offer(self, name: str) -> None:
        """Forget the claim that a volume was bound to: it is available again."""
        body = json.dumps({"spec": {"claimRef": None}})
        with closing(self._connection(30)) as connection:
            headers = {"Content-Type": "application/merge-patch+json"}
            connection.request("PATCH", f"{VOLUMES}/{name}", body=body, headers=headers)
            _answer(connection)

    def _connection(self, timeout_s: float) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(self.host, timeout=timeout_s, context=self.tls)


def recycle(api: Api, seen: Object, root: Path) -> None:
    """Empty the volume and offer it again if its claim is gone."""
    if not released(seen):
        return
    # What was seen may be old, and the volume somebody's by now. Nobody but this process ends "Released".
    volume = api.volume(seen["metadata"]["name"])
    if not released(volume):
        return
    folder = Path(volume["spec"]["local"]["path"])
    if root not in folder.parents:
        raise ValueError(f"{folder} is not below {root}")
    empty(folder)
    os.chown(folder, 0, 0)  # the last pod's fsGroup
    folder.chmod(0o777)
    api.offer(volume["metadata"]["name"])
    print(f"{volume['metadata']['name']} is available again", flush=True)  # noqa: T201


def released(volume: Object) -> bool:
    """Whether its claim is gone. Once offered again it has none, already before it is "Available"."""
    return volume.get("status", {}).get("phase") == "Released" and bool(volume["spec"].get("claimRef"))


def empty(folder: Path) -> None:
    """Remove everything in ``folder``, not the folder itself; no link is followed."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def run(api: Api, root: Path) -> None:
    """Recycle for ever; an API server that is away is waited for."""
    while True:
        try:
            volumes, version = api.volumes()
            for volume in volumes:
                recycle(api, volume, root)
            for volume in api.changes(version):
                recycle(api, volume, root)
        except (OSError, http.client.HTTPException, ValueError) as error:
            print(f"trying again: {error}", file=sys.stderr, flush=True)  # noqa: T201
            time.sleep(RETRY_S)


def _pem(kubeconfig: Path, section: Object, key: str) -> str:
    if f"{key}-data" in section:
        return base64.b64decode(section[f"{key}-data"]).decode()
    return (kubeconfig.parent / section[key]).read_text(encoding="utf-8")


def _answer(connection: http.client.HTTPSConnection) -> Object:
    answer = connection.getresponse()
    content = answer.read()
    if answer.status >= http.client.BAD_REQUEST:
        raise OSError(f"the API server answered {answer.status}: {content[:300].decode(errors='replace')}")
    found: Object = json.loads(content)
    return found


def main(argv: list[str] | None = None) -> int:
    """Recycle until terminated; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument("--root", type=Path, required=True, help="the directory below which the volumes lie")
    arguments = parser.parse_args(argv)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    run(Api.from_kubeconfig(arguments.kubeconfig), arguments.root)
    return 0


if __name__ == "__main__":
    sys.exit(main())
