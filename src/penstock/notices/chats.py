"""The robots of WeCom, DingTalk, Feishu, Slack and Teams: their addresses, their requests, and what they answer.

All but Teams answer a lost message with HTTP 200 or a word of their own, so each has its judge. Why apprise does not
send these: docs/adr/0039.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from penstock.foundation.errors import UsageError
from penstock.notices.chat_forms import (
    dingtalk_form,
    feishu_form,
    packed,
    slack_form,
    teams_form,
    wecom_form,
    wecom_picture,
)
from penstock.notices.notice import Notice

PLACES: Mapping[str, str] = {
    "wecombot": "https://qyapi.weixin.qq.com",
    "dingtalk": "https://oapi.dingtalk.com",
    "feishu": "https://open.feishu.cn",
    "lark": "https://open.larksuite.com",
    "slack": "https://hooks.slack.com",
    "workflows": "https://{host}",
}
"""Where each service is."""
ADDRESSES = {
    "wecombot": "wecombot://KEY",
    "dingtalk": "dingtalk://TOKEN or dingtalk://SECRET@TOKEN",
    "feishu": "feishu://TOKEN or feishu://SECRET@TOKEN",
    "lark": "lark://TOKEN or lark://SECRET@TOKEN",
    "slack": "slack://A/B/C",
    "workflows": "the address that Teams shows, https://HOST/…/workflows/ID/triggers/manual/paths/invoke?…&sig=SIGNATURE",
}
LIMITED = frozenset({-1, 45009, 130101, 410100, 11232, 11233})
"""Errors of WeCom, DingTalk and Feishu that are over after a while: too many messages, or busy."""
_TOKEN = r"[A-Za-z0-9_-]{1,200}"  # noqa: S105 (a pattern)
_SECRET = r"[!-~]{1,200}"  # noqa: S105 (a pattern)
_NATIVE = (
    ("wecombot", r"https://qyapi\.weixin\.qq\.com/cgi-bin/webhook/send\?key=(?P<token>[^&#]+)"),
    ("dingtalk", r"https://oapi\.dingtalk\.com/robot/send\?access_token=(?P<token>[^&#]+)"),
    ("feishu", r"https://open\.feishu\.cn/open-apis/bot/v2/hook/(?P<token>[^/?#]+)/?"),
    ("lark", r"https://open\.larksuite\.com/open-apis/bot/v2/hook/(?P<token>[^/?#]+)/?"),
    ("slack", r"https://hooks\.slack\.com/services/(?P<token>[^/?#]+/[^/?#]+/[^/?#]+)/?"),
)
"""Addresses as the services show them."""


@dataclass(frozen=True)
class ChatFault:
    """Why a message was not taken."""

    said: str
    again: bool = False
    """Whether it may be taken after a while."""
    refused: bool = False
    """The service has said so: the message as it was will not arrive."""


@dataclass(frozen=True)
class ChatRequest:
    """What is posted."""

    url: str
    """It holds the secret: never shown."""
    body: bytes


@dataclass(frozen=True)
class Chat:
    """One robot in one group."""

    name: str
    secrets: tuple[str, ...]
    """What must not be in any message of ours, though the service says it."""
    request: Callable[[Notice, float], ChatRequest]
    """The message and the time (seconds since 1970), which some sign → what is posted."""
    fault: Callable[[int, bytes], ChatFault | None]
    """The answer's status and content → what is wrong; ``None``: the message was taken."""
    picture: Callable[[bytes], ChatRequest] | None = None
    """A PNG → what is posted after the message, if the operator wants that; ``None``: it takes no files."""


def find_chat(address: str, places: Mapping[str, str] = PLACES) -> Chat | None:
    """The robot of an address; ``None``: it is that of another service, which apprise may know.

    Args:
        address: one of :data:`ADDRESSES`, or as the service itself shows it.
        places: where each service is.

    Raises:
        UsageError: it is one of these services, and the address is incomplete.
    """
    for name, pattern in _NATIVE:
        if found := re.fullmatch(pattern, address):
            return _chat(name, "", found["token"], places)
    parts = urlsplit(address)
    if parts.scheme == "https" and re.search(r"/workflows/[^/]+/triggers/manual/paths/invoke/?$", parts.path):
        return _teams(parts.netloc, f"{parts.path}?{parts.query}", parse_qs(parts.query).get("sig", [""])[0], places)
    if parts.scheme in ("wecombot", "dingtalk", "feishu", "lark"):
        secret, _, token = parts.netloc.rpartition("@")
        if parts.path.strip("/") or (secret and parts.scheme == "wecombot"):
            raise _not_one(parts.scheme)
        return _chat(parts.scheme, unquote(secret), unquote(token), places)
    if parts.scheme == "slack" and re.fullmatch(
        rf"{_TOKEN}(/{_TOKEN}){{2}}", f"{parts.netloc}{parts.path}".rstrip("/")
    ):
        return _chat("slack", "", f"{parts.netloc}{parts.path}".rstrip("/"), places)
    if parts.scheme in ("workflow", "workflows"):
        raise _not_one("workflows")
    if parts.scheme == "msteams":
        raise UsageError(
            "Microsoft has switched these connectors off", where="msteams://…", todo=f"Give {ADDRESSES['workflows']}."
        )
    return None


