"""The pipeline ``promote`` and a Rollout that a deployment repository holds; and what is killed in the middle of it.

It adds three minutes to a warm ``make e2e``, and four and a half where others keep the cores busy.
"""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import yaml
from tests.cluster import canary, process
from tests.e2e.api import TEKTON, Api, Object
from tests.e2e.canary_stage import FIRST, MODEL, PENSTOCK, Stage, open_stage, promotion
from tests.e2e.deployed_from_git import subjects
from tests.e2e.facts import Facts
from tests.e2e.install import IMAGES_OVERLAY, STORE_SECRET, secret, store_keys, write_keys
from tests.e2e.pages import labelled
from tests.e2e.repositories import ROOT
from tests.e2e.run import condition

from penstock.foundation.errors import WorldError
from penstock.store.open import open_store
from penstock.targets import controller_pulse
from penstock.targets.claim import claim_key
from penstock.targets.controller_pulse import ControllerSilentError
from penstock.targets.waiting import CanaryStoppedError, CanaryUndecidedError

GOOD, FLAKY, KILLED, SILENT = "1.1.0", "1.2.0-flaky", "1.3.0", "1.4.0"
RUN_TIMEOUT_S = 420.0
TOKEN = "abcdefghijklmnopqrstuvwx"
"""As Mattermost has them in the addresses of its webhooks."""


