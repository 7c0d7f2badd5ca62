"""The cluster's Gitea as people use it: repositories, webhooks, pull requests, comments; and what it sends."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
from tests.e2e.facts import Facts
from tests.e2e.repositories import Repository, git

EVENTS = ("push", "pull_request", "pull_request_sync", "pull_request_label", "pull_request_comment", "issue_comment")
MAX_BODY_BYTES = 1 << 20


@dataclass(frozen=True)
class Person:
    """Somebody with an account, and what they do by the API."""

    name: str
    token: str = field(repr=False)
    url: str
    """Of Gitea."""

    def ask(self, method: str, path: str, **content: Any) -> httpx.Response:
        """One request below ``/api/v1``, answered whatever way."""
        headers = {"Authorization": f"token {self.token}"}
        address = f"{self.url}/api/v1/{path}"
        body = None if method == "GET" else content
        return httpx.request(method, address, json=body, headers=headers, timeout=60, trust_env=False)

    def do(self, method: str, path: str, **content: Any) -> Any:
        """One request that has to succeed; returns what was answered."""
        answer = self.ask(method, path, **content)
        assert answer.is_success, f"{method} {path}: {answer.status_code}: {answer.text[:500]}"
        return answer.json() if answer.content else None

    def repository(self, name: str, model: Repository) -> Hosted:
        """A public repository of theirs, empty so far, for a model's releases."""
        self.do("POST", "user/repos", name=name, default_branch="main", private=False)
        return Hosted(self, f"{self.name}/{name}", model)


@dataclass(frozen=True)
class Hosted:
    """A repository there, and a model's repository that is pushed to it."""

    owner: Person
    name: str
    """``OWNER/NAME``."""
    model: Repository

    @property
    def address(self) -> str:
        """What is cloned."""
        return f"{self.owner.url}/{self.name}.git"

    def fill(self, *refspecs: str) -> None:
        """Push from the model's repository, its large files first."""
        git(self.model.path, "lfs", "push", "--all", self._remote(self.owner, self.name))
        self.push(self.model.path, *refspecs)

    def push(self, clone: Path, *refspecs: str, by: Person | None = None, to: str = "") -> None:
        """Push commits without large files of their own; ``to``: to a fork of that name."""
        git(clone, "push", self._remote(by or self.owner, to or self.name), *refspecs)

    def _remote(self, person: Person, name: str) -> str:
        scheme, _, rest = self.owner.url.partition("://")
        return f"{scheme}://{person.name}:{person.token}@{rest}/{name}.git"

    def let(self, person: Person, permission: str = "write") -> None:
        """Let somebody push."""
        self.owner.do("PUT", f"repos/{self.name}/collaborators/{person.name}", permission=permission)

    def hook(self, url: str, secret: str, *events: str) -> int:
        """A webhook as its form makes it; returns its number."""
        config = {"url": url, "content_type": "json", "secret": secret}
        chosen = list(events or EVENTS)
        made = self.owner.do(
            "POST", f"repos/{self.name}/hooks", type="gitea", active=True, events=chosen, config=config
        )
        return int(made["id"])

    def protect(self, context: str) -> None:
        """Let ``main`` be merged into only when a commit status is green."""
        self.owner.do(
            "POST",
            f"repos/{self.name}/branch_protections",
            rule_name="main",
            enable_push=True,
            enable_status_check=True,
            status_check_contexts=[context],
        )

    def fork(self, person: Person) -> str:
        """Somebody's fork; returns its ``OWNER/NAME``."""
        return str(person.do("POST", f"repos/{self.name}/forks")["full_name"])

    def pull(self, person: Person, head: str, title: str) -> int:
        """Open a pull request into ``main``; ``head``: a branch, or ``OWNER:BRANCH`` of a fork. Returns its number."""
        made = person.do("POST", f"repos/{self.name}/pulls", title=title, head=head, base="main")
        return int(made["number"])

    def set_state(self, number: int, state: str) -> None:
        """``closed``: close a pull request without merging it; ``open``: open it again."""
        self.owner.do("PATCH", f"repos/{self.name}/pulls/{number}", state=state)

    def merge(self, number: int) -> httpx.Response:
        """Try to merge."""
        return self.owner.ask("POST", f"repos/{self.name}/pulls/{number}/merge", Do="merge")

    def comment(self, person: Person, number: int, text: str) -> None:
        """Comment on a pull request."""
        person.do("POST", f"repos/{self.name}/issues/{number}/comments", body=text)

    def change_comment(self, person: Person, number: int, text: str, other: str) -> None:
        """Comment, edit that to another text, and delete it."""
        made = person.do("POST", f"repos/{self.name}/issues/{number}/comments", body=text)
        person.do("PATCH", f"repos/{self.name}/issues/comments/{made['id']}", body=other)
        person.do("DELETE", f"repos/{self.name}/issues/comments/{made['id']}")

    def comments(self, number: int) -> list[dict[str, Any]]:
        """The comments of a pull request, the oldest first."""
        return list(self.owner.do("GET", f"repos/{self.name}/issues/{number}/comments"))

    def statuses(self, commit: str, context: str) -> list[dict[str, Any]]:
        """Every status that a commit was given in a context, the oldest first."""
        found = self.owner.do("GET", f"repos/{self.name}/commits/{commit}/statuses?sort=oldest&limit=50")
        return sorted((one for one in found if one["context"] == context), key=lambda one: int(one["id"]))


