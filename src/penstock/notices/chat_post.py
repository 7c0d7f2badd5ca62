"""A message posted to a chat's robot: within a time and a size, without redirects, again where that may help."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx

from penstock.foundation.errors import one_line
from penstock.foundation.whole_answer import PLAIN, answered_within, plain_chunks
from penstock.notices.chats import Chat, ChatFault
from penstock.notices.notice import Notice

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
    fault = ChatFault("not sent")
    for attempt in range(TRIES):
        fault, wait_s = _post_once(chat, notice, now())
        if not fault.said or not fault.again or attempt == TRIES - 1 or wait_s > LONGEST_WAIT_S:
            break
        sleep(wait_s)
    return _without(fault.said, chat.secrets)


def _post_once(chat: Chat, notice: Notice, now: float) -> tuple[ChatFault, float]:
    """The fault, an empty one if there is none, and how long to wait before the next try."""
    request = chat.request(notice, now)
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
    return chat.fault(answer.status_code, content) or ChatFault(""), wait_s


def _without(said: str, secrets: tuple[str, ...]) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        said = said.replace(secret, "***")
    return one_line(" ".join(said.split()))[:MAX_SAID]
