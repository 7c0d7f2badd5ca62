"""Suites from elsewhere, on the cluster's own servers: the Task *clone* brings each kind, and refuses what was changed.

No run of a pipeline: six TaskRuns at once.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.e2e.api import Object
from tests.e2e.facts import Facts
from tests.e2e.install import CLAIM, NAMESPACE, REGISTRY_SECRET, STORE_SECRET
from tests.e2e.run import condition
from tests.e2e.run_task import ended_task, said
from tests.e2e.session import Session
from tests.e2e.suite_places import PORTRAIT, SuitePlaces, put_suite, remove_suite
from tests.e2e.test_served import folder_of_claim

from penstock.contract.suite_sources import FOLDER
from penstock.suites.suite_files import digest_of, listed

BROUGHT = ("git", "oci", "s3", "workspace")
REFUSED = {
    "s3-changed": "suite.yaml: the content is not what its SHA-256 says",
    "workspace-changed": "the contract says",
}
"""Kind → a part of the message."""
ITEMS = "item=suite.yaml=suite.yaml,item=drawn-01.png=portraits/drawn-01.png,item=drawn.flac=portraits/drawn.flac"


@dataclass(frozen=True)
class Cloned:
    """What the Task left of each kind."""

    places: SuitePlaces
    ended: dict[str, Object]
    folders: dict[str, Path]
    """On this machine, with ``source`` and so on."""


@pytest.fixture(scope="module")
def cloned(facts: Facts, session: Session, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloned]:
    """Each kind cloned with an empty cache, all at once."""
    places = put_suite(facts, session.place, session.id, tmp_path_factory.mktemp("suites"))
    own = f"suite-{session.id}"

    def clone(kind: str) -> Object:
        params = {
            "url": f"{facts.git}/{places.models.name}",
            "revision": kind,
            "run-id": f"suite-{kind}",
            "allow-http": "true",
            "tls-verify": "false",
        }
        # right in the volume: of two pods that make one folder at once the kubelet starts one alone
        volume = f"claimName={CLAIM},subPath={own}-{kind}"
        workspaces = {name: f"{volume}/{name}" for name in ("source", "bundle", "cache")}
        workspaces |= {
            "store-credentials": f"secret={STORE_SECRET}",
            "registry-credentials": f"secret={REGISTRY_SECRET}",
        }
        if kind in places.configs:
            workspaces["suite"] = f"config={places.configs[kind]},{ITEMS}"
        return ended_task(session.cluster, "clone", params, workspaces)

    with ThreadPoolExecutor() as all_of_them:
        ended = dict(zip(places.addresses, all_of_them.map(clone, places.addresses), strict=True))
    folders = {kind: folder_of_claim(facts, NAMESPACE) / f"{own}-{kind}" for kind in ended}
    yield Cloned(places, ended, folders)
    for folder in folders.values():
        shutil.rmtree(folder)
    remove_suite(facts, places)


def kept(cloned: Cloned, kind: str) -> list[Path]:
    """The lists of cases in the cache."""
    return list((cloned.folders[kind] / "cache").glob("suites/*/files/suite.yaml"))


@pytest.mark.parametrize("kind", BROUGHT)
def test_it_is_brought_and_its_digest_stands_in_the_evidence(session: Session, cloned: Cloned, kind: str) -> None:
    ended = cloned.ended[kind]
    assert condition(ended)["status"] == "True", said(session.cluster, ended)
    record = json.loads((cloned.folders[kind] / "bundle" / "run.json").read_text(encoding="utf-8"))
    assert record["suite_from"] == {"address": cloned.places.addresses[kind], "files": cloned.places.digest}
    brought = cloned.folders[kind] / "source" / FOLDER
    assert PORTRAIT in listed(brought)
    assert digest_of(listed(brought)) == cloned.places.digest
    assert len(kept(cloned, kind)) == 1


@pytest.mark.parametrize("kind", REFUSED)
def test_what_was_changed_under_the_same_address_is_refused(session: Session, cloned: Cloned, kind: str) -> None:
    ended = cloned.ended[kind]
    assert condition(ended)["status"] == "False"
    assert REFUSED[kind] in said(session.cluster, ended)
    assert not (cloned.folders[kind] / "source" / FOLDER).exists()
    assert kept(cloned, kind) == []
