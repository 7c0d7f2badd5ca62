"""One comment on a forge, kept up to date: found again by its marker, edited in place, never anybody else's.

What GitHub, GitLab and Gitea have in common is here; where their APIs differ: :mod:`penstock.notices.forge_places`.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar
from urllib.parse import urlsplit

import httpx

from penstock.foundation.errors import UsageError, WorldError
from penstock.foundation.whole_answer import PLAIN, answered_within, plain_chunks

TIMEOUT_S = 20.0
"""For each of connecting, sending and waiting."""
ANSWER_S = 60.0
"""For a whole answer."""
TRIES = 3
LONGEST_WAIT_S = 30.0
"""A forge that asks to wait longer is not waited for."""
MAX_PAGES = 200
MAX_ANSWER_BYTES = 16 << 20
LATER = "Try it again later with `penstock comment`; the verdict stands."

T = TypeVar("T")
Action = Literal["created", "updated", "unchanged"]


@dataclass(frozen=True)
class Comment:
    """A comment that is there."""

    id: int
    body: str
    url: str
    mine: bool
    """Whether the token's own user wrote it."""


@dataclass(frozen=True)
class Posted:
    """What became of the comment."""

    action: Action
    url: str
    """Where people see it."""


class Place(Protocol):
    """Where comments are: a pull request, a merge request, a commit."""

    def comments(self) -> Iterator[Comment]:
        """All of them, oldest first."""

    def create(self, body: str) -> str:
        """Write a new one; returns its address."""

    def edit(self, comment: Comment, body: str) -> str:
        """Replace one's text; returns its address."""


class RefusedError(WorldError):
    """The forge has answered, and does not do this one thing: asking for another may go well, asking again soon not."""


class ForbiddenError(RefusedError):
    """The token may not do this."""


class AgainError(Exception):
    """The forge could not answer now."""

    def __init__(self, error: WorldError, wait_s: float) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait_s = wait_s


def put_comment(
    find: Callable[[], Place | None], marker: str, body: str, *, sleep: Callable[[float], None] = time.sleep
) -> Posted | None:
    """Create the comment that begins with ``marker``, or bring the one that is there up to date.

    Looking and writing are tried again together: a forge that fails while it writes may have written.

    Args:
        find: says where; ``None``: there is no such place, and nothing is written.
        marker: the first line of our comment.
        body: the whole text, the marker included.
        sleep: waits between tries.

    Raises:
        WorldError: the forge cannot be reached, or refuses; the message says what to do.
    """

    def put() -> Posted | None:
        place = find()
        return None if place is None else _put_once(place, marker, body)

    return persistently(put, sleep=sleep)


def persistently(act: Callable[[], T], *, sleep: Callable[[float], None] = time.sleep) -> T:
    """Do something on a forge, again if it could not answer.

    Args:
        act: may be carried out several times.
        sleep: waits between tries.

    Raises:
        WorldError: the forge cannot be reached, or refuses; the message says what to do.
    """
    for last in (*[False] * (TRIES - 1), True):
        try:
            return act()
        except AgainError as again:
            if last or again.wait_s > LONGEST_WAIT_S:
                raise again.error from None
            sleep(again.wait_s)
    raise AssertionError


def _put_once(place: Place, marker: str, body: str) -> Posted:
    for comment in place.comments():
        # Somebody may quote ours, or copy it: only what begins with the mark, and is by this token's user.
        if comment.mine and comment.body.lstrip().startswith(marker):
            if _same(comment.body, body):
                return Posted("unchanged", comment.url)
            return Posted("updated", place.edit(comment, body))
    return Posted("created", place.create(body))


def _same(one: str, other: str) -> bool:
    """Forges change line ends and cut off spaces."""
    return [line.rstrip() for line in one.strip().splitlines()] == [
        line.rstrip() for line in other.strip().splitlines()
    ]


