"""The webhooks as an ASGI application: an event is checked, put into the queue, and answered at once."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from penstock.foundation.errors import one_line
from penstock.foundation.strict_json import JsonError, read_json
from penstock.notices.forge_places import Kind
from penstock.pulls.comment_commands import has_commands
from penstock.pulls.desk_file import DeskRepository, DeskSettings, ForgeSecrets
from penstock.pulls.gitlab_events import gitlab_event
from penstock.pulls.happenings import CommentEvent, Happening, OddEventError
from penstock.pulls.hook_queue import HookQueue, QueuedEvent
from penstock.pulls.hub_events import hub_event
from penstock.pulls.signatures import SIGNATURE, is_signed

log = logging.getLogger(__name__)
MAX_BODY = 1 << 20
BODY_S = 10.0
STUCK_S = 900.0
"""Threads that have not gone on for so long are not alive: the longest that one event can wait for a forge is less."""
RETRY_S = "30"
ParseEvent = Callable[[Mapping[str, str], Any], Happening | str]
PARSE: dict[Kind, ParseEvent] = {"github": hub_event, "gitea": hub_event, "gitlab": gitlab_event}


@dataclass(frozen=True)
class Hooks:
    """What the handlers share."""

    settings: DeskSettings
    secrets: Mapping[str, ForgeSecrets]
    queues: Mapping[str, HookQueue]
    """Of each forge."""
    alive_at: Callable[[], float]
    """When the thread that is furthest behind was last seen to go on, by the monotonic clock."""

    async def take(self, request: Request) -> Response:
        """One event of a forge, or of a repository with a webhook of its own."""
        name, path = request.path_params["forge"], request.path_params.get("path", "")
        webhook = self.secrets[name].webhook_of(path) if name in self.secrets else None
        if webhook is None:
            return _said(404, "there is no such forge here, or no such repository with a webhook of its own")
        kind = self.settings.file.forges[name].kind
        if SIGNATURE[kind] not in request.headers:
            return _said(401, "there is no signature")
        try:
            async with asyncio.timeout(BODY_S):
                body = await _body(request)
        except (TimeoutError, ClientDisconnect):
            return _said(408, "the event did not come in time")
        if body is None:
            return _said(413, f"an event has at most {MAX_BODY >> 10} KiB")
        if not is_signed(kind, webhook, request.headers, body):
            return _said(401, "the signature is wrong")
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return _said(415, "send application/json")
        try:
            happening = PARSE[kind](request.headers, read_json(body))
        except JsonError as error:
            return _said(400, f"not JSON: {error}")
        except OddEventError as error:
            log.warning("%s: an odd event: %s", name, one_line(str(error)))
            return _said(422, f"not as documented: {error}")
        return self._queued(name, path, happening)

    def _queued(self, forge: str, path: str, happening: Happening | str) -> Response:
        if isinstance(happening, str):
            return _said(202, "ignored", happening)
        if path and path.lower() != happening.path.lower():
            return _said(403, "this webhook speaks for its own repository alone")
        if not path and self.secrets[forge].webhook_of(happening.path) is not None:
            return _said(403, "this repository has a webhook of its own: send it to /FORGE/OWNER/NAME")
        repository = self.settings.repository(forge, happening.path)
        if repository is None:
            return _said(202, "ignored", "the repository is not in pulls.yaml")
        if isinstance(happening, CommentEvent) and (why := _nothing_to_do(repository, happening)):
            return _said(202, "ignored", why)
        if not self.queues[forge].put(QueuedEvent(repository, happening)):
            return JSONResponse({"status": "too many events wait"}, 503, headers={"Retry-After": RETRY_S})
        return _said(202, "accepted")

    async def health(self, _request: Request) -> Response:
        """Whether it works."""
        silent = time.monotonic() - self.alive_at()
        return _said(200, "ok") if silent < STUCK_S else _said(503, f"nothing was done for {silent:.0f} s")


def _nothing_to_do(repository: DeskRepository, comment: CommentEvent) -> str:
    """Why a comment need not wait in the queue: a thousand of them cost nothing."""
    if not has_commands(comment.text):
        return "the comment does not begin with /penstock"
    return "" if repository.may(comment.person) else "its author may not give commands"


async def _body(request: Request) -> bytes | None:
    """The body; ``None``: it is too large, and was not read to its end."""
    length = request.headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()) or len(length) > 12 or int(length) > MAX_BODY:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return bytes(body)


def _said(status: int, what: str, why: str = "") -> Response:
    return JSONResponse({"status": what, "why": why} if why else {"status": what}, status)


def hook_application(hooks: Hooks) -> Starlette:
    """``POST /FORGE``, a name of ``pulls.yaml``, or ``/FORGE/OWNER/NAME``; ``GET /healthz``."""
    return Starlette(
        routes=[
            Route("/healthz", hooks.health, methods=["GET"]),
            Route("/{forge}", hooks.take, methods=["POST"]),
            Route("/{forge}/{path:path}", hooks.take, methods=["POST"]),
        ]
    )
