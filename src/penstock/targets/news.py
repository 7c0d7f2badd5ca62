"""What becomes of a release on its way to its target, for those who are told: it waits for them, or has failed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

NewsEvent = Literal["needs you", "canary stopped", "inconclusive", "put back", "unknown"]
"""``needs you``: a canary waits for a person, and still serves some users. The others are ends, and what served before
serves again: ``canary stopped`` by its analysis or a person; ``inconclusive``, its time was over; ``put back`` for any
other reason. But ``unknown``: it could not be put back, so somebody has to look at what serves."""


@dataclass(frozen=True)
class News:
    """One of these, about one release."""

    event: NewsEvent
    model: str
    version: str
    run_id: str
    commit: str
    target: str
    reason: str
    """What was found, in words."""
    by: str
    """Who wanted it to be served."""
    serves: str | None
    """The version that is current, and stays so; ``None``: none is yet."""


Heard = Callable[[News], None]
"""Tells people. It raises nothing: what was done stays done, whether they hear of it or not."""


def unheard(news: News) -> None:
    """Nobody is told."""
