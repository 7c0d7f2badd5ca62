"""Whether the controller of Argo Rollouts still works: it has to write something within a known time, or it is gone."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from penstock.targets.go_duration import seconds_of
from penstock.targets.pod_template import Json
from penstock.targets.waiting import NotServingError

SILENT_S = 60.0
"""So much later than it has to write, it is taken for gone. A restart takes less."""
PROGRESS_S = 600.0
"""``progressDeadlineSeconds`` of a Rollout that says none."""


class ControllerSilentError(NotServingError):
    """The controller does nothing any more: a canary is neither decided nor stopped, nor taken back."""


class ControllerPulse:
    """Looked at from time to time. It goes by our clock alone, and by whether what the controller writes changes.

    Args:
        now: seconds, of a clock that only goes on.
        where: the target, for messages.
    """

    def __init__(self, *, where: str, now: Callable[[], float] = time.monotonic) -> None:
        self._where, self._now = where, now
        self._written: str | None = None
        self._since = 0.0

    def look(self, written: object, within_s: float | None, what: str) -> None:
        """Note what the controller has written last.

        Args:
            written: what changes when it works; as JSON has it.
            within_s: how long it may take to write something else; ``None``: as long as it likes.
            what: it has not done, if it is gone: ``seen the change``.

        Raises:
            ControllerSilentError: it is gone.
        """
        # what it is waited for belongs to it: the clock begins anew with another thing to wait for
        said = json.dumps([what, written], sort_keys=True)
        if said != self._written or within_s is None:
            self._written, self._since = said, self._now()
            return
        silent = self._now() - self._since
        if silent > within_s + SILENT_S:
            raise ControllerSilentError(
                f"the controller of Argo Rollouts has not {what} for {silent:.0f} s: it does not run, or hangs",
                where=self._where,
                todo="Start it again; until then no canary is decided, and nothing is taken back.",
            )


def measured(run: Json) -> tuple[object, float]:
    """What an AnalysisRun has measured, and how many seconds it may take until it has measured again.

    Args:
        run: as the API server keeps it.
    """
    results = (run.get("status") or {}).get("metricResults") or []
    counts = [[one.get("name"), one.get("count"), one.get("error"), one.get("phase")] for one in results]
    metrics = (run.get("spec") or {}).get("metrics") or []
    longest = 0.0
    for metric in metrics:
        provider = metric.get("provider") or {}
        web = provider.get("web") or {}
        # an interval that cannot be read is a wait without an end, and no reason to take the controller for gone
        every = seconds_of(metric.get("interval") or 0)
        delay = seconds_of(metric.get("initialDelay") or 0)
        # a Job takes as long as it takes, and writes nothing until it has ended
        within = float("inf") if "job" in provider else float(web.get("timeoutSeconds") or 10)
        longest = max(longest, every + within, delay)
    return counts, longest
