"""A message posted to a chat's robot: within a time and a size, without redirects, again where that may help."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace

import httpx

from penstock.foundation.errors import UsageError, one_line
from penstock.foundation.files import read_regular
from penstock.foundation.whole_answer import PLAIN, answered_within, plain_chunks
from penstock.notices.chats import Chat, ChatFault, ChatRequest
from penstock.notices.notice import Notice, NoticePicture
from penstock.report.picture_files import MAX_WORST_BYTES

log = logging.getLogger(__name__)

TIMEOUT_S = 15.0
"""For each of connecting, sending and waiting; and for all of it together."""
TRIES = 3
PAUSE_S = 5.0
LONGEST_WAIT_S = 30.0
"""A service that asks to wait longer is not waited for."""
MAX_ANSWER_BYTES = 1 << 16
MAX_SAID = 200


def post_notice(
    chat: Chat,
    notice: Notice,
    *,
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.time,
) -> str:
    """Post a message, and again if the service was busy or could not be reached.

    A request whose answer is lost is not sent again: the message may have arrived, and nobody is told twice.

    Args:
        chat: the robot.
        notice: the message.
        sleep: waits between tries.
        now: seconds since 1970, for signatures.

    Returns:
        Empty if it was taken; else why not, in a line without any secret.
    """
    fault = _tried(chat, lambda: chat.request(notice, now()), sleep)
    if fault.said and notice.picture is not None and notice.picture.link is not None and fault.refused:
        # a service that cannot get the picture, or does not want it, refuses the words with it
        bare = replace(notice, picture=None)
        fault = _tried(chat, lambda: chat.request(bare, now()), sleep)
    elif not fault.said and notice.picture is not None and notice.picture.attached and chat.picture is not None:
        _post_picture(chat, chat.picture, notice.picture, sleep)
    return _without(fault.said, chat.secrets)


def _post_picture(
    chat: Chat, form: Callable[[bytes], ChatRequest], picture: NoticePicture, sleep: Callable[[float], None]
) -> None:
    """After the message: without it the message has arrived all the same, so that nobody is told that it has not."""
    try:
        content = read_regular(picture.path, max_bytes=MAX_WORST_BYTES, where="picture")
    except UsageError as error:
        log.warning("no picture for %s://…: %s", chat.name, error)
        return
    fault = _tried(chat, lambda: form(content), sleep)
    if fault.said:
        log.warning("the picture for %s://… was not sent: %s", chat.name, _without(fault.said, chat.secrets))


def _tried(chat: Chat, request: Callable[[], ChatRequest], sleep: Callable[[float], None]) -> ChatFault:
    """Post, and again where that may help; the last fault, an empty one if there is none."""
    fault = ChatFault("not sent")
    for attempt in range(TRIES):
        fault, wait_s = _post_once(chat, request())
        if not fault.said or not fault.again or attempt == TRIES - 1 or wait_s > LONGEST_WAIT_S:
            break
        sleep(wait_s)
    return fault


def _post_once(chat: Chat, request: ChatRequest) -> tuple[ChatFault, float]:
    """The fault, an empty one if there is none, and how long to wait before the next try."""
    headers = {**PLAIN, "Content-Type": "application/json; charset=utf-8", "User-Agent": "penstock"}
    try:
        with (
            httpx.Client(timeout=TIMEOUT_S, follow_redirects=False) as client,
            answered_within(client, TIMEOUT_S),
            client.stream("POST", request.url, content=request.body, headers=headers) as answer,
        ):
            content = b""
            for chunk in plain_chunks(answer):
                content += chunk
                if len(content) > MAX_ANSWER_BYTES:
                    return ChatFault("the answer does not end; the message may have arrived"), 0.0
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        return ChatFault(f"cannot be reached: {error}", again=True), PAUSE_S
    except (UnicodeError, OverflowError):  # ``a..b``, and a port beyond 65535
        return ChatFault("the address has a host or a port that none has"), 0.0
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = str(error) or type(error).__name__
        return ChatFault(f"no answer: {reason}; the message may have arrived"), 0.0
    asked = answer.headers.get("retry-after", "")
    wait_s = float(asked) if asked.isdecimal() and len(asked) < 8 else PAUSE_S
    fault = chat.fault(answer.status_code, content)
    return replace(fault, refused=not fault.again) if fault is not None else ChatFault(""), wait_s


def _without(said: str, secrets: tuple[str, ...]) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        said = said.replace(secret, "***")
    return one_line(" ".join(said.split()))[:MAX_SAID]
