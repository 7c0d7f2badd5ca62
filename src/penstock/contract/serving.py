"""How a service holds under load: ``load`` of the contract."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

from pydantic import Field, field_validator, model_validator

from penstock.contract.http_call import CallName, Seconds
from penstock.contract.policy import Policy, Rule, Strict
from penstock.families.engine_metrics import (
    EARLY_READY,
    LOAD_DROPPED,
    LOAD_ERRORS,
    LOAD_METRICS,
    MIXED_ANSWERS,
    OOM_RECOVERED,
    OVERLOAD,
    RATE_METRICS,
    RECOVERED,
    SATURATED,
    STOP_LOST,
    THROUGHPUT,
    at_rate,
)

MAX_LOAD_REQUESTS: Final = 200_000
"""Of one side; each is kept in the bundle."""
MAX_LOAD_SECONDS: Final = 3600


MAX_RATES: Final = 8
MAX_PUT_SECONDS: Final = 3 * 3600
"""Of all rates together: the step's limit is twice that."""
Rate = Annotated[float, Field(gt=0, le=2000, strict=True)]


class Load(Strict):
    """What the step *load* puts to the service. Only ``rate`` has to be said."""

    rate: Annotated[list[Rate], Field(min_length=1, max_length=MAX_RATES)]
    """Requests a second, sent when they are due, whether or not earlier ones are answered. Of several the first is the
    one that the service is made for: all but the latencies is measured at that one."""
    seconds: Annotated[float, Field(ge=1, le=MAX_LOAD_SECONDS, strict=True)] = 20.0
    """How long each rate is measured."""
    warmup_s: Annotated[float, Field(ge=0, le=600, strict=True)] = 2.0
    """Before that, for so long, at the same rate, unmeasured."""
    timeout_s: Annotated[Seconds, Field(le=600)] = 10.0
    """For one request, from the moment at which it is due."""
    slice: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    """Only the cases that carry this slice are sent; left out, all that the model must answer."""
    call: CallName | None = None
    """Which of `call.http.calls` is made; left out, all of them in turn."""
    concurrency: Annotated[int, Field(ge=1, le=1000, strict=True)] | None = None
    """So many requests at a time, for a quarter of `seconds`: the throughput at saturation. Left out, not measured."""
    together: bool = True
    """Put different requests at the same time: each must get the answer that it gets alone, or be refused."""
    twice: bool = True
    """Put twice the rate, for a quarter of `seconds`: the service may refuse, it must not die."""
    stop: bool = True
    """Ask the service to end (SIGTERM) while requests are under way: none may be lost."""
    stop_s: Annotated[Seconds, Field(le=600)] = 30.0
    """How long it may take to end then."""
    recover: bool = True
    """End it at once (`kill -9`), and start it again on what it has left: it must answer again."""
    oom: bool = True
    """Kill its largest process in the middle of a request, as the kernel does when memory runs out: it must answer
    again."""

    @field_validator("rate", mode="before", json_schema_input_type=Rate | list[Rate])
    @classmethod
    def _one_or_several(cls, value: object) -> object:
        return value if isinstance(value, list) else [value]

    @model_validator(mode="after")
    def _not_too_many(self) -> Load:
        if len(set(map(_shown, self.rate))) < len(self.rate):
            raise ValueError("'rate' has a number twice: each is put once")
        each = self.seconds + self.warmup_s
        if (count := sum(self.rate) * each) > MAX_LOAD_REQUESTS:
            raise ValueError(
                f"these are {count:,.0f} requests; at most {MAX_LOAD_REQUESTS:,} are put: lower 'rate' or 'seconds'"
            )
        if len(self.rate) * each > MAX_PUT_SECONDS:
            raise ValueError(
                f"{len(self.rate)} rates take {len(self.rate) * each:,.0f} seconds; at most {MAX_PUT_SECONDS:,} are "
                "put: lower 'seconds', or leave rates out"
            )
        return self

    @property
    def made_for(self) -> float:
        """The rate that the service is made for."""
        return self.rate[0]

    def requests(self, rate: float) -> int:
        """How many requests are measured at a rate."""
        return round(rate * self.seconds)

    @property
    def words(self) -> str:
        """``2, 5 and 10 requests a second, each for 20 s``."""
        return rate_words(self.rate, self.seconds)

    @property
    def measured(self) -> tuple[str, ...]:
        """Names of the metrics that come of it."""
        left_out = {
            **{metric.name: self.concurrency is None for metric in SATURATED},
            THROUGHPUT: self.concurrency is None,
            OVERLOAD: not self.twice,
            STOP_LOST: not self.stop,
            RECOVERED: not self.recover,
            OOM_RECOVERED: not self.oom,
            MIXED_ANSWERS: not self.together,
        }
        others = [at_rate(metric.name, rate) for rate in self.rate[1:] for metric in RATE_METRICS]
        return (*(metric.name for metric in LOAD_METRICS if not left_out.get(metric.name, False)), *others)


def rate_words(rates: Sequence[float], seconds: float) -> str:
    """Rates in words."""
    *first, last = map(_shown, rates)
    if not first:
        return f"{last} requests a second for {seconds:g} s"
    return f"{', '.join(first)} and {last} requests a second, each for {seconds:g} s"


def _shown(rate: float) -> str:
    return f"{rate:.12g}"


def with_load_rules(policy: Policy, load: Load | None) -> Policy:
    """The policy of a contract, with the rules that every service has to hold, as far as it has none of its own.

    A service must not say that it is ready when it is not, must answer every request at the rate that it is made for,
    give each request its own answer, bear twice that, lose nothing when it is stopped, and come back after it was
    killed, or memory ran out.
    ``{metric: stop_lost, max: 0, severity: warn}`` lets one of them only warn.
    """
    if load is None:
        return policy
    given = {rule.metric for rule in policy.rules}
    rules = [
        Rule(metric=name, min=1.0) if name in (RECOVERED, OOM_RECOVERED) else Rule(metric=name, max=0.0)
        for name in (
            *(EARLY_READY, LOAD_ERRORS, LOAD_DROPPED, MIXED_ANSWERS),
            *(OVERLOAD, STOP_LOST, RECOVERED, OOM_RECOVERED),
        )
        if name in load.measured and name not in given
    ]
    return policy.model_copy(update={"rules": [*policy.rules, *rules]})
