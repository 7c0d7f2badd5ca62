"""Limits for the whole of an HTTP exchange: its time, where those of httpx are for one read each, and its size."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

PLAIN = {"Accept-Encoding": "identity"}
"""A few bytes that are compressed more than once can become more than there is memory, before any of it is counted."""


@contextmanager
def answered_within(client: httpx.Client, seconds: float) -> Iterator[None]:
    """Close the client after so long: a server that sends a byte now and then would be waited for without end.

    That a name is looked up has no limit here; the system's resolver has its own.

    Args:
        client: for this exchange alone.
        seconds: from now until the last byte of the answer.

    Raises:
        httpx.ReadTimeout: it took longer; also if what was raised inside is another sign of it.
    """
    end = time.monotonic() + seconds
    closer = threading.Timer(seconds, client.close)
    closer.daemon = True
    closer.start()
    try:
        yield
    except (httpx.HTTPError, httpx.StreamError, RuntimeError, OSError):  # whichever the closed connection shows as
        if time.monotonic() < end:
            raise
        raise httpx.ReadTimeout(f"no whole answer within {seconds:g} s") from None
    finally:
        closer.cancel()


def plain_chunks(answer: httpx.Response) -> Iterator[bytes]:
    """The content of an answer to a request with :data:`PLAIN`, some KiB at a time, for the caller to count.

    Raises:
        httpx.DecodingError: it is compressed, which was not asked for.
    """
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise httpx.DecodingError("its answer is compressed, which was not asked for", request=answer.request)
    yield from answer.iter_raw(1 << 14)