class Api:
    """A forge's REST API with a token, which is never in a message, a log or an address."""

    def __init__(
        self, base: str, token: str, headers: dict[str, str], *, rights: str, allow_http: bool = False
    ) -> None:
        """Prepare; nothing is sent yet.

        Args:
            base: address of the API, ``https://api.github.com``. ``http`` only on this machine, or if it is allowed.
            token: goes into every request to ``base``, and to nowhere else.
            headers: with ``{token}`` where the token goes.
            rights: what the token must be allowed to do, for messages.
            allow_http: send the token without TLS, inside a cluster.

        Raises:
            UsageError: the address or the token cannot be one.
        """
        try:
            parts = urlsplit(base)
            parts.port  # noqa: B018  # beyond 65535 it is none
        except ValueError:
            parts = urlsplit("")
        local = parts.hostname in ("localhost", "127.0.0.1", "::1")
        if parts.scheme not in ("https", "http") or not parts.hostname or parts.username or parts.query:
            raise UsageError("not the address of an API", where=_shown(base), todo="Give https://HOST/PATH.")
        if parts.scheme == "http" and not (local or allow_http):
            raise UsageError("a token is not sent without TLS", where=_shown(base), todo="Use https.")
        if not re.fullmatch(r"[!-~]{1,4096}", token):
            raise UsageError("the token is empty, or holds characters that no token has", where="token")
        self.base = base.rstrip("/")
        self._token, self._rights = token, rights
        self._headers = PLAIN | {name: value.format(token=token) for name, value in headers.items()}
        self._trusted = httpx.create_ssl_context()

    def get_all(self, path: str) -> Iterator[dict[str, Any]]:
        """All entries of a list, page by page, as the header ``Link`` leads. It is followed on this API only."""
        address = f"{self.base}{path}{'&' if '?' in path else '?'}per_page=100"
        for _ in range(MAX_PAGES):
            answer = self._send("GET", address)
            yield from self._entries(answer, address)
            following = answer.links.get("next", {}).get("url")
            if following is None:
                return
            address = str(httpx.URL(address).join(following))
            if not address.startswith(f"{self.base}/"):
                raise self._odd("its list goes on at another host", address)
        raise self._odd(f"its list has more than {MAX_PAGES} pages", address)

    def get(self, path: str) -> dict[str, Any]:
        """One object."""
        return self._object("GET", f"{self.base}{path}", None)

    def send(self, method: str, path: str, value: dict[str, Any]) -> dict[str, Any]:
        """Write something; returns what is there then."""
        return self._object(method, f"{self.base}{path}", value)

    def graphql(self, query: str) -> dict[str, Any]:
        """Ask GitHub's other API: beside REST on github.com, beside ``/api/v3`` on a server of one's own."""
        return self._object("POST", f"{self.base.removesuffix('/v3')}/graphql", {"query": query})

    def _object(self, method: str, address: str, value: dict[str, Any] | None) -> dict[str, Any]:
        content = self._json(self._send(method, address, value), address)
        if not isinstance(content, dict):
            raise self._odd("its answer is not an object", address)
        return content

    def _entries(self, answer: httpx.Response, address: str) -> list[dict[str, Any]]:
        content = self._json(answer, address)
        if not isinstance(content, list) or not all(isinstance(entry, dict) for entry in content):
            raise self._odd("its answer is not a list", address)
        return content

    def _json(self, answer: httpx.Response, address: str) -> Any:
        try:
            return answer.json()
        except (ValueError, RecursionError):
            raise self._odd("its answer is not JSON", address) from None

    def _send(self, method: str, address: str, value: dict[str, Any] | None = None) -> httpx.Response:
        try:
            with (
                httpx.Client(
                    headers=self._headers, timeout=TIMEOUT_S, follow_redirects=False, verify=self._trusted
                ) as client,
                answered_within(client, ANSWER_S),
                client.stream(method, address, json=value) as answer,
            ):
                content = b""
                for chunk in plain_chunks(answer):
                    content += chunk
                    if len(content) > MAX_ANSWER_BYTES:
                        raise self._odd("its answer is too long", address)
        except (httpx.InvalidURL, UnicodeError, OverflowError):  # ``a..b``
            raise UsageError("the address has a host that none has", where=_shown(self.base)) from None
        except httpx.HTTPError as error:
            reason = self._clean(str(error)) or type(error).__name__
            failed = WorldError(f"the forge cannot be reached: {reason}", where=_shown(address), todo=LATER)
            raise AgainError(failed, 1.0) from None
        whole = httpx.Response(answer.status_code, headers=_plain_headers(answer), content=content)
        if not whole.is_success:
            raise self._refusal(method, address, whole)
        return whole

    def _refusal(self, method: str, address: str, answer: httpx.Response) -> Exception:
        code, said = answer.status_code, self._said(answer)
        where = f"{method} {_shown(address)}"
        what = f"the forge answered {code}{f' ({said})' if said else ''}"
        limited = code == 429 or (
            code == 403
            and (
                "retry-after" in answer.headers
                or answer.headers.get("x-ratelimit-remaining") == "0"
                or "rate limit" in said.lower()
            )
        )
        if limited:
            what = f"{what}: too many requests"
            return AgainError(WorldError(what, where=where, todo=LATER), _wait(answer))
        if code >= 500:
            return AgainError(WorldError(what, where=where, todo=LATER), _wait(answer))
        todo = {
            401: "The token is wrong, expired or revoked: make a new one.",
            403: f"The token may not do this: it needs {self._rights}.",
            404: f"Check the name and the number. A token that may not see it gets this too: it needs {self._rights}.",
            301: "It has moved: give its new name.",
            308: "It has moved: give its new name.",
            307: "It has moved: give its new name.",
        }.get(code, "")
        # with a wrong token nothing goes well
        kind = {401: WorldError, 403: ForbiddenError}.get(code, RefusedError)
        return kind(what, where=where, todo=todo)

    def _said(self, answer: httpx.Response) -> str:
        """What the forge says is wrong: GitHub's and GitLab's errors have a ``message``, or an ``error``."""
        try:
            content = json.loads(answer.content)
        except (ValueError, RecursionError):
            return ""
        said = (content.get("message") or content.get("error")) if isinstance(content, dict) else None
        return self._clean(said if isinstance(said, str) else json.dumps(said) if said else "")

    def _clean(self, text: str) -> str:
        return " ".join(text.replace(self._token, "***").split())[:200]

    def _odd(self, what: str, address: str) -> WorldError:
        return WorldError(f"this is not a forge's API: {what}", where=_shown(address), todo="Check the API's address.")


def _plain_headers(answer: httpx.Response) -> list[tuple[str, str]]:
    """Without those that describe how the content was packed: it is unpacked."""
    packing = ("content-encoding", "content-length", "transfer-encoding")
    return [(name, value) for name, value in answer.headers.multi_items() if name.lower() not in packing]


def _wait(answer: httpx.Response) -> float:
    """Seconds that the forge asks to wait; 1 if it does not say."""
    asked = answer.headers.get("retry-after", "")
    if re.fullmatch("[0-9]+", asked):
        return float(asked)
    reset = answer.headers.get("x-ratelimit-reset", "") if answer.headers.get("x-ratelimit-remaining") == "0" else ""
    return max(1.0, float(reset) - time.time()) if re.fullmatch("[0-9]+", reset) else 1.0


def _shown(address: str) -> str:
    """Without user name, password and query."""
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "") + (f":{parts.port}" if parts.port else "")
    except ValueError:  # a bracket that is not closed, a port beyond 65535
        return "the API's address"
    return f"{parts.scheme}://{host}{parts.path}"[:300] if parts.scheme else "the API's address"
