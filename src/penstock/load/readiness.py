"""Whether a service says that it is ready when it is, and not before."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from penstock.load.exchange import Exchange

PROBE_EVERY_S: Final = 0.05
PROBE_S: Final = 2.0
"""For one probe's answer, as a cluster's kubelet would wait some seconds."""


@dataclass(frozen=True)
class Readiness:
    """What was seen from the start on. Times are seconds from the beginning; ``None`` is never."""

    ready_s: float | None
    """When the probe first said that it is ready."""
    answered_s: float | None
    """When the first real request after that was answered well."""
    not_ready_statuses: tuple[int, ...]
    """What the probe answered before, each status once, in the order in which they came: 503 is right."""
    last_probe: Exchange
    first_real: Exchange | None
    """What came of the first real request."""

    @property
    def true_s(self) -> float | None:
        """From when on it was ready in truth: when it said so, or, where that was too early, when it answered."""
        return self.ready_s if self.first_real is not None and self.first_real.good else self.answered_s

    @property
    def too_early(self) -> bool:
        """Whether it said that it was ready, and the first real request got no good answer."""
        return self.first_real is not None and not self.first_real.good

    @property
    def problem(self) -> str:
        """What is wrong with it, in words; empty if nothing is."""
        if self.ready_s is None:
            return f"it did not become ready: {self.last_probe.message}"
        if self.first_real is None or not self.first_real.good:
            why = self.first_real.message if self.first_real is not None else "no real request was sent"
            return f"it said that it was ready after {self.ready_s:.1f} s, and was not: {why}"
        return ""


def watch_readiness(
    probe: Callable[[], Exchange],
    real: Callable[[], Exchange],
    *,
    ready_timeout_s: float,
    running: Callable[[], bool] = lambda: True,
) -> Readiness:
    """Probe a service that has just been started until it says that it is ready, and put a real request at once.

    The probe comes every 50 ms from the very beginning, so that a service that says too early that it is ready is
    caught: its first real answer is no good one. Then real requests go on until one is answered well.

    Args:
        probe: asks whether it is ready.
        real: puts a request to it that it is made for.
        ready_timeout_s: how long both may take together; what is under way then is waited for.
        running: whether to go on; false once the service has ended.
    """
    began = time.perf_counter()
    statuses: list[int] = []

    def over() -> bool:
        return time.perf_counter() - began >= ready_timeout_s or not running()

    while True:
        asked = time.perf_counter()
        found = probe()
        if found.good:
            break
        if found.status and found.status not in statuses:
            statuses.append(found.status)
        if over():
            return Readiness(None, None, tuple(statuses), found, None)
        time.sleep(max(0.0, asked + PROBE_EVERY_S - time.perf_counter()))
    ready_s = time.perf_counter() - began
    answer = first = real()
    while not answer.good and not over():
        time.sleep(PROBE_EVERY_S)
        answer = real()
    answered_s = time.perf_counter() - began if answer.good else None
    return Readiness(ready_s, answered_s, tuple(statuses), found, first)
