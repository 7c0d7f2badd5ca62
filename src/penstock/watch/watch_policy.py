"""What a watch is asked: which signals, which margins, how long, and where the evidence is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, field_validator, model_validator

from penstock.contract.load import load_file
from penstock.contract.policy import Strict
from penstock.watch.probe_policy import ProbePolicy

SignalName = Literal["errors", "latency", "feedback"]
MAX_STRETCHES: Final = 3000
"""A watch of so many stretches at most: two days of minutes."""
Selector = Annotated[str, Field(min_length=1, max_length=2000)]
_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")


class CountMargin(Strict):
    """How many more errors, or complaints, a canary may have."""

    ratio: Annotated[float, Field(gt=1.0, le=10.0, strict=True)] = 2.0
    """A canary with so many times the stable side's events is bad; one that surely has fewer is good."""
    harmless: Annotated[float, Field(ge=0.0, lt=1.0, strict=True)] = 0.001
    """A share of requests: a canary that surely has fewer events than this is good, whatever the stable side has."""


class LatencyMargin(Strict):
    """How much slower a canary may be."""

    ratio: Annotated[float, Field(ge=1.1, le=10.0, strict=True)] = 1.5
    """A canary whose P95 is so many times the stable side's is bad: 1.5 is 50 % more."""


class WatchedSignals(Strict):
    """What is looked at. A signal that is left out is not."""

    errors: CountMargin | None = None
    latency: LatencyMargin | None = None
    feedback: CountMargin | None = None

    @property
    def names(self) -> list[SignalName]:
        """Those that are watched."""
        every: tuple[SignalName, ...] = ("errors", "latency", "feedback")
        return [name for name in every if getattr(self, name) is not None]


class SideSelectors(Strict):
    """Where Prometheus has the counters of one side: series selectors, without functions around them."""

    requests: Selector
    """A counter of requests with a label that holds the status."""
    latency: Selector | None = None
    """A histogram's ``_bucket`` series."""
    feedback: Selector | None = None
    """A counter of complaints."""

    @field_validator("requests", "latency", "feedback")
    @classmethod
    def _is_a_selector(cls, value: str | None) -> str | None:
        if value is None:
            return value
        name, brace, rest = value.strip().partition("{")
        if not _METRIC.fullmatch(name.strip()) or (brace and not rest.rstrip().endswith("}")):
            raise ValueError(
                'write a selector such as requests_total{service="canary"}, without rate(), sum() or a range'
            )
        return value.strip()


class PrometheusSource(Strict):
    """Where the counters are."""

    url: Annotated[str, Field(pattern=r"^https?://[^\s@?#]+$", max_length=500)]
    """Its address, without ``/api/v1``."""
    canary: SideSelectors
    stable: SideSelectors
    status_label: Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")] = "code"
    """The label of ``requests`` that holds the HTTP status; 500 and above are errors."""
    latency_unit: Literal["s", "ms"] = "s"
    """Of the histogram's bounds."""
    timeout_s: Annotated[float, Field(gt=0.0, le=120.0, strict=True)] = 10.0
    """For one query."""


class WatchPolicy(Strict):
    """How a canary is judged on live evidence."""

    signals: WatchedSignals = WatchedSignals()
    """Of users' requests; none: probes alone decide."""
    level: Annotated[float, Field(gt=0.0, lt=0.5, strict=True)] = 0.05
    """The share of unchanged canaries that may be stopped, all signals together."""
    risk: Annotated[float, Field(gt=0.0, lt=0.5, strict=True)] = 0.02
    """The share of canaries, worse by a margin, that may be promoted."""
    stretch_s: Annotated[float, Field(ge=1.0, le=3600.0, strict=True)] = 60.0
    """Events are counted by stretches of so many seconds."""
    warm_up_s: Annotated[float, Field(ge=0.0, le=86_400.0, strict=True)] = 120.0
    """So long after the start of the canary nothing counts, on either side."""
    timeout_s: Annotated[float, Field(gt=0.0, le=604_800.0, strict=True)] = 7200.0
    """So long after the start of the canary what is not decided is inconclusive."""
    prometheus: PrometheusSource | None = None
    probes: ProbePolicy | None = None
    """Cases of the suite, put to both sides: where traffic is scarce."""

    @model_validator(mode="after")
    def _fits(self) -> WatchPolicy:
        if not self.signals.names and self.probes is None:
            raise ValueError("no signal is watched: name errors, latency or feedback, or write 'probes'")
        if not self.signals.names and self.prometheus is not None:
            raise ValueError("no signal of 'prometheus' is watched: name errors, latency or feedback in 'signals'")
        if (self.timeout_s - self.warm_up_s) / self.stretch_s > MAX_STRETCHES:
            raise ValueError(f"timeout_s holds more than {MAX_STRETCHES} stretches: raise stretch_s")
        if self.timeout_s - self.warm_up_s < 4 * self.stretch_s:
            raise ValueError("between warm_up_s and timeout_s there are fewer than 4 stretches: raise timeout_s")
        if self.prometheus is not None:
            for side in (self.prometheus.canary, self.prometheus.stable):
                for name in ("latency", "feedback"):
                    if name in self.signals.names and getattr(side, name) is None:
                        raise ValueError(f"'{name}' is watched, but a side in 'prometheus' names no counter for it")
        return self


def load_watch_policy(path: Path) -> WatchPolicy:
    """The policy in a file.

    Raises:
        UsageError: ``where`` is ``FILE:LINE: field.path``.
    """
    return load_file(path, WatchPolicy)
