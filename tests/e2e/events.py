"""Events of GitHub, GitLab and Gitea, in the forges' own shapes, signed and sent as the forges do."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
from tests.e2e.api import TEKTON, Object
from tests.e2e.repositories import Repository
from tests.e2e.run import Cluster

PAYLOADS = Path(__file__).parent / "payloads"
THEIR_URLS = tuple(
    f"https://{forge}/acme/sonic-lite.git" for forge in ("github.com", "gitlab.example.org", "gitea.example.org")
)
THEIR_COMMIT = "59b20b8d5c6ff8d09518454d4dd8b7b30f095ab5"
EVENT_LABEL = "triggers.tekton.dev/triggers-eventid"


@dataclass(frozen=True)
class Event:
    """One delivery of a forge's webhook."""

    forge: str
    kind: str
    """GitHub's ``X-GitHub-Event``, GitLab's ``X-Gitlab-Event``."""
    body: str

    @classmethod
    def load(cls, name: str, kind: str, repository: Repository, commit: str) -> Event:
        """The payload ``payloads/NAME.json`` with the address and a commit of a repository that is there."""
        body = (PAYLOADS / f"{name}.json").read_text(encoding="utf-8")
        for url in THEIR_URLS:
            body = body.replace(url, repository.url)
        return cls(name.partition("-")[0], kind, body.replace(THEIR_COMMIT, commit))

    def of_ref(self, ref: str) -> Event:
        """The same for another branch or tag."""
        content = json.loads(self.body)
        assert "ref" in content
        return replace(self, body=json.dumps(content | {"ref": ref}))

    def headers(self, secret: str | None) -> dict[str, str]:
        """As the forge sends them; ``None``: without a signature."""
        if self.forge == "gitlab":
            plain = {"X-Gitlab-Event": self.kind, "X-Gitlab-Event-UUID": str(uuid.uuid4())}
            return plain if secret is None else plain | {"X-Gitlab-Token": secret}
        plain = {"X-GitHub-Event": self.kind, "X-GitHub-Delivery": str(uuid.uuid4())}
        if secret is None:
            return plain
        signature = hmac.new(secret.encode(), self.body.encode(), hashlib.sha256).hexdigest()
        return plain | {"X-Hub-Signature-256": f"sha256={signature}"}


@dataclass(frozen=True)
class Listener:
    """The event listener's service."""

    cluster: Cluster
    url: str

    @classmethod
    def find(cls, cluster: Cluster) -> Listener:
        """The service ``el-penstock``, by its cluster address: this machine is the cluster's node."""
        service = cluster.api.get(f"{cluster.api.collection('services')}/el-penstock")
        assert service, "there is no service el-penstock"
        (port, *_) = (item["port"] for item in service["spec"]["ports"] if "http" in item.get("name", "http"))
        return cls(cluster, f"http://{service['spec']['clusterIP']}:{port}/")

    def send(self, event: Event, secret: str | None) -> str:
        """Deliver it; returns the id that the listener gave it. It answers alike whatever becomes of it."""
        headers = event.headers(secret) | {"Content-Type": "application/json"}
        answer = httpx.post(self.url, content=event.body, headers=headers, timeout=30, trust_env=False)
        assert answer.status_code == httpx.codes.ACCEPTED, f"{answer.status_code}: {answer.text}"
        return str(answer.json()["eventID"])

    def started(self, event_id: str) -> list[Object]:
        """The runs that an event has started so far."""
        api = self.cluster.api
        return api.list(api.collection("pipelineruns", TEKTON), labelSelector=f"{EVENT_LABEL}={event_id}")

    def wait_started(self, event_id: str) -> Object:
        """Wait for the run that an event starts."""
        api = self.cluster.api
        return api.wait(
            api.collection("pipelineruns", TEKTON),
            lambda found: found,
            f"a run for the event {event_id}",
            timeout_s=300,
            labelSelector=f"{EVENT_LABEL}={event_id}",
        )
