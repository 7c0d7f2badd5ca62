"""Provenance by Tekton Chains itself: of the results of our Task *build*, read by cosign and by ``penstock verify``.

``make chains``, with the cluster up; ``PENSTOCK_COSIGN`` is cosign.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.cluster import chains
from tests.cluster.settings import Settings
from tests.e2e.facts import Facts, read_facts
from tests.e2e.repositories import ROOT
from tests.e2e.serving import Pair, publish_pair, put_image
from tests.unit.releases.signing_keys import key_pair

from penstock.bundle.models import Image
from penstock.cli.app import main
from penstock.releases.baseline import published
from penstock.store.local import LocalStore

COSIGN = os.environ["PENSTOCK_COSIGN"]
URL = "https://example.org/sonic-lite"
SIGNED_S = 60.0

pytestmark = pytest.mark.timeout(600)


@dataclass
class Built:
    """An image that a TaskRun says it has built, and a verdict over it."""

    facts: Facts
    namespace: str
    image: Image
    store: LocalStore
    commit: str
    key: Path
    """Whose public key verifies the verdict."""
    builder: Path
    """Likewise the provenance."""

    @property
    def name(self) -> str:
        return f"{self.image.url}@{self.image.digest}"

    def build(self, commit: str, *, by: str = "build") -> None:
        """A TaskRun with the results of the Task build, of a Task of this name; returns when Chains has signed."""
        task = yaml.safe_load((ROOT / "tekton" / "tasks" / "build.yaml").read_text(encoding="utf-8"))
        said = {"IMAGE_URL": self.image.url, "IMAGE_DIGEST": self.image.digest}
        said |= {"CHAINS-GIT_URL": URL, "CHAINS-GIT_COMMIT": commit}
        results = [one for one in task["spec"]["results"] if one["name"] in said]
        assert len(results) == len(said)
        script = "".join(f"printf %s '{said[name]}' > $(results.{name}.path)\n" for name in said)
        python = f"{self.facts.registry}/library/python:3.11-slim"
        step = {"name": "build", "image": python, "command": ["sh", "-c", script]}
        where, version = f"--namespace={self.namespace}", {"apiVersion": "tekton.dev/v1"}
        own = version | {"kind": "Task", "metadata": {"name": by}, "spec": {"results": results, "steps": [step]}}
        self.facts.kubectl("apply", where, "--filename=-", stdin=json.dumps(own))
        run = version | {
            "kind": "TaskRun",
            "metadata": {"name": f"{by}-{commit[:8]}"},
            "spec": {"taskRef": {"kind": "Task", "name": by}},
        }
        self.facts.kubectl("create", where, "--filename=-", stdin=json.dumps(run))
        name = f"taskrun/{run['metadata']['name']}"
        self.facts.kubectl("wait", where, "--for=condition=Succeeded", name, "--timeout=120s")
        end = time.monotonic() + SIGNED_S
        while (signed := self._signed(name)) != "true":
            assert time.monotonic() < end, f"Chains has not signed it: '{signed}'"
            time.sleep(0.5)

    def _signed(self, name: str) -> str:
        found: Any = json.loads(self.facts.kubectl("get", f"--namespace={self.namespace}", name, "--output=json"))
        return str(found["metadata"].get("annotations", {}).get("chains.tekton.dev/signed", ""))

    def verify(self, *options: str) -> int:
        words = ["verify", self.name, f"--key={self.key}", f"--store={self.store.uri}", "--no-tls-verify"]
        return main([*words, *options])


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    folder, facts = tmp_path_factory.mktemp("chains"), read_facts()
    namespace = f"chains-{secrets.token_hex(4)}"
    image = Image(kind="image", url=f"{facts.registry}/{namespace}", digest=put_image(facts, namespace, "1.0.0"))
    (key, public), (private, builder) = key_pair(folder / "verdicts"), key_pair(folder / "builder")
    store = LocalStore(folder / "store")
    publish_pair(store, folder, Pair("1.0.0", image, "", b"w"), before=None, target="studio", key=key)
    release = published(store, "sonic-lite", "1.0.0")
    assert release is not None
    facts.kubectl("create", "namespace", namespace)
    try:
        with chains.running(Settings.from_environment(), namespace, private):
            yield Built(facts, namespace, image, store, release.commit, public, builder)
    finally:
        facts.kubectl("delete", "namespace", namespace, "--wait=false")


def test_provenance_of_another_commit_is_refused(built: Built, capsys: pytest.CaptureFixture[str]) -> None:
    assert built.verify() == 0
    assert built.verify(f"--provenance-key={built.builder}") == 1
    assert "no provenance of this image" in capsys.readouterr().err
    built.build("e" * 40)
    assert built.verify(f"--provenance-key={built.builder}") == 1
    said = capsys.readouterr().err
    assert f"the image was built by the Task 'build' of {'e' * 40} of example.org/sonic-lite; wanted is" in said
    assert built.commit in said


def test_the_word_of_another_task_does_not_count(built: Built, capsys: pytest.CaptureFixture[str]) -> None:
    built.build(built.commit, by="anything")
    assert built.verify(f"--provenance-key={built.builder}") == 1
    assert f"by the Task 'anything' of {built.commit}" in capsys.readouterr().err


def test_provenance_of_the_commit_that_was_judged(built: Built, capsys: pytest.CaptureFixture[str]) -> None:
    built.build(built.commit)
    assert built.verify(f"--provenance-key={built.builder}") == 0
    builder = chains.CONFIGURATION["builder.id"]
    assert f"  built by {builder} of commit {built.commit}" in capsys.readouterr().out.splitlines()
    assert built.verify(f"--provenance-key={built.key}") == 1, "another key has signed it"


def test_cosign_verifies_it(built: Built) -> None:
    words = [COSIGN, "verify-attestation", f"--key={built.builder}", "--type=slsaprovenance1"]
    words += ["--insecure-ignore-tlog", "--allow-http-registry", built.name]
    found = subprocess.run(words, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
