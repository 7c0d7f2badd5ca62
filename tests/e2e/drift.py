"""Releases that a night's run finds: the one that was made, moved into stores of their own, and who is told of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml
from tests.e2e.api import Object
from tests.e2e.facts import Facts
from tests.e2e.install import apply, secret
from tests.e2e.repositories import ROOT
from tests.e2e.run import Cluster, Run

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Image, Machine
from penstock.foundation.files import sha256_file
from penstock.releases.baseline import baseline, move
from penstock.store.archive import archive
from penstock.store.store import Store

RUN = ROOT / "tekton" / "runs" / "drift.yaml"
RECEIVERS = "drift-receivers"
OTHER_CARD = "NVIDIA H200, 550.54"


def release_again(released: Store, bundle: Bundle, store: Store, *, image: Image | None = None) -> None:
    """Release in another store what is released in one: its pointer, its record, and its evidence."""
    current = baseline(released, bundle.run().model)
    assert current is not None
    assert current.release is not None
    bundle.manifest_file.unlink()
    bundle.seal()
    archive(bundle, store, model=current.model, run_id=bundle.run().run_id)
    changed = {"manifest_sha256": sha256_file(bundle.manifest_file), "image": image or current.image}
    release = current.release.model_copy(update=changed)
    assert move(store, current.model_copy(update=changed | {"release": release}), seen=None)


def judged_on(bundle: Bundle, card: str) -> None:
    """Let the evidence say that the model ran on another card."""

    def on(machine: Machine | None) -> Machine | None:
        return machine.model_copy(update={"gpu": card}) if machine is not None else None

    run = bundle.run()
    assert run.inference is not None
    shards = [shard.model_copy(update={"machine": on(shard.machine)}) for shard in run.inference.shards]
    inference = run.inference.model_copy(update={"shards": shards})
    bundle.update_run(run.model_copy(update={"machine": on(run.machine), "inference": inference}))


def scheduled(name: str, store: str) -> Object:
    """``tekton/runs/drift.yaml`` as a site writes it."""
    run: Object = yaml.safe_load(RUN.read_text(encoding="utf-8"))
    run["metadata"]["generateName"] = f"drift-{name}-"
    (place,) = (param for param in run["spec"]["params"] if param["name"] == "store")
    place["value"] = store
    run["spec"]["params"] += [{"name": "allow-http", "value": "true"}, {"name": "tls-verify", "value": "false"}]
    (told,) = (one for one in run["spec"]["workspaces"] if one["name"] == "receivers")
    told["secret"] = {"secretName": RECEIVERS}
    return run


@dataclass
class Receiver:
    """Somebody who is told, on the node's address."""

    address: str = ""
    taken: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def receiver(host: str) -> Iterator[Receiver]:
    """Somebody who takes what apprise sends as ``json://``."""
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer((host, 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found.address = f"json://{host}:{server.server_address[1]}/"
    yield found
    server.shutdown()
    server.server_close()


def tell(cluster: Cluster, who: Receiver) -> None:
    """From now on, whom runs tell."""
    apply(cluster.facts, [secret(RECEIVERS, {"urls": f"{who.address}\n"})])


def tell_nobody(cluster: Cluster) -> None:
    """What :func:`tell` has put beside the installation is taken away."""
    cluster.facts.kubectl("delete", f"secret/{RECEIVERS}", "--namespace", cluster.namespace, "--ignore-not-found")


def objects_of(store: Store) -> dict[str, str | None]:
    """Key → SHA-256 of all that is in a store."""
    return {entry.key: store.digest(entry.key) for entry in store.list("")}


Change = Callable[[Bundle], Any]


def fetched(run: Run, folder: Path, change: Change = lambda _: None) -> Bundle:
    """The evidence of a release, changed."""
    bundle = run.bundle(folder)
    change(bundle)
    return bundle


def node_address(facts: Facts) -> str:
    """Where this process is for a pod."""
    return facts.registry.partition(":")[0]
