"""How a service holds under load: ``load`` of the contract."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field, model_validator

from penstock.contract.http_call import CallName, Seconds
from penstock.contract.policy import Policy, Rule, Strict
from penstock.families.engine_metrics import (
    EARLY_READY,
    LOAD_DROPPED,
    LOAD_ERRORS,
    LOAD_METRICS,
    OVERLOAD,
    RECOVERED,
    STOP_LOST,
    THROUGHPUT,
)

MAX_LOAD_REQUESTS: Final = 200_000
"""Of one side; each is kept in the bundle."""
MAX_LOAD_SECONDS: Final = 3600


class Load(Strict):
    """What the step *load* puts to the service. Only ``rate`` has to be said."""

    rate: Annotated[float, Field(gt=0, le=2000, strict=True)]
    """Requests a second, sent when they are due, whether or not earlier ones are answered."""
    seconds: Annotated[float, Field(ge=1, le=MAX_LOAD_SECONDS, strict=True)] = 20.0
    """How long that is measured."""
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
    twice: bool = True
    """Put twice the rate, for a quarter of `seconds`: the service may refuse, it must not die."""
    stop: bool = True
    """Ask the service to end (SIGTERM) while requests are under way: none may be lost."""
    stop_s: Annotated[Seconds, Field(le=600)] = 30.0
    """How long it may take to end then."""
    recover: bool = True
    """End it at once (`kill -9`), and start it again on what it has left: it must answer again."""

    @model_validator(mode="after")
    def _not_too_many(self) -> Load:
        if (count := self.rate * (self.seconds + self.warmup_s)) > MAX_LOAD_REQUESTS:
            raise ValueError(
                f"these are {count:,.0f} requests; at most {MAX_LOAD_REQUESTS:,} are put: lower 'rate' or 'seconds'"
            )
        return self

    @property
    def requests(self) -> int:
        """How many requests are measured."""
        return round(self.rate * self.seconds)

    @property
    def measured(self) -> tuple[str, ...]:
        """Names of the metrics that come of it."""
        left_out = {
            THROUGHPUT: self.concurrency is None,
            OVERLOAD: not self.twice,
            STOP_LOST: not self.stop,
            RECOVERED: not self.recover,
        }
        return tuple(metric.name for metric in LOAD_METRICS if not left_out.get(metric.name, False))


def with_load_rules(policy: Policy, load: Load | None) -> Policy:
    """The policy of a contract, with the rules that every service has to hold, as far as it has none of its own.

    A service must not say that it is ready when it is not, must answer every request at the rate that it is made for,
    bear twice that, lose nothing when it is stopped, and come back after it was killed.
    ``{metric: stop_lost, max: 0, severity: warn}`` lets one of them only warn.
    """
    if load is None:
        return policy
    given = {rule.metric for rule in policy.rules}
    rules = [
        Rule(metric=RECOVERED, min=1.0) if name == RECOVERED else Rule(metric=name, max=0.0)
        for name in (
            *(EARLY_READY, LOAD_ERRORS, LOAD_DROPPED),
            *(OVERLOAD, STOP_LOST, RECOVERED),
        )
        if name in load.measured and name not in given
    ]
    return policy.model_copy(update={"rules": [*policy.rules, *rules]})
