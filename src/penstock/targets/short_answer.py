"""One HTTP request whose answer is short: limited in time and size, redirects not followed."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import httpx

from penstock.foundation.errors import one_line
from penstock.foundation.whole_answer import PLAIN, answered_within, plain_chunks

MAX_ANSWER_BYTES = 256 << 10


class NoShortAnswerError(Exception):
    """Nothing came that could be an answer: trying again may help."""


@dataclass(frozen=True)
class ShortAnswer:
    """What came back."""

    status: int
    content: bytes


def ask(
    method: str,
    url: str,
    *,
    timeout_s: float,
    content: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> ShortAnswer:
    """Send one request, and read its answer.

    Args:
        method: ``GET`` or ``POST``.
        url: where; a proxy of the environment is used as programs do.
        timeout_s: for all of it.
        content: what is sent.
        headers: beside those of every request.

    Raises:
        NoShortAnswerError: it cannot be reached, takes too long, or the answer is larger than 256 KiB.
    """
    try:
        with (
            httpx.Client(timeout=timeout_s, follow_redirects=False, verify=_trusted()) as client,
            answered_within(client, timeout_s),
            client.stream(method, url, content=content, headers={**PLAIN, **(headers or {})}) as answer,
        ):
            read = bytearray()
            for chunk in plain_chunks(answer):
                read += chunk
                if len(read) > MAX_ANSWER_BYTES:
                    raise NoShortAnswerError(f"its answer is larger than {MAX_ANSWER_BYTES >> 10} KiB")
            return ShortAnswer(answer.status_code, bytes(read))
    except (httpx.TimeoutException, httpx.InvalidURL) as error:
        late = f"it did not answer within {timeout_s:g} s"
        raise NoShortAnswerError("the address is not valid" if isinstance(error, httpx.InvalidURL) else late) from None
    except UnicodeError:  # of a name that cannot be a host's: a part of it is empty or too long
        raise NoShortAnswerError("the address is not valid") from None
    except (httpx.HTTPError, OSError) as error:
        raise NoShortAnswerError(one_line(str(error) or type(error).__name__)[:300]) from None


@cache
def _trusted() -> ssl.SSLContext:
    """Read once: a target is looked at every few seconds."""
    return httpx.create_ssl_context()
