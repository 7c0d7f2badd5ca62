"""How long a card was held, how long it was used, and who waited for it."""

from __future__ import annotations

import itertools
import re
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from tests.e2e.api import Api
from tests.e2e.pods import Pod

from penstock.bundle.directory import Bundle

PULLED = re.compile(r'Successfully pulled image "[^"]*" in (?:(\d+)m)?([\d.]+)(m?s)')
NO_CARD = "Insufficient nvidia.com/gpu"


@dataclass(frozen=True)
class Holding:
    """One pod that held a card."""

    pod: str
    run: str
    since: datetime
    until: datetime
    pull_s: float
    """How long the node fetched its images meanwhile: 0 on warm images."""
    waited: bool
    """Whether it had to wait for the card."""

    @property
    def held_s(self) -> float:
        """From its place on the node to its last container's end."""
        return (self.until - self.since).total_seconds()

    def to_json(self) -> dict[str, Any]:
        """For the result file."""
        times = {"since": self.since.isoformat(), "until": self.until.isoformat(), "held_s": self.held_s}
        return asdict(self) | times


def holding(api: Api, pod: Pod) -> Holding:
    """What the pod's times and events say. Raises AssertionError for a pod that has not ended."""
    assert pod.scheduled, f"{pod.name} never got a place"
    assert pod.finished, f"{pod.name} has not ended"
    events = api.list(api.collection("events"), fieldSelector=f"involvedObject.uid={pod.uid}")
    messages = [event.get("message", "") for event in events]
    waited = any(NO_CARD in text for text in [*messages, *pod.waited_for])
    return Holding(pod.name, pod.run, pod.scheduled, pod.finished, sum(map(_pull_s, messages)), waited)


def _pull_s(message: str) -> float:
    match = PULLED.match(message)
    if match is None:
        return 0.0
    seconds = float(match[2]) / (1000 if match[3] == "ms" else 1)
    return 60 * int(match[1] or 0) + seconds


def overlaps(holdings: list[Holding]) -> list[str]:
    """Pairs that held a card at the same time, beyond the second to which times are known."""
    ordered = sorted(holdings, key=lambda item: item.since)
    return [
        f"{late.pod} got it at {late.since:%X}, {early.pod} had it until {early.until:%X}"
        for early, late in itertools.pairwise(ordered)
        if (early.until - late.since).total_seconds() > 1
    ]


def inference_s(bundle: Bundle) -> float:
    """How long the model was in use, over all shards: what ``collect`` recorded in ``run.json``."""
    inference = bundle.run().inference
    assert inference is not None
    return inference.used_s