class Chat:
    """A Mattermost server's webhook: ``POST /hooks/TOKEN`` with a text. It keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.address = ""

    @contextmanager
    def serving(self, host: str) -> Iterator[Chat]:
        chat = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                known = self.path == f"/hooks/{TOKEN}" and isinstance(content.get("text"), str)
                if known:
                    chat.told.append(content["text"])
                self.send_response(200 if known else 400)
                self.end_headers()
                self.wfile.write(b"ok" if known else b"no")

            def log_message(self, *args: Any) -> None:
                pass

        server = ThreadingHTTPServer((host, 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.address = f"mmost://{host}:{server.server_address[1]}/{TOKEN}"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()


@pytest.fixture(scope="module")
def stage(facts: Facts, session_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """1.0.0 serves everybody from a deployment repository, and users ask."""
    folder = tmp_path_factory.mktemp("canary-in-git")
    store = open_store(store_url(facts, session_id), write_keys(facts, folder / "keys"))
    versions = (GOOD, FLAKY, KILLED, SILENT)
    with open_stage(facts, f"canary-git-{session_id}", folder, store, versions, in_git=True) as there:
        yield there


@pytest.fixture(scope="module")
def chat(facts: Facts) -> Iterator[Chat]:
    with Chat().serving(facts.registry.partition(":")[0]) as found:
        yield found


@pytest.fixture(scope="module")
def promoting(facts: Facts, stage: Stage, chat: Chat, session_id: str) -> Iterator[Api]:
    """The Task and the pipeline in a namespace of their own, as docs/operations.md advises."""
    namespace = f"promote-{session_id}"
    facts.kubectl("create", "namespace", namespace)
    paths = ("tasks/move", "pipelines/promote", "rbac/promote", "network/closed", "network/steps", "network/promote")
    made = [yaml.safe_load((ROOT / "tekton" / f"{path}.yaml").read_text(encoding="utf-8")) for path in paths]
    made[0]["spec"]["steps"][0] |= {"image": image_of_move(), "computeResources": {"requests": {"cpu": "50m"}}}
    targets = yaml.safe_load((stage.folder / "targets.yaml").read_text(encoding="utf-8"))
    del targets["targets"]["studio"]["kubeconfig"]  # it is there: as the account of its pod
    config = {"targets.yaml": yaml.safe_dump(targets)}
    made.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "penstock-targets"}, "data": config})
    made.append(secret(STORE_SECRET, store_keys(facts)))
    links = "report https://reports.example.org/{model}/{run}\n"
    made.append(secret("penstock-receivers", {"urls": f"{chat.address}\n", "links": links}))
    facts.kubectl("apply", "--namespace", namespace, "--filename", "-", stdin=yaml.safe_dump_all(made))
    (block,) = [one for one in labelled("yaml") if "kind: Role" in one.text and "rollouts/status" in one.text]
    name = yaml.safe_load(block.text)["metadata"]["name"]
    subject = f"--serviceaccount={namespace}:penstock-promote"
    facts.kubectl("create", "rolebinding", "promote", "--namespace", stage.namespace, f"--role={name}", subject)
    api = Api(facts.kubeconfig, namespace)
    try:
        yield api
    finally:
        api.close()
        facts.kubectl("delete", "namespace", namespace, "--wait=false")


def store_url(facts: Facts, session_id: str) -> str:
    return f"s3://{facts.s3.bucket}/canary-{session_id}"


def image_of_move() -> str:
    """As ``make images`` has pushed it."""
    overlay = yaml.safe_load((IMAGES_OVERLAY / "kustomization.yaml").read_text(encoding="utf-8"))
    (found,) = [one for one in overlay["images"] if one["name"] == "penstock.local/move"]
    return f"{found['newName']}@{found['digest']}"


def run(api: Api, version: str, store: str) -> Object:
    """A run of the pipeline, begun as tekton/runs/promote.yaml has it, at its end."""
    manifest = yaml.safe_load((ROOT / "tekton" / "runs" / "promote.yaml").read_text(encoding="utf-8"))
    given = {"model": MODEL, "version": version, "reason": "e2e", "by": "ann", "store": store}
    manifest["spec"]["params"] = [{"name": name, "value": value} for name, value in given.items()]
    path = api.collection("pipelineruns", TEKTON)
    name = api.create(path, manifest)["metadata"]["name"]
    return api.wait(
        path,
        lambda found: found if condition(found)["status"] in ("True", "False") else None,
        f"the end of {name}",
        timeout_s=RUN_TIMEOUT_S,
        fieldSelector=f"metadata.name={name}",
    )


def log_of(facts: Facts, api: Api, found: Object) -> str:
    return facts.log_of_run(api.namespace, found["metadata"]["name"])


def test_the_pipeline_brings_a_good_release_to_all(
    facts: Facts, stage: Stage, promoting: Api, chat: Chat, session_id: str
) -> None:
    began = time.monotonic()
    stage.publish(GOOD, FIRST)
    found = run(promoting, GOOD, store_url(facts, session_id))
    assert condition(found)["status"] == "True", log_of(facts, promoting, found)
    assert stage.current == GOOD
    assert stage.repository is not None
    assert subjects(stage.repository)[0] == f"{MODEL} {GOOD}"
    answers = stage.crowd.since(began)
    assert stage.crowd.failures == []
    assert all(answer.status == 200 and stage.pair(answer) for answer in answers)
    met = [answer.at for answer in answers if answer.version == GOOD]
    old = [answer.at for answer in answers if answer.version == FIRST and answer.at > met[0]]
    assert old, "some users first"
    assert len(chat.told) == 1
    assert f"{MODEL} {GOOD}: current now in place of {FIRST}" in chat.told[0]
    took = time.monotonic() - began
    print(f"\n{len(answers)} requests, 0 failed; {met[0] - began:.0f} s to the first user, {took:.0f} s in all")  # noqa: T201


def test_one_that_misbehaves_live_goes_back_by_itself_and_people_are_told(
    facts: Facts, stage: Stage, promoting: Api, chat: Chat, session_id: str
) -> None:
    template, told = stage.rollout()["spec"]["template"], len(chat.told)
    stage.publish(FLAKY, GOOD)
    found = run(promoting, FLAKY, store_url(facts, session_id))
    assert condition(found)["status"] == "False"
    assert "the canary was stopped" in log_of(facts, promoting, found)
    assert stage.rollout()["spec"]["template"] == template
    assert stage.current == GOOD
    assert stage.repository is not None
    assert subjects(stage.repository)[:2] == [f'Revert "{MODEL} {FLAKY}"', f"{MODEL} {FLAKY}"]
    assert all(answer.version == FLAKY for answer in stage.crowd.since(0) if answer.status != 200)
    assert stage.crowd.failures == []
    (said,) = chat.told[told:]
    assert f"{MODEL} {FLAKY}: canary stopped, {GOOD} serves all requests" in said
    assert "Failed" in said, "why"
    assert f"https://reports.example.org/{MODEL}/run-{FLAKY}" in said


def test_who_promotes_again_takes_over_what_a_killed_promotion_pod_and_controller_left(stage: Stage) -> None:
    before, lost = stage.current, len(stage.crowd.failed)
    stage.publish(KILLED, before)
    argv = [*PENSTOCK, "promote", MODEL, KILLED, "--reason=e2e", f"--store={stage.store.uri}"]
    argv += [f"--store-credentials={stage.folder}/keys", f"--targets={stage.folder}/targets.yaml"]
    argv.append(f"--secrets={stage.folder}/secrets")
    killed = subprocess.Popen(argv)
    newest = stage.wait(lambda state: state.weight == 5, "the canary").newest
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    pods = ("--namespace", stage.namespace, "pod", f"--selector=rollouts-pod-template-hash={newest}")
    stage.facts.kubectl("delete", *pods, "--grace-period=0", "--force", "--wait=false")
    process.stop(stage.settings, "rollouts-controller")
    with pytest.raises(WorldError, match="If it was killed, its claim ends at"):
        stage.promote(KILLED)
    let_the_claim_end(stage)
    with promotion(stage, KILLED) as errors:
        time.sleep(2)
        assert stage.current == before, "without the controller nobody is promoted"
        canary.start(stage.settings, stage.namespace)
    print(f"\n{errors or 'promoted'}; {len(stage.crowd.failed) - lost} requests lost")  # noqa: T201
    assert stage.repository is not None
    if errors:  # the lost pod may have cost too many requests, or nobody knows yet
        assert [type(error) for error in errors] in ([CanaryStoppedError], [CanaryUndecidedError])
        assert (stage.current, subjects(stage.repository)[0]) == (before, f'Revert "{MODEL} {KILLED}"')
    else:
        assert (stage.canary("status")["state"], stage.current) == ("none", KILLED)
        assert subjects(stage.repository)[0] == f"{MODEL} {KILLED}", "one commit: it was followed, not begun again"


def let_the_claim_end(stage: Stage) -> None:
    """Three minutes go by."""
    pointer = stage.store.read_pointer(claim_key("studio"))
    assert pointer is not None
    assert not pointer.value["ended"]
    value = pointer.value | {"until": "2026-01-01T00:00:00+00:00"}
    assert stage.store.swap_pointer(claim_key("studio"), value, seen=pointer)


def test_a_controller_that_is_gone_is_told_and_not_waited_for(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(controller_pulse, "SILENT_S", 4.0)
    before = stage.current
    stage.publish(SILENT, before)
    process.stop(stage.settings, "rollouts-controller")
    try:
        with promotion(stage, SILENT) as errors:
            pass
    finally:
        canary.start(stage.settings, stage.namespace)
    (error,) = errors
    assert isinstance(error, ControllerSilentError)
    assert isinstance(error, ControllerSilentError | Exception)
    assert "the controller of Argo Rollouts has not seen the change for" in str(error)
    assert stage.current == before
    assert stage.repository is not None
    assert subjects(stage.repository)[0] == f'Revert "{MODEL} {SILENT}"'
    stage.wait(lambda state: state.observed and not state.under_way, "nothing came of it")
