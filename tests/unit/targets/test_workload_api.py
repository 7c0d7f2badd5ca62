"""The API server as the client meets it: credentials, refusals, what is no answer."""

from __future__ import annotations

import builtins
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.targets.api_server import ApiServer, Json, api_server, settings, template

from penstock.foundation.errors import UsageError, WorldError
from penstock.targets import workload_api
from penstock.targets.workload_api import ApiSilentError, StaleError, WorkloadApi

pytestmark = pytest.mark.slow
"""To import the client takes a second."""


@pytest.fixture
def there(tmp_path: Path) -> Iterator[ApiServer]:
    with api_server(tmp_path / "secrets") as found:
        found.target()  # writes the kubeconfig
        yield found


def opened(there: ApiServer, **more: Any) -> WorkloadApi:
    return WorkloadApi(settings(**more), there.folder, where="target 'studio'")


def test_read_changed_and_listed(there: ApiServer) -> None:
    api = opened(there)
    seen = api.read()
    assert seen["spec"]["template"] == template(), "fields that the client does not know, too"
    other = template(image="other")
    assert api.replace_template(seen, other)["spec"]["template"] == other
    with pytest.raises(StaleError):
        api.replace_template(seen, template())
    assert there.template == other
    assert [one["metadata"]["name"] for one in api.pods("app=sonic")] == [
        f"{there.sets[-1]['metadata']['name']}-0",
        f"{there.sets[-1]['metadata']['name']}-1",
    ]
    assert len(api.replica_sets("app=sonic")) == 3


@pytest.mark.parametrize(
    ("status", "kind", "told"),
    [
        (503, ApiSilentError, "answers 503: refused GET"),
        (429, ApiSilentError, "answers 429"),
        (403, WorldError, r"refuses \(403\): refused GET.* Role of this target"),
        (404, WorldError, "there is no Deployment 'sonic' in the namespace 'studio'"),
        (422, WorldError, "answers 422"),
        (307, WorldError, "answers 307"),
    ],
)
def test_refusals(there: ApiServer, status: int, kind: type[Exception], told: str) -> None:
    there.refuse = [status]
    with pytest.raises(kind, match=told):
        opened(there).read()
    assert there.refuse == []


def test_what_is_no_answer(there: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    api = opened(there)
    there.lose = ["GET"]
    with pytest.raises(ApiSilentError, match="does not answer"):
        api.read()
    monkeypatch.setattr(workload_api, "MAX_ANSWER_BYTES", 100)
    with pytest.raises(WorldError, match="larger than"):
        api.read()


def test_a_token_that_is_refused_is_not_shown(there: ApiServer) -> None:
    file = there.folder / "config"
    file.write_text(file.read_text().replace("the-token-of-this-account", "an-old-token"))
    with pytest.raises(WorldError, match=r"refuses \(401\): Unauthorized") as caught:
        opened(there).read()
    assert "an-old-token" not in str(caught.value)


@pytest.mark.parametrize("content", ["", "- a", "a: [", "current-context: x", "current-context: x\ncontexts: 3"])
def test_a_kubeconfig_that_is_none(there: ApiServer, content: str) -> None:
    (there.folder / "config").write_text(content or "\n")
    with pytest.raises(UsageError, match="secret 'config'"):
        opened(there)


@pytest.mark.parametrize(
    "user",
    [
        {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", "touch FILE"]}},
        {"auth-provider": {"name": "gcp", "config": {"cmd-path": "sh"}}},
        {"tokenFile": "/var/run/secrets/kubernetes.io/serviceaccount/token"},
    ],
)
def test_in_a_pod_a_kubeconfig_starts_no_program_and_sends_no_other_file(
    there: ApiServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, user: Json
) -> None:
    """Who starts a promotion names the secrets: with them they would have the account's own token."""
    config = yaml.safe_load((there.folder / "config").read_text())
    config["users"][0]["user"] = json.loads(json.dumps(user).replace("FILE", str(tmp_path / "ran")))
    (there.folder / "config").write_text(yaml.safe_dump(config))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    with pytest.raises(
        UsageError, match=f"secret 'config': in a pod no kubeconfig is taken that says '{next(iter(user))}'"
    ):
        opened(there)
    assert not (tmp_path / "ran").exists()


def test_one_that_is_missing(there: ApiServer) -> None:
    with pytest.raises(UsageError, match="no such file"):
        opened(there, kubeconfig="another")


def test_no_cluster_around(there: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(UsageError, match=r"there is no cluster around.*Name a 'kubeconfig'"):
        opened(there, kubeconfig=None)


def test_without_the_extra(there: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def absent(name: str, *rest: Any) -> Any:
        if name == "kubernetes":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(UsageError, match=r"pip install 'penstock\[kubernetes\]'"):
        opened(there)


def test_a_kubeconfig_of_another_cluster_is_not_the_default(there: ApiServer) -> None:
    config = yaml.safe_load((there.folder / "config").read_text())
    config["clusters"][0]["cluster"]["server"] = "http://127.0.0.1:1"
    (there.folder / "far").write_text(yaml.safe_dump(config))
    with pytest.raises(ApiSilentError):
        opened(there, kubeconfig="far").read()
    assert opened(there).read()["metadata"]["name"] == "sonic"


def test_whoever_has_no_such_target_does_not_wait_for_the_client() -> None:
    code = "import sys, penstock.cli.app, penstock.targets.delivery; sys.exit('kubernetes' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
