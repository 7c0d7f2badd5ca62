"""The desk for pull requests on the cluster, for one repository of Gitea; and what became of a pull request's runs."""

from __future__ import annotations

import json
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from tests.e2e.api import TEKTON, Object
from tests.e2e.gitea import Hosted, Person
from tests.e2e.install import NAMESPACE, apply, secret, write_keys
from tests.e2e.run import Run
from tests.e2e.session import Session

from penstock.store.open import open_store
from penstock.store.store import Store

T = TypeVar("T")
HOOK_EVENTS = ("pull_request", "pull_request_sync", "pull_request_comment")
"""As docs/pulls.md says."""
CONTEXT = "penstock/verify"
FORGE = "gitea"
FORGE_SECRET = "penstock-forge-gitea"
RECEIVERS = "penstock-receivers"
DEPLOYMENT = "deployment/pulls"
NOTE = "penstock.dev/"
LOOK_S = 0.5


@dataclass(frozen=True)
class Desk:
    """``penstock pulls serve``, running."""

    session: Session
    hosted: Hosted
    url: str
    """Where this forge's webhooks are sent to."""
    word: str = field(repr=False)
    """What they are signed with."""
    kept: Store
    """Where the evidence of its runs goes."""

    def runs(self, number: int) -> list[Object]:
        """The runs of a pull request, the oldest first."""
        api = self.session.cluster.api
        found = [
            run
            for run in api.list(api.collection("pipelineruns", TEKTON), labelSelector="penstock.dev/desk=pulls")
            if note(run, "url") == self.hosted.address and note(run, "number") == str(number)
        ]
        return sorted(found, key=lambda run: (run["metadata"]["creationTimestamp"], run["metadata"]["name"]))

    def wait_run(self, number: int, what: str, wanted: Callable[[Object], bool], *, timeout_s: float = 120) -> Run:
        """Wait for a run of a pull request."""
        found = until(
            lambda: next((run for run in self.runs(number) if wanted(run)), None),
            f"a run of pull request {number}: {what}",
            timeout_s=timeout_s,
        )
        return Run(self.session.cluster, found["metadata"]["name"], self.hosted.model.model)

    def wait_status(self, commit: str, state: str, words: str = "", *, timeout_s: float = 120) -> dict[str, Any]:
        """Wait until the newest status of a commit is so, and says so."""

        def look() -> dict[str, Any] | None:
            newest = (self.hosted.statuses(commit, CONTEXT) or [{}])[-1]
            fits = newest.get("status") == state and words in newest.get("description", "")
            return newest if fits else None

        try:
            return until(look, f"the status of {commit} to be {state} ({words})", timeout_s=timeout_s)
        except AssertionError as error:
            seen = [(one["status"], one["description"]) for one in self.hosted.statuses(commit, CONTEXT)]
            raise AssertionError(f"{error}; it was {seen}; the desk says:\n{self.log()}") from None

    def log(self) -> str:
        """The end of what it has written."""
        return self.session.cluster.facts.kubectl("logs", "--namespace", NAMESPACE, DEPLOYMENT, "--tail=40")


def note(run: Object, name: str) -> str:
    """An annotation of ours."""
    return str(run["metadata"].get("annotations", {}).get(f"{NOTE}{name}", ""))


def until(look: Callable[[], T | None], what: str, *, timeout_s: float) -> T:
    """Look again and again; raises AssertionError."""
    deadline = time.monotonic() + timeout_s
    while (found := look()) is None:
        assert time.monotonic() < deadline, f"{what}: not within {timeout_s:.0f} s"
        time.sleep(LOOK_S)
    return found


def address_of_store(session: Session) -> str:
    """A store of its own: in the session's the name of the model belongs to another repository."""
    return f"{session.place.store}-pulls"


def reports(session: Session) -> str:
    """What the links to reports begin with."""
    return f"{session.cluster.facts.s3.endpoint}/{address_of_store(session).partition('://')[2]}/"


@contextmanager
def desk(session: Session, hosted: Hosted, bot: Person, people: list[str], book: str) -> Iterator[Desk]:
    """Set it up for a repository, as an overlay of a site does; its webhook is made, and it is gone afterwards.

    ``book``: address of the release book.
    """
    facts, word = session.cluster.facts, secrets.token_urlsafe(24)
    with tempfile.TemporaryDirectory() as folder:
        kept = open_store(address_of_store(session), write_keys(facts, Path(folder)))
    settings = {
        "version": 1,
        "forges": {
            FORGE: {
                "kind": "gitea",
                "api": f"{facts.gitea}/api/v1",
                "webhook": "gitea-webhook",
                "token": "gitea-token",
                "secret": FORGE_SECRET,
                "allow_http": True,
            }
        },
        "repositories": [{"url": hosted.address, "forge": FORGE}],
        "people": people,
        "at_most": 2,
        "store": address_of_store(session),
        "registry": session.place.registry,
        "tls_verify": False,
        "book": book,
    }
    forge = {"token": bot.token, "kind": "gitea", "url": f"{facts.gitea}/api/v1", "allow-http": "true"}
    apply(
        facts,
        [
            secret("penstock-pulls", {"gitea-webhook": word, "gitea-token": bot.token}),
            secret(FORGE_SECRET, forge),
            secret(RECEIVERS, {"urls": "", "links": f"report {reports(session)}{{evidence}}/report.html\n"}),
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "penstock-pulls"},
                "data": {"pulls.yaml": yaml.safe_dump(settings)},
            },
        ],
    )
    facts.kubectl("scale", "--namespace", NAMESPACE, DEPLOYMENT, "--replicas=1")
    try:
        facts.kubectl("rollout", "status", "--namespace", NAMESPACE, DEPLOYMENT, "--timeout=180s")
        service = json.loads(facts.kubectl("get", "--namespace", NAMESPACE, "service/pulls", "--output=json"))
        address = f"http://{service['spec']['clusterIP']}:{service['spec']['ports'][0]['port']}/{FORGE}"
        hosted.hook(address, word, *HOOK_EVENTS)
        yield Desk(session, hosted, address, word, kept)
    finally:
        facts.kubectl("scale", "--namespace", NAMESPACE, DEPLOYMENT, "--replicas=0")
        facts.kubectl("delete", "--namespace", NAMESPACE, f"secret/{RECEIVERS}")
