"""What a contract's ``load`` says against its call, suite and policy; and the cases that are sent."""

from __future__ import annotations

import math
from collections.abc import Iterator

from penstock.contract.faults import Fault, fault_at
from penstock.contract.http_call import Http
from penstock.contract.models import Case, Contract, Suite
from penstock.contract.policy import Rule
from penstock.contract.request import calls_of
from penstock.contract.serving import MAX_LOAD_SECONDS, Load
from penstock.families.engine_metrics import (
    FILE_GROWTH,
    GPU_MEMORY_GROWTH,
    LOAD_METRICS,
    LOAD_QUANTILES,
    MEMORY_GROWTH,
    SATURATED,
    at_rate,
    base_metric,
    rate_of,
)
from penstock.families.registry import did_you_mean, is_timed
from penstock.foundation.errors import UsageError
from penstock.foundation.order_statistics import values_needed
from penstock.foundation.yaml_text import Document, KeyPath

_NAMES = frozenset(metric.name for metric in LOAD_METRICS)
_QUANTILES = {metric.name: metric.quantile for metric in LOAD_QUANTILES if metric.quantile is not None}
_FIELDS = {
    **{metric.name: "concurrency: 8" for metric in SATURATED},
    "throughput": "concurrency: 8",
    "overload": "twice: true",
    "stop_lost": "stop: true",
    "recovered": "recover: true",
    "oom_recovered": "oom: true",
    "mixed_answers": "together: true",
}


def sent_calls(load: Load, http: Http, case: Case) -> list[str]:
    """Names of the calls that are sent of a case: those that it takes, or of these the one that ``load`` names."""
    return [name for name in calls_of(http, case) if load.call in (None, name)]


def sent_cases(load: Load, suite: Suite, http: Http) -> list[Case]:
    """The cases whose requests are sent in turn: those that the model must answer, of the slice that ``load`` names,
    with a call to send.

    Raises:
        UsageError: no case carries the slice, the model must answer none, or none takes the call.
    """
    found = [case for case in suite.only(load.slice or "").cases if case.expect is None]
    if not found:
        raise UsageError("requests are made of cases that the model must answer, and there is none")
    if not (sent := [case for case in found if sent_calls(load, http, case)]):
        said = f"the call '{load.call}'" if load.call is not None else "any of the contract's calls"
        raise UsageError(f"no case takes {said}")
    return sent


def load_faults(contract: Contract, suite: Suite | None, document: Document) -> Iterator[Fault]:
    """A load without a service, a case or call that there is not, and rules that what is measured cannot answer."""
    load = contract.load
    yield from _confidence_faults(contract, document)
    if load is None:
        for place, rule in enumerate(contract.policy.rules):
            if base_metric(rule.metric) in _NAMES:
                what = f"'{rule.metric}' is measured under load, and the contract has no 'load'"
                todo = "Write a section 'load', such as 'load: {rate: 5}', or leave the rule out."
                yield fault_at(document, ("policy", "rules", place, "metric"), what, todo=todo)
        return
    for rate in load.rate:
        if load.requests(rate) < 1:
            what = f"'load' puts no request: {rate:.12g} a second for {load.seconds:.12g} s"
            yield fault_at(document, ("load", "rate"), what, todo="Raise 'rate', or 'seconds'.")
    http = contract.call.http
    if http is None:
        what = "a program takes no requests: 'load' goes with 'call.http'"
        yield fault_at(document, ("load",), what, todo="Leave it out.")
    elif load.call is not None and load.call not in http.calls:
        what = f"there is no call '{load.call}'"
        yield fault_at(document, ("load", "call"), what, todo=did_you_mean(load.call, tuple(http.calls)))
    if suite is not None and http is not None and load.call in (None, *http.calls):
        try:
            sent_cases(load, suite, http)
        except UsageError as error:
            field = ("slice",) if load.slice is not None else ()
            yield fault_at(document, ("load", *field), error.what, todo=error.todo)
    for place, rule in enumerate(contract.policy.rules):
        if base_metric(rule.metric) in _NAMES:
            yield from _rule_faults(contract, load, rule, document, ("policy", "rules", place))


def _rule_faults(contract: Contract, load: Load, rule: Rule, document: Document, place: KeyPath) -> Iterator[Fault]:
    if rule.metric not in load.measured:
        what = f"'{rule.metric}' is not measured: 'load' leaves it out"
        todo = f"Write '{_FIELDS[rule.metric]}' into 'load'." if rule.metric in _FIELDS else _rate_advice(load, rule)
        yield fault_at(document, (*place, "metric"), what, todo=todo)
    quantile = _QUANTILES.get(base_metric(rule.metric))
    if rule.confidence is not None and quantile is not None:
        needed = values_needed(quantile, rule.confidence)
        rate = rate_of(rule.metric) or load.made_for
        if load.requests(rate) < needed:
            what = (
                f"a maximum of '{rule.metric}' with {rule.confidence * 100:.12g} % confidence needs at least {needed} "
                f"requests, and 'load' puts {load.requests(rate)}"
            )
            todo = f"Raise the rate of 'load': in its longest time, {MAX_LOAD_SECONDS} s, they are too few."
            if (seconds := needed / rate) <= MAX_LOAD_SECONDS:
                todo = f"Write 'seconds: {math.ceil(seconds)}' into 'load', or raise its rate."
            yield fault_at(document, (*place, "confidence"), what, todo=todo)
    if rule.margin is not None and contract.policy.baseline == "stored" and is_timed(rule.metric):
        what = f"'{rule.metric}' measures the machine as well: the release's stored value may be of another one"
        todo = "Write 'baseline: rerun' into the policy: both models are put under load in turns."
        yield fault_at(document, (*place, "margin"), what, todo=todo, warning=True)


def _rate_advice(load: Load, rule: Rule) -> str:
    """What to do about a rule for a rate that is not put."""
    base = base_metric(rule.metric)
    if rate_of(rule.metric) == load.made_for:
        return f"At the first rate it is '{base}'."
    others = ", ".join(at_rate(base, rate) for rate in load.rate[1:])
    put = f"Rates that are put have {base} (the first){', ' if others else ''}{others}."
    return f"{put} Write 'rate: [{', '.join(f'{rate:.12g}' for rate in (*load.rate, rate_of(rule.metric)))}]'."


def _confidence_faults(contract: Contract, document: Document) -> Iterator[Fault]:
    """Rules with a confidence, for metrics of which no upper bound is known."""
    known = (*_QUANTILES, MEMORY_GROWTH, GPU_MEMORY_GROWTH, FILE_GROWTH)
    for place, rule in enumerate(contract.policy.rules):
        if rule.confidence is not None and base_metric(rule.metric) not in known:
            what = f"no upper bound of '{rule.metric}' is known: 'confidence' is for {', '.join(known)}"
            yield fault_at(document, ("policy", "rules", place, "confidence"), what, todo="Leave 'confidence' out.")
