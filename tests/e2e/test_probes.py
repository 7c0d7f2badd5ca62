"""Five users an hour: probes bring a good release to all, and stop one that fails before anybody has met it."""

from __future__ import annotations

import json
import secrets as random
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
import yaml
from tests.cluster import canary, process
from tests.cluster.settings import Settings
from tests.e2e.api import Object
from tests.e2e.canary_stage import CANARY_S, MODEL, PENSTOCK, SURE, TARGET, Stage, account
from tests.e2e.facts import Facts
from tests.e2e.rollouts import Crowd, manifests
from tests.e2e.serving import PORT, put_image, weights_server

from penstock.releases.baseline import published
from penstock.store.local import LocalStore
from penstock.targets.pair import pair_of
from penstock.targets.pod_template import with_pair
from penstock.targets.targets_file import RolloutSettings
from penstock.targets.waiting import NotServingError

GOOD, FLAKY = "1.1.0", "1.2.0-flaky"
VERSIONS = ("1.0.0", GOOD, FLAKY)
CONTRACT = """
version: 1
name: sonic-lite
family: recognition
call:
  http: {argv: [none], method: GET, path: "/", response: application/json}
  timeout_s: 10
suite: suite
policy: {rules: [{metric: label_f1, min: 0.8}]}
"""


def probe_policy(prometheus: str, namespace: str, addresses: dict[str, str]) -> Object:
    """Few probes decide, and there are many: in earnest it would be otherwise, one pair each ten seconds."""
    sides = {
        side: {"requests": f'traefik_service_requests_total{{service=~"{namespace}-sonic-{side}-.*"}}'}
        for side in ("canary", "stable")
    }
    return {
        "signals": {"errors": {}},
        "stretch_s": 1.0,
        "warm_up_s": 1.0,
        "timeout_s": 55.0,
        "prometheus": {"url": prometheus, **sides, "timeout_s": 2.0},
        "probes": {
            **addresses,
            "repository": "repository",
            "journal": "probes.jsonl",
            "every_s": 0.1,
            "errors": {"harmless": 0.2},
            "latency": {"ratio": 5.0},
        },
    }


def write_repository(folder: Path) -> None:
    """The contract of the small service, and one case."""
    (folder / "suite").mkdir(parents=True)
    (folder / "penstock.yaml").write_text(CONTRACT)
    case = {"name": "grey", "inputs": {"image": "grey.png"}, "labels": ["cup"]}
    (folder / "suite" / "suite.yaml").write_text(json.dumps({"version": 1, "family": "recognition", "cases": [case]}))
    cv2.imwrite(str(folder / "suite" / "grey.png"), np.full((16, 16, 3), 128, np.uint8))


def _answers(address: str) -> bool:
    try:
        return httpx.get(address, trust_env=False).is_success
    except httpx.HTTPError:
        return False


@contextmanager
def watching(folder: Path, host: str) -> Iterator[None]:
    """``penstock watch --serve`` with the policy in a folder."""
    port = Settings.watch_port
    program = subprocess.Popen([*PENSTOCK, "watch", str(folder / "watch.yaml"), "--serve", f"{host}:{port}"])
    try:
        assert process.wait_until(lambda: _answers(f"http://{host}:{port}/healthz"), 60)
        yield
    finally:
        program.terminate()
        program.wait(timeout=20)


