"""Evidence from Prometheus: counters by ``/api/v1/query_range``, and what they counted in each stretch.

The counters themselves are asked for, not their ``rate()``: that loses what a series counted before its first sample,
and the first error of a status is just that.
"""

from __future__ import annotations

import email.utils
import math
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import httpx
import numpy as np

from penstock.foundation.errors import one_line
from penstock.foundation.strict_json import JsonError, read_json
from penstock.watch.counters import CounterSeries, count_increments, is_error, sum_of
from penstock.watch.evidence import EvidenceError, LatencyCounts, LiveEvidence, NoTrafficError
from penstock.watch.sequential import EventCounts, Floats
from penstock.watch.watch_policy import PrometheusSource, SideSelectors

MAX_ANSWER_BYTES: Final = 32 << 20
MAX_SERIES: Final = 5000
_QUERIES: Final = 6
_CLOCK_SLACK_S: Final = 30.0


class PrometheusEvidence:
    """The counters of both sides.

    Args:
        source: where they are.
        latency: whether they are asked for.
        feedback: likewise.
    """

    def __init__(self, source: PrometheusSource, *, latency: bool, feedback: bool) -> None:
        self._source, self._latency, self._feedback = source, latency, feedback

    def read(self, *, start: float, now: float, stretch_s: float) -> LiveEvidence:
        """The evidence from ``start`` (Unix seconds, after the warm-up) until ``now``.

        Raises:
            EvidenceError: there is none, or what there is cannot be used: Prometheus is gone or refuses, no series, no
                status, too large an answer, a clock that differs.
        """
        stretches = int((now - start) // stretch_s)
        if stretches < 1:
            raise EvidenceError("the warm-up and the first stretch are not over yet")
        return _within(_QUERIES * self._source.timeout_s, lambda: self._read(start, stretch_s, stretches))

    def _read(self, start: float, stretch_s: float, stretches: int) -> LiveEvidence:
        with httpx.Client(trust_env=False, follow_redirects=False, timeout=self._source.timeout_s) as client:
            query = _RangeQuery(client, self._source, start, stretch_s, stretches)
            canary, stable = self._sides(query)
        return _evidence(canary, stable, start, stretch_s)

    def _sides(self, query: _RangeQuery) -> tuple[_Side, _Side]:
        """Canary and stable side. A canary that is not counted at all has no traffic only if the stable side is."""
        canary, silent = None, None
        try:
            canary = _Side(query, self._source.canary, self)
        except NoTrafficError as error:
            silent = error
        try:
            stable = _Side(query, self._source.stable, self)
        except NoTrafficError as error:
            raise EvidenceError(f"{silent or error}{'; nor any of the stable side' if silent else ''}") from error
        if canary is None:
            raise silent or AssertionError
        return canary, stable

    @property
    def status_label(self) -> str:
        """The label that holds the status."""
        return self._source.status_label

    @property
    def to_ms(self) -> float:
        """From the histogram's unit to milliseconds."""
        return 1000.0 if self._source.latency_unit == "s" else 1.0

    @property
    def wants_latency(self) -> bool:
        """Whether latency is asked for."""
        return self._latency

    @property
    def wants_feedback(self) -> bool:
        """Whether feedback is asked for."""
        return self._feedback


def _within(seconds: float, work: Callable[[], LiveEvidence]) -> LiveEvidence:
    """What ``work`` returns, or an error after so long.

    A name that does not resolve, and an answer whose head comes byte by byte, have no time limit of their own.
    """
    done: queue.SimpleQueue[LiveEvidence | BaseException] = queue.SimpleQueue()

    def run() -> None:
        try:
            done.put(work())
        except BaseException as error:
            done.put(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        found = done.get(timeout=seconds)
    except queue.Empty:
        raise EvidenceError(f"Prometheus: no whole answer in {seconds:g} s") from None
    if isinstance(found, BaseException):
        raise found
    return found


class _RangeQuery:
    """Asking for one selector at the ends of the stretches."""

    def __init__(
        self, client: httpx.Client, source: PrometheusSource, start: float, step: float, stretches: int
    ) -> None:
        self._client, self._source = client, source
        self._start, self._step, self.stretches = start, step, stretches

    def __call__(self, selector: str) -> list[CounterSeries]:
        where = f"Prometheus, {one_line(selector)[:200]}"
        content = self._fetch(selector, where)
        data = content.get("data") if isinstance(content, dict) else None
        if not isinstance(data, dict) or content.get("status") != "success" or data.get("resultType") != "matrix":
            said = one_line(str(content.get("error", "")))[:200] if isinstance(content, dict) else ""
            raise EvidenceError(f"{where}: it gave no matrix{f': {said}' if said else ''}")
        if partial := content.get("warnings"):  # as Thanos says that a store of it did not answer
            raise EvidenceError(f"{where}: its answer may be partial: {one_line(str(partial))[:200]}")
        result = data.get("result")
        if not isinstance(result, list) or len(result) > MAX_SERIES:
            raise EvidenceError(f"{where}: there are over {MAX_SERIES} series; narrow the selector")
        if not result:
            raise NoTrafficError(f"{where}: no series matches it")
        try:
            return [self._series(one) for one in result]
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
            raise EvidenceError(f"{where}: its answer is not what /api/v1/query_range gives") from error

    def _series(self, one: dict[str, Any]) -> CounterSeries:
        labels = {str(name): str(value) for name, value in one["metric"].items()}
        values = np.full(self.stretches + 1, math.nan)
        for moment, text in one["values"]:
            place = (float(moment) - self._start) / self._step
            if not -0.5 < place < self.stretches + 0.5:
                raise ValueError("a sample of another time")
            values[round(place)] = float(text)
        return CounterSeries(labels, values)

    def _fetch(self, selector: str, where: str) -> Any:
        end = self._start + self.stretches * self._step
        asked = {"query": selector, "start": f"{self._start:.3f}", "end": f"{end:.3f}", "step": f"{self._step:g}"}
        asked["timeout"] = f"{self._source.timeout_s:g}s"
        by, content = time.monotonic() + self._source.timeout_s, bytearray()
        try:
            with self._client.stream(
                "GET",
                f"{self._source.url.rstrip('/')}/api/v1/query_range",
                params=asked,
                headers={"Accept-Encoding": "identity"},  # unpacked, it would have no limit
            ) as answer:
                for chunk in answer.iter_raw():
                    content += chunk
                    if len(content) > MAX_ANSWER_BYTES:
                        raise EvidenceError(
                            f"{where}: the answer is over {MAX_ANSWER_BYTES >> 20} MiB; narrow the selector"
                        )
                    if time.monotonic() > by:
                        raise EvidenceError(f"{where}: no whole answer in {self._source.timeout_s:g} s")
        except httpx.TimeoutException as error:
            raise EvidenceError(f"{where}: no answer in {self._source.timeout_s:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise EvidenceError(
                f"{where}: not reached ({one_line(str(error))[:200] or type(error).__name__})"
            ) from error
        self._check_clock(answer, where)
        if answer.is_redirect:
            raise EvidenceError(f"{where}: it redirects; give its own address")
        try:
            found = read_json(bytes(content))
        except JsonError as error:
            raise EvidenceError(f"{where}: status {answer.status_code}, not JSON: {error}") from error
        if not answer.is_success:
            said = one_line(str(found.get("error", "")))[:200] if isinstance(found, dict) else ""
            raise EvidenceError(f"{where}: status {answer.status_code}{f', {said}' if said else ''}")
        return found

    def _check_clock(self, answer: httpx.Response, where: str) -> None:
        """Its clock says which samples belong to which stretch."""
        said = answer.headers.get("date")
        try:
            differs = email.utils.parsedate_to_datetime(said).timestamp() - time.time() if said else 0.0
        except (ValueError, OverflowError):
            return
        if abs(differs) > _CLOCK_SLACK_S + self._source.timeout_s:
            raise EvidenceError(f"{where}: its clock and ours differ by {abs(differs):.0f} s")


class _Side:
    """What one side counted."""

    def __init__(self, query: _RangeQuery, selectors: SideSelectors, wanted: PrometheusEvidence) -> None:
        series = query(selectors.requests)
        counted = count_increments(series)
        failed = []
        for one, increments in zip(series, counted.increments, strict=True):
            status = one.labels.get(wanted.status_label)
            if status is None:
                raise EvidenceError(f"{selectors.requests[:200]}: its series have no label '{wanted.status_label}'")
            if is_error(status):
                failed.append(increments)
        self.requests = np.where(counted.seen, sum_of(counted.increments, query.stretches), 0.0)
        self.failed = np.minimum(np.where(counted.seen, sum_of(failed, query.stretches), 0.0), self.requests)
        self.resets, self.unseen = counted.resets, int(np.count_nonzero(~counted.seen))
        self.bounds_ms: Floats | None = None
        self.buckets: Floats | None = None
        if wanted.wants_latency and selectors.latency is not None:
            self.bounds_ms, self.buckets = _histogram(query, selectors.latency, wanted.to_ms)
        self.asked = self.requests
        """Those whose users could complain: of stretches in which the counter of complaints was there."""
        self.complaints: Floats | None = None
        if wanted.wants_feedback and selectors.feedback is not None:
            said = count_increments(query(selectors.feedback))
            self.asked = np.where(said.seen, self.requests, 0.0)
            self.complaints = np.minimum(sum_of(said.increments, query.stretches), self.asked)


def _histogram(query: _RangeQuery, selector: str, to_ms: float) -> tuple[Floats, Floats]:
    """Bounds in milliseconds, and counts of shape (T, B + 1)."""
    series = query(selector)
    counted = count_increments(series)
    by_bound: dict[float, list[Floats]] = {}
    for one, increments in zip(series, counted.increments, strict=True):
        try:
            bound = float(one.labels.get("le", "nan"))
        except ValueError:
            bound = math.nan
        if math.isnan(bound):
            raise EvidenceError(
                f"{selector[:200]}: a series without the label 'le'; name the histogram's _bucket series"
            )
        by_bound.setdefault(bound, []).append(increments)
    bounds = sorted(by_bound)
    if bounds[-1] != math.inf or len(bounds) < 3 or bounds[0] <= 0:
        raise EvidenceError(f"{selector[:200]}: the histogram needs the bucket +Inf and two bounds above 0")
    below = np.stack([sum_of(by_bound[bound], query.stretches) for bound in bounds], axis=-1)
    counts = np.maximum(np.diff(below, axis=-1, prepend=0.0), 0.0)
    return np.array(bounds[:-1]) * to_ms, counts


def _evidence(canary: _Side, stable: _Side, start: float, stretch_s: float) -> LiveEvidence:
    latency = None
    if canary.bounds_ms is not None and stable.bounds_ms is not None:
        if not np.array_equal(canary.bounds_ms, stable.bounds_ms):
            raise EvidenceError("the two sides' latency histograms have different buckets")
        assert canary.buckets is not None  # noqa: S101 (they come together)
        assert stable.buckets is not None  # noqa: S101
        latency = LatencyCounts(canary.bounds_ms, canary.buckets, stable.buckets)
    feedback = None
    if canary.complaints is not None and stable.complaints is not None:
        feedback = EventCounts(canary.asked, canary.complaints, stable.asked, stable.complaints)
    return LiveEvidence(
        start,
        stretch_s,
        errors=EventCounts(canary.requests, canary.failed, stable.requests, stable.failed),
        latency=latency,
        feedback=feedback,
        canary_requests=int(canary.requests.sum()),
        notes=tuple(_notes("canary", canary) + _notes("stable side", stable)),
    )


def _notes(name: str, side: _Side) -> list[str]:
    found = []
    if side.resets:
        found.append(f"counters of the {name} fell {side.resets} times, to begin at 0 again: a pod was started anew")
    if side.unseen:
        found.append(f"Prometheus has nothing about the {name} for {side.unseen} of the stretches")
    return found