@dataclass(frozen=True)
class Gitea:
    """The forge, as its administrator sees it."""

    admin: Person

    @classmethod
    def find(cls, facts: Facts) -> Gitea:
        """The one that came up with the cluster."""
        said = json.loads((facts.state / "cluster.json").read_text(encoding="utf-8"))["gitea"]
        return cls(Person(said["user"], said["token"], said["url"]))

    def person(self, name: str, *scopes: str) -> Person:
        """A new account, with a token that may all that the account may, or no more than ``scopes``."""
        password = secrets.token_urlsafe(18)
        self.admin.do(
            "POST",
            "admin/users",
            username=name,
            email=f"{name}@example.org",
            password=password,
            must_change_password=False,
        )
        return Person(name, _token(self.admin.url, name, password, scopes or ("all",)), self.admin.url)


def _token(url: str, name: str, password: str, scopes: tuple[str, ...]) -> str:
    answer = httpx.post(
        f"{url}/api/v1/users/{name}/tokens",
        json={"name": secrets.token_hex(6), "scopes": list(scopes)},
        auth=(name, password),
        timeout=60,
        trust_env=False,
    )
    assert answer.is_success, f"a token for {name}: {answer.status_code}: {answer.text[:500]}"
    return str(answer.json()["sha1"])


@dataclass(frozen=True)
class Delivery:
    """One call of a webhook, as it came."""

    headers: dict[str, str]
    body: bytes

    @property
    def kind(self) -> str:
        """``X-Gitea-Event``."""
        return self.headers.get("x-gitea-event", "")

    @property
    def number(self) -> int:
        """Of the pull request that it is about; 0 for none."""
        content = json.loads(self.body)
        return int(content.get("number") or content.get("issue", {}).get("number") or 0)

    def again(self, url: str) -> httpx.Response:
        """Send the same bytes with the same headers somewhere."""
        kept = {name: value for name, value in self.headers.items() if name == "content-type" or name.startswith("x-")}
        return httpx.post(url, content=self.body, headers=kept, timeout=60, trust_env=False)


@contextmanager
def written_down(address: str) -> Iterator[tuple[str, list[Delivery]]]:
    """A receiver of webhooks on an address of this machine: its URL, and what has come so far."""
    came: list[Delivery] = []

    class Handler(BaseHTTPRequestHandler):
        timeout = 30

        def do_POST(self) -> None:
            length = min(int(self.headers.get("Content-Length") or 0), MAX_BODY_BYTES)
            headers = {name.lower(): value for name, value in self.headers.items()}
            came.append(Delivery(headers, self.rfile.read(length)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing on the terminal."""

    server = ThreadingHTTPServer((address, 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{address}:{server.server_address[1]}/", came
    finally:
        server.shutdown()
        server.server_close()
