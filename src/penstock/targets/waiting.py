"""Waiting until a target serves what it was given: looking again and again, for a limited time."""

from __future__ import annotations

import time
from collections.abc import Callable

from penstock.foundation.errors import Inconclusive, WorldError, one_line


class NotServingError(WorldError):
    """The target did not come to serve the pair."""

    resumable = False


class ServesLateError(NotServingError):
    """Its time is over, and nothing has gone wrong that is known."""


class CanaryStoppedError(NotServingError):
    """Its analysis or a person has stopped it, or its pods came too late."""


class CanaryUndecidedError(Inconclusive):
    """There was not enough evidence, and nobody has decided in time: what was there is put back."""

    resumable = False


def wait_until_served(look: Callable[[], str], *, timeout_s: float, poll_s: float, where: str, what: str) -> None:
    """Look until nothing is missing any more; once at least.

    Args:
        look: says what is missing; empty once it serves. What it raises ends the wait.
        timeout_s: for so many seconds.
        poll_s: so many between two looks.
        where: the target, for the message.
        what: is waited for: ``sonic-lite 1.1.0``.

    Raises:
        ServesLateError: something was still missing at the end: what.
    """
    end = time.monotonic() + timeout_s
    while missing := look():
        left = end - time.monotonic()
        if left <= 0:
            raise ServesLateError(
                f"{what} does not serve after {timeout_s:g} s: {one_line(missing)[:300]}", where=where
            )
        time.sleep(min(poll_s, left))
