"""The release book and the watch as Deployments: what they show, who may ask them, what outlives a pod.

It asks for no run of a model, and takes half a minute.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.e2e.facts import Facts
from tests.e2e.install import write_keys
from tests.e2e.repositories import ROOT, git
from tests.e2e.served import MODEL_PORT, OVERLAY, Answers, Served, overlay, services, serving
from tests.e2e.serving import Pair, publish_pair
from tests.unit.evaluation.probed_services import probed_repository
from tests.unit.evaluation.stored_releases import MODEL, committed, stored_release
from tests.unit.store.stored_bundle import accepted_bundle

from penstock.bundle.models import Image, Invocation
from penstock.store.open import open_store

SHOWN, VERSION = "sonic-lite", "1.0.0"
ENOUGH = 5
"""Pairs of probes."""


@dataclass(frozen=True)
class Asked:
    """Who asked, and what was answered."""

    served: Served
    reader: Answers
    stranger: Answers
    places: dict[str, tuple[str, str]]


@pytest.fixture(scope="module")
def asked(facts: Facts, session_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """Both services over a store with a release of each kind, asked by a pod that may, and by one that may not."""
    folder, began = tmp_path_factory.mktemp("served"), time.time()
    store = open_store(f"s3://{facts.s3.bucket}/e2e-{session_id}-served", write_keys(facts, folder / "keys"))
    image = Image(kind="image", url=f"{facts.registry}/none", digest=f"sha256:{'a' * 64}")
    publish_pair(store, folder, Pair(VERSION, image, "https://example.org/w", b"weights"), before=None, target="studio")
    repository = committed(probed_repository(folder / "repository"))
    place = facts.git_root / f"served-{session_id}.git"
    git(repository, "clone", "--quiet", "--bare", str(repository), str(place))
    stored_release(store, folder, repository, VERSION, url=f"{facts.git}/{place.name}")
    with serving(facts, session_id) as served:
        token, rater = served.secrets(facts, folder)
        model = f"http://model:{MODEL_PORT}"
        probes: dict[str, Any] = {"canary": model, "stable": model, "model": MODEL, "journal": "/journal/probes.jsonl"}
        policy = {"warm_up_s": 0.0, "stretch_s": 1.0, "timeout_s": 3000.0, "probes": probes | {"every_s": 0.2}}
        overlay(OVERLAY, served.namespace, store.uri, policy)
        # what an installation has anyway: the claim that runs are made in
        facts.kubectl("apply", "--namespace", served.namespace, "--filename", str(ROOT / "tekton" / "claim.yaml"))
        made = yaml.safe_dump_all(services(facts, OVERLAY, "serve", "watch"))
        facts.kubectl("apply", "--namespace", served.namespace, "--filename", "-", stdin=made)
        book, verdict = "http://serve:8765", f"http://watch:8080/verdict?since={began:.0f}"
        places = {
            "models": (f"{book}/", token),
            "model": (f"{book}/models/{SHOWN}", token),
            "run": (f"{book}/models/{SHOWN}/runs/run-{VERSION}", token),
            "run in progress": (f"{book}/live/going", token),
            "nobody": (f"{book}/", ""),
            "a rater reads": (f"{book}/", rater),
            "a rater rates": (f"{book}/rate", rater),
            "verdict": (f"{verdict}&version={VERSION}", ""),
            "no version": (verdict, ""),
        }
        served.wait_until_served("serve")
        served.wait_until_served("watch")
        going = accepted_bundle(folder_of_claim(facts, served.namespace) / "runs" / "going" / "bundle", run_id="going")
        going.verdict_file.unlink()
        going.write_invocations([Invocation(case="bela", status="ok", latency_s=1.0, output="outputs/bela/output.mp4")])
        with ThreadPoolExecutor() as both:
            stranger = both.submit(served.ask, "stranger", places)
            reader = both.submit(served.ask, "reader", places, reads_book="true", asks_watch="true")
        yield Asked(served, reader.result(), stranger.result(), places)
    place.rename(folder / "repository.git")


def folder_of_claim(facts: Facts, namespace: str) -> Path:
    """Where this machine has the volume that runs are made in."""
    claim = json.loads(facts.kubectl("get", "--namespace", namespace, "pvc/penstock-work", "--output=json"))
    volume = json.loads(facts.kubectl("get", f"pv/{claim['spec']['volumeName']}", "--output=json"))
    return Path(volume["spec"]["local"]["path"])


def test_a_run_in_progress_has_a_page(asked: Asked) -> None:
    status, page = asked.reader["run in progress"]
    assert status == 200, page
    assert "/live/going/files/outputs/bela/output.mp4" in page


def test_the_book_shows_a_release_of_the_store(asked: Asked) -> None:
    pages = {name: asked.reader[name] for name in ("models", "model", "run")}
    assert {status for status, _ in pages.values()} == {200}, pages
    assert SHOWN in pages["models"][1]
    assert VERSION in pages["model"][1]
    assert "<html" in pages["run"][1]
    assert "lse_d" in pages["run"][1] or f"run-{VERSION}" in pages["run"][1]


def test_a_token_opens_it_and_a_raters_token_only_the_ratings(asked: Asked) -> None:
    statuses = {name: asked.reader[name][0] for name in ("nobody", "a rater reads", "a rater rates")}
    assert statuses == {"nobody": 401, "a rater reads": 401, "a rater rates": 200}


def test_a_pod_without_the_label_reaches_neither(asked: Asked) -> None:
    assert {status for status, _ in asked.stranger.values()} == {0}, asked.stranger


def test_the_watch_probes_the_release_that_is_asked_for_and_goes_on_with_another_pod(asked: Asked) -> None:
    """Suite and record come from the repository and the store, pairs from the journal of the pod before."""
    status, said = asked.reader["verdict"]
    assert (status, json.loads(said)["phase"]) == (200, "Running")
    assert asked.reader["no version"][0] == 400
    verdict = {"verdict": asked.places["verdict"]}
    looks = itertools.count()

    def look() -> Any:
        return json.loads(asked.served.ask(f"look-{next(looks)}", verdict, asks_watch="true")["verdict"][1])

    while (found := look())["probes"] < ENOUGH:
        assert not [note for note in found["notes"] if note.startswith("probes:")], found["notes"]
    asked.served.facts.kubectl("rollout", "restart", "deployment/watch", "--namespace", asked.served.namespace)
    asked.served.wait_until_served("watch")
    again = look()
    assert again["probes"] >= found["probes"]
    assert {signal["name"] for signal in again["signals"]} == {"answers", "errors", "latency"}
    assert again["phase"] != "Failed", again["reason"]