@pytest.fixture(scope="module")
def stage(facts: Facts, session_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """1.0.0 serves everybody, and hardly anybody asks."""
    settings = Settings.from_environment()
    namespace, folder = f"probes-{session_id}", tmp_path_factory.mktemp("probes")
    host = facts.registry.partition(":")[0]
    facts.kubectl("create", "namespace", namespace)
    parts = canary.start(settings, namespace)
    store = LocalStore(folder / "store")
    files = {version: random.token_bytes(1000) for version in VERSIONS}
    digests = {version: put_image(facts, namespace, version) for version in VERSIONS}
    target: dict[str, Any] = {"kind": "rollout", "models": [MODEL], "namespace": namespace, "name": "sonic"}
    target |= {"container": "model", "init_container": "weights", "timeout_s": 90.0, "poll_s": 0.5}
    target |= {"canary_s": CANARY_S, "kubeconfig": "account"}
    (folder / "targets.yaml").write_text(yaml.safe_dump({"version": 1, "targets": {TARGET: target}}))
    (folder / "secrets").mkdir()
    (folder / "secrets" / "account").write_text(account(facts, namespace))
    write_repository(folder / "repository")
    try:
        with weights_server(host, files) as weights:
            crowd = Crowd(parts.traefik, new=0, known=0)
            there = Stage(facts, settings, namespace, parts.traefik, store, weights, files, digests, folder, crowd, [])
            there.publish("1.0.0", None)
            watch = f"http://{host}:{settings.watch_port}"
            # one suite for all releases: a watch that knows no versions
            made = manifests(facts, f"{facts.registry}/{namespace}:1.0.0", watch, version=False)
            release = published(store, MODEL, "1.0.0")
            assert release is not None
            wanted, spec = RolloutSettings.model_validate(target), made[-1]["spec"]
            spec["template"] = with_pair(spec["template"], pair_of(release, evidence=""), wanted, where=TARGET)
            facts.kubectl("apply", "--namespace", namespace, "--filename", "-", stdin=yaml.safe_dump_all(made))
            get = ("get", "service", "--namespace", namespace, "--output=jsonpath={.spec.clusterIP}")
            addresses = {
                side: f"http://{facts.kubectl(*get, f'sonic-{side}').strip()}:{PORT}" for side in ("canary", "stable")
            }
            (folder / "watch.yaml").write_text(yaml.safe_dump(probe_policy(parts.prometheus, namespace, addresses)))
            there.promote("1.0.0")
            # the first answers may be the canary's, until Argo has set the weights; the stable side has to be counted
            routed = process.wait_until(lambda: all(_answers(parts.traefik) for _ in range(SURE)), 60)
            assert routed, "Traefik has not found the route"
            with watching(folder, host):
                yield there
    finally:
        facts.kubectl("delete", "namespace", namespace, "--wait=false")
        canary.stop(settings)


def pairs(stage: Stage) -> list[Object]:
    """What was put to both sides."""
    return [json.loads(line) for line in (stage.folder / "probes.jsonl").read_text().splitlines()]


def test_a_good_release_comes_to_all_by_probes(stage: Stage) -> None:
    began = time.monotonic()
    stage.publish(GOOD, "1.0.0")
    stage.promote(GOOD)
    assert stage.current == GOOD
    put = pairs(stage)
    print(f"\n{len(put)} pairs, no users, {time.monotonic() - began:.0f} s from publish to everybody")  # noqa: T201
    assert not [pair for pair in put if pair["canary"]["error"] or pair["stable"]["error"]]


def test_one_that_fails_is_rolled_back_before_anybody_met_it(stage: Stage) -> None:
    template, before, began = stage.rollout()["spec"]["template"], len(pairs(stage)), time.monotonic()
    stage.publish(FLAKY, GOOD)
    with pytest.raises(NotServingError, match=r"the canary was stopped: .*[Mm]etric.*watch.* Failed"):
        stage.promote(FLAKY)
    assert stage.rollout()["spec"]["template"] == template, "put back exactly"
    assert stage.current == GOOD
    put = pairs(stage)[before:]
    failed = [pair for pair in put if pair["canary"]["error"]]
    print(f"\n{len(failed)} of {len(put)} probes failed, {time.monotonic() - began:.0f} s until put back")  # noqa: T201
    assert failed
    assert all("answered 500" in pair["canary"]["error"] for pair in failed)
    assert not [pair for pair in put if pair["stable"]["error"]]
