"""A forge's API on this machine, as far as pull requests go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.unit.stub_server import StubAnswer, StubRequest, json_answer, stub_server

Json = dict[str, Any]


@dataclass
class ForgeApi:
    """What it answers."""

    url: str = ""
    answers: dict[str, Any] = field(default_factory=dict)
    """Path with query → what a GET is answered."""
    status: int = 200
    requests: list[str] = field(default_factory=list)
    posted: list[tuple[str, Json]] = field(default_factory=list)

    def statuses(self, path: str) -> list[Json]:
        """What a commit was told, the last first, as Gitea lists it."""
        told = [{"id": at, "status": body["state"]} | body for at, (to, body) in enumerate(self.posted) if to == path]
        return told[::-1]


@contextmanager
def forge_api() -> Iterator[ForgeApi]:
    there = ForgeApi()

    def answer(request: StubRequest) -> StubAnswer:
        there.requests.append(f"{request.method} {request.path}")
        value = there.answers.get(request.path)
        if request.method == "GET" and "/statuses/" in request.path:
            value = there.statuses(request.path.partition("?")[0])
        if request.method != "GET" and there.status == 200:
            there.posted.append((request.path, request.json()))
            value = {"id": 1, "html_url": "https://forge.example/1"}
        status = there.status if there.status != 200 or value is not None else 404
        return json_answer(value if value is not None else {"message": "Not Found"}, status)

    with stub_server(answer) as there.url:
        yield there


def hub_answer(
    head: str, *, state: str = "open", base: str = "main", fork_id: int | None = 1, gone: bool = False
) -> Json:
    """Of GitHub or Gitea; ``fork_id`` 1 is the base repository itself."""
    return {
        "number": 7,
        "state": state,
        "head": {"label": "change", "ref": "change", "sha": head, "repo": None if gone else {"id": fork_id}},
        "base": {"ref": base, "repo": {"id": 1}},
    }


def gitlab_answer(head: str, *, state: str = "opened", source: int | None = 1) -> Json:
    return {"sha": head, "state": state, "target_branch": "main", "source_project_id": source, "target_project_id": 1}