def _chat(name: str, secret: str, token: str, places: Mapping[str, str]) -> Chat:
    part = rf"{_TOKEN}(/{_TOKEN}){{2}}" if name == "slack" else _TOKEN
    if not re.fullmatch(part, token) or (secret and not re.fullmatch(_SECRET, secret)):
        raise _not_one(name)
    place, kept = places[name], (token, *token.split("/"), *([secret] if secret else []))
    if name == "wecombot":
        url = f"{place}/cgi-bin/webhook/send?key={token}"
        return Chat(
            name,
            kept,
            lambda notice, _: ChatRequest(url, packed(wecom_form(notice))),
            _errcode("errcode"),
            lambda content: ChatRequest(url, packed(wecom_picture(content))),
        )
    if name == "dingtalk":
        url = f"{place}/robot/send?access_token={token}"

        def signed(notice: Notice, now: float) -> ChatRequest:
            signature = f"&timestamp={int(now * 1000)}&sign={quote(_dingtalk_sign(secret, now), safe='')}"
            return ChatRequest(url + (signature if secret else ""), packed(dingtalk_form(notice)))

        return Chat(name, kept, signed, _errcode("errcode"))
    if name == "slack":
        url = f"{place}/services/{token}"
        return Chat(name, kept, lambda notice, _: ChatRequest(url, packed(slack_form(notice))), _slack_fault)
    url = f"{place}/open-apis/bot/v2/hook/{token}"

    def post(notice: Notice, now: float) -> ChatRequest:
        proof = {"timestamp": str(int(now)), "sign": _feishu_sign(secret, now)} if secret else {}
        return ChatRequest(url, packed({**proof, **feishu_form(notice)}))

    return Chat(name, kept, post, _errcode("code"))


def _teams(host: str, path: str, signature: str, places: Mapping[str, str]) -> Chat:
    if not re.fullmatch(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?", host) or not re.fullmatch(_SECRET, signature):
        raise _not_one("workflows")
    url = f"{places['workflows'].format(host=host)}{path}"
    kept = (signature, quote(signature, safe=""), path)
    return Chat("workflows", kept, lambda notice, _: ChatRequest(url, packed(teams_form(notice))), _status_fault)


def _not_one(name: str) -> UsageError:
    return UsageError("not an address of this service", where=f"{name}://…", todo=f"Give {ADDRESSES[name]}.")


def _dingtalk_sign(secret: str, now: float) -> str:
    """HMAC-SHA256 with the secret over the time in milliseconds and the secret, in base64."""
    text = f"{int(now * 1000)}\n{secret}".encode()
    return base64.b64encode(hmac.new(secret.encode(), text, hashlib.sha256).digest()).decode()


def _feishu_sign(secret: str, now: float) -> str:
    """HMAC-SHA256 with the time in seconds and the secret as its key, over nothing, in base64."""
    return base64.b64encode(hmac.new(f"{int(now)}\n{secret}".encode(), b"", hashlib.sha256).digest()).decode()


def _errcode(field: str) -> Callable[[int, bytes], ChatFault | None]:
    """The judge of a service that answers 200 whatever happens: ``{"errcode": 93000, "errmsg": "…"}``."""

    def fault(status: int, content: bytes) -> ChatFault | None:
        answer = _object(content)
        code = answer.get(field)
        if isinstance(code, bool) or not isinstance(code, int):
            return _status_fault(status, content) or ChatFault("the answer is not this service's")
        if code == 0:
            return _status_fault(status, content)
        said = answer.get("errmsg", answer.get("msg"))
        return ChatFault(f"error {code}: {said if isinstance(said, str) else 'no reason'}", code in LIMITED)

    return fault


def _slack_fault(status: int, content: bytes) -> ChatFault | None:
    """Slack says ``ok``, or what is wrong in a word: ``no_service``, ``invalid_blocks``, ``channel_is_archived``."""
    if status == 200 and content.strip() == b"ok":
        return None
    word = content.decode("ascii", errors="replace").strip()
    if re.fullmatch(r"[a-z_]{1,60}", word) and word != "ok":
        return ChatFault(f"{status} {word}", status == 429 or status >= 500)
    return _status_fault(status, b"") or ChatFault("the answer is not this service's")


def _status_fault(status: int, content: bytes) -> ChatFault | None:
    if 200 <= status < 300:
        return None
    error = _object(content).get("error")
    said = error.get("message") if isinstance(error, dict) else None
    return ChatFault(f"HTTP {status}{f': {said}' if isinstance(said, str) else ''}", status == 429 or status >= 500)


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
