"""The webhooks, over ASGI as uvicorn calls it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.unit.pulls.payloads import gitlab_merge, gitlab_note, hub_comment, hub_pull, recorded
from tests.unit.pulls.places import WEBHOOK, desk_settings, write_secrets

from penstock.pulls import hook_app
from penstock.pulls.desk_file import read_secrets
from penstock.pulls.hook_app import MAX_BODY, Hooks, hook_application
from penstock.pulls.hook_queue import HookQueue


class Door:
    """Sends events."""

    def __init__(self, folder: Path, most: int = 1000, **settings_too: Any) -> None:
        settings = desk_settings(folder, **settings_too)
        self.queue = HookQueue(most)
        self.alive_at = time.monotonic()
        secrets = read_secrets(settings.file, write_secrets(folder))
        self.app = hook_application(Hooks(settings, secrets, self.queues(), lambda: self.alive_at))

    def queues(self) -> dict[str, HookQueue]:
        return dict.fromkeys(("github", "gitlab", "gitea"), self.queue)

    def send(self, path: str, body: Any, headers: dict[str, str], *, method: str = "POST") -> httpx.Response:
        async def sent() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://hooks.example.org") as client:
                return await client.request(method, path, content=body, headers=headers)

        return asyncio.run(sent())

    def hub(
        self, kind: str, value: Any, *, forge: str = "github", below: str = "", secret: str = WEBHOOK, **more: str
    ) -> httpx.Response:
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        signed = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", f"X-{forge.title()}-Event": kind}
        return self.send(f"/{forge}{below}", body, headers | {"X-Hub-Signature-256": f"sha256={signed}"} | more)

    def lab(self, kind: str, value: Any, token: str = WEBHOOK) -> httpx.Response:
        headers = {"Content-Type": "application/json", "X-Gitlab-Event": kind, "X-Gitlab-Token": token}
        return self.send("/gitlab", json.dumps(value).encode(), headers)


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path)


def test_events_of_each_forge_are_taken(door: Door) -> None:
    answers = [
        door.hub("pull_request", hub_pull()),
        door.hub("issue_comment", hub_comment("/penstock retest")),
        door.hub("pull_request", hub_pull(), forge="gitea"),
        door.lab("Merge Request Hook", gitlab_merge()),
        door.lab("Note Hook", gitlab_note("/penstock retest")),
    ]
    assert [(answer.status_code, answer.json()) for answer in answers] == [(202, {"status": "accepted"})] * 5
    assert len(door.queue) == 5


@pytest.mark.parametrize(
    ("kind", "value", "why"),
    [
        ("ping", recorded("github-ping"), "this kind of event starts nothing"),
        ("pull_request", hub_pull(path="eve/sonic-lite"), "the repository is not in pulls.yaml"),
        ("issue_comment", hub_comment("looks good"), "the comment does not begin with /penstock"),
        ("issue_comment", hub_comment("/penstock retest", person="eve"), "its author may not give commands"),
        ("issue_comment", hub_comment("/penstock retest", action="edited"), "only new comments count"),
    ],
)
def test_what_is_ignored_is_said(door: Door, kind: str, value: Any, why: str) -> None:
    answer = door.hub(kind, value)
    assert (answer.status_code, answer.json()) == (202, {"status": "ignored", "why": why})
    assert len(door.queue) == 0


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/github", {}, 401),
        ("/github", {"X-Hub-Signature-256": "sha256=" + "0" * 64}, 401),
        ("/gitlab", {"X-Gitlab-Token": "guessed"}, 401),
        ("/bitbucket", {}, 404),
        ("/github/x", {}, 404),
        ("/", {}, 404),
    ],
)
def test_nobody_else_gets_in(door: Door, path: str, headers: dict[str, str], status: int) -> None:
    answer = door.send(path, b"{}", {"Content-Type": "application/json"} | headers)
    assert answer.status_code == status
    assert WEBHOOK not in answer.text
    assert len(door.queue) == 0


def test_one_forges_secret_is_no_others(tmp_path: Path) -> None:
    write_secrets(tmp_path)
    door = Door(tmp_path)
    (tmp_path / "gitea-webhook").write_text("another-secret-of-gitea")
    settings = desk_settings(tmp_path)
    secrets = read_secrets(settings.file, tmp_path)
    door.app = hook_application(Hooks(settings, secrets, door.queues(), time.monotonic))
    assert door.hub("pull_request", hub_pull(), forge="gitea").status_code == 401


def test_a_webhook_of_its_own_speaks_for_its_repository_alone(tmp_path: Path) -> None:
    own, mine, other = "secret-of-this-repository-alone", "/acme/sonic-lite", hub_pull(path="acme/other")
    url = "https://github.com/acme/{}.git"
    first = {"url": url.format("sonic-lite"), "forge": "github", "webhook": "sonic-webhook"}
    second = {"url": url.format("other"), "forge": "github"}
    (tmp_path / "sonic-webhook").write_text(own)
    door = Door(tmp_path, repositories=[first, second])
    assert door.hub("pull_request", hub_pull(), below=mine, secret=own).status_code == 202
    assert door.hub("pull_request", hub_pull(), below="/Acme/Sonic-Lite", secret=own).status_code == 202
    assert door.hub("pull_request", other).status_code == 202
    assert len(door.queue) == 2, "the same event twice waits once"
    refused = [
        door.hub("pull_request", other, below=mine, secret=own),  # of a repository that is not its own
        door.hub("pull_request", hub_pull()),  # by the forge's, which others know
        door.hub("pull_request", hub_pull(), below=mine),
        door.hub("pull_request", other, secret=own),
        door.hub("pull_request", other, below="/acme/other"),
    ]
    assert [answer.status_code for answer in refused] == [403, 403, 401, 401, 404]
    assert len(door.queue) == 2


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff", 400),
        (b'{"a": NaN}', 400),
        (b"[" * 1000, 400),
        (json.dumps(hub_pull(number="7")).encode(), 422),
    ],
)
def test_a_signed_body_that_is_odd(door: Door, body: bytes, status: int) -> None:
    assert door.hub("pull_request", body).status_code == status


def test_a_form_is_refused(door: Door) -> None:
    answer = door.hub("pull_request", hub_pull(), **{"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status_code == 415


def test_a_body_that_is_too_large(door: Door) -> None:
    assert door.hub("pull_request", b" " * (MAX_BODY + 1)).status_code == 413
    chunks = {"Content-Type": "application/json", "X-Hub-Signature-256": "sha256=0"}

    async def endless() -> Any:
        while True:
            yield b" " * 65536

    assert door.send("/github", endless(), chunks).status_code == 413
    assert door.send("/github", b"{}", chunks | {"Content-Length": "9" * 30}).status_code == 413


def test_a_body_that_does_not_come(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hook_app, "BODY_S", 0.05)

    async def slow() -> Any:
        yield b"{"
        await asyncio.sleep(5)

    assert door.send("/github", slow(), {"X-Hub-Signature-256": "sha256=0"}).status_code == 408


def test_a_body_without_a_signature_is_not_waited_for(door: Door) -> None:
    async def slow() -> Any:
        yield b"{"
        await asyncio.sleep(60)

    assert door.send("/github", slow(), {"Content-Type": "application/json"}).status_code == 401


def test_too_many_events(tmp_path: Path) -> None:
    door = Door(tmp_path, most=2)
    answers = [door.hub("pull_request", hub_pull(number=number)) for number in (1, 2, 3)]
    assert [answer.status_code for answer in answers] == [202, 202, 503]
    assert answers[2].headers["retry-after"]
    assert door.hub("pull_request", hub_pull(number=1)).status_code == 202, "it is there already"


def test_a_thousand_comments_wait_nowhere(door: Door) -> None:
    for number in range(1, 31):
        door.hub("issue_comment", hub_comment("+1", comment=number))
        door.hub("issue_comment", hub_comment("/penstock retest", comment=number, person="eve"))
    assert len(door.queue) == 0


def test_health(door: Door) -> None:
    assert door.send("/healthz", b"", {}, method="GET").status_code == 200
    door.alive_at = time.monotonic() - 1000
    assert door.send("/healthz", b"", {}, method="GET").status_code == 503
    assert door.send("/github", b"", {}, method="GET").status_code == 405
