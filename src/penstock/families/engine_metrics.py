"""Metrics that belong to no family: of every call, of refusals, and of what a contract asks for beside its cases."""

from __future__ import annotations

import re
from dataclasses import replace

from penstock.families.family import Metric

CALL_METRICS = (
    Metric(
        *("latency", "latency", "s", "lower", 3),
        "Seconds from the request to the whole answer; lower is better.",
        timed=True,
    ),
    Metric(
        *("peak_memory", "peak memory", "MiB", "lower", 1),
        "The most main memory that the model held during a call; lower is better.",
        timed=True,
    ),
    Metric(
        *("gpu_memory", "GPU memory", "MiB", "lower", 1),
        "The most memory of the graphics card that the model held during a call; lower is better.",
        timed=True,
    ),
)
"""What is measured of every call, whatever the family."""

REFUSAL_METRIC = Metric(
    *("wrongly_accepted", "wrongly accepted", "", "lower", 2),
    "Whether a case that the model must refuse was accepted: 0 it was refused as expected, 1 it was accepted; "
    "the mean is the share that was accepted, and lower is better.",
)
"""The one metric of cases that the model must refuse, whatever the family; no other is measured of them."""

SCHEMA_METRIC = Metric(
    *("schema_breaks", "breaking changes of the answers", "", "lower", 0),
    "How many changes of the answers' schema break what reads the released model's answers: fields that are gone or "
    "missing now and then, types that were not there before; 0 is none.",
    whole_suite=True,
    needs_released=True,
    near_zero=True,
)
"""Of a family whose answers are JSON, if it lists it: see :mod:`penstock.evaluation.answer_schema`."""

PAGE_METRIC = Metric(
    *("page", "web page", "", "higher", 0),
    "Whether the model's own page gave the right result in a browser: 1 it did, 0 it did not.",
    whole_suite=True,
)
"""Of contracts with a ``page``, whatever the family: one value, which the step *browse* adds."""

EXPORT_METRIC = Metric(
    *("export", "exported model", "", "higher", 0),
    "Whether the exported model (ONNX) answers as the trained weights do, within the limits: 1 it does; 0 it does not, "
    "and the release goes on with the trained weights.",
    whole_suite=True,
)
"""Of contracts with an ``export``, whatever the family: one value, which the step *measure* adds."""

LOG_METRIC = Metric(
    *("log", "model's log", "", "higher", 0),
    "Whether the model's log has the fields that the contract asks for, a line for each call, and neither secrets nor "
    "pictures nor vectors: 1 it is right, 0 it is not.",
    whole_suite=True,
)
"""Of contracts with a ``log``, whatever the family: one value, which the step *measure* adds."""

ENVIRONMENT_METRIC = Metric(
    *("environment", "faults of the environment", "", "lower", 0),
    "What in the model's image cannot work as it is: CUDA, cuDNN or driver that do not fit a wheel, wheels for another "
    "Python, a locale that is not UTF-8; 0 is none.",
    whole_suite=True,
    near_zero=True,
)
ENVIRONMENT_WARNINGS = Metric(
    *("environment_warnings", "warnings of the environment", "", "lower", 0),
    "What in the model's image works here and need not elsewhere: it runs as root, sets no locale, has no health "
    "check, needs a network; 0 is none.",
    whole_suite=True,
    near_zero=True,
)
"""Of every release, whatever the family: two counts, of which the step *build* finds most, and *measure* the driver."""

LOAD_ERRORS, LOAD_DROPPED, THROUGHPUT = "load_errors", "load_dropped", "throughput"
REQUEST = "request"
STARTUP, EARLY_READY = "startup_s", "early_ready"
MEMORY_GROWTH, GPU_MEMORY_GROWTH, FILE_GROWTH = "memory_growth", "gpu_memory_growth", "file_growth"
OVERLOAD, STOP_LOST, RECOVERED = "overload", "stop_lost", "recovered"
MIXED_ANSWERS, OOM_RECOVERED = "mixed_answers", "oom_recovered"


def _load_quantile(name: str, title: str, quantile: float) -> Metric:
    share = f"{quantile:.0%} of the requests were answered" if quantile != 0.5 else "half of the requests were answered"
    return Metric(
        *(name, f"{title} under load", "ms", "lower", 1),
        f"Within so many milliseconds {share}, counted from the moment at which each was due, at the stated rate; a "
        "request without a good answer counts with the whole timeout; lower is better.",
        whole_suite=True,
        timed=True,
        quantile=quantile,
        over=REQUEST,
    )


LOAD_QUANTILES = (
    _load_quantile("load_p50_ms", "P50", 0.50),
    _load_quantile("load_p95_ms", "P95", 0.95),
    _load_quantile("load_p99_ms", "P99", 0.99),
)
RATE_METRICS = (
    *LOAD_QUANTILES,
    Metric(
        *(LOAD_ERRORS, "failed requests under load", "", "lower", 0),
        "How many requests at the stated rate came to no good answer (a status of 200 to 299); lower is better.",
        whole_suite=True,
    ),
    Metric(
        *(LOAD_DROPPED, "dropped requests under load", "", "lower", 0),
        "How many requests at the stated rate could not be sent before their time was over; lower is better.",
        whole_suite=True,
    ),
)
"""What is measured at each rate of a contract. At the first the names are these; :func:`at_rate` has the others."""


def _saturated(name: str, title: str, share: str) -> Metric:
    return Metric(
        *(name, f"{title} at saturation", "ms", "lower", 1),
        f"Within so many milliseconds {share} of the requests were answered with the stated number of them at a time; "
        "a request without a good answer counts with the whole timeout; lower is better.",
        whole_suite=True,
        timed=True,
    )


SATURATED = (
    _saturated("saturated_p50_ms", "P50", "half"),
    _saturated("saturated_p95_ms", "P95", "95%"),
    _saturated("saturated_p99_ms", "P99", "99%"),
)
LOAD_METRICS = (
    *RATE_METRICS,
    Metric(
        *(THROUGHPUT, "throughput", "/s", "higher", 1),
        "Good answers a second with the stated number of requests at a time; higher is better.",
        whole_suite=True,
        timed=True,
    ),
    *SATURATED,
    Metric(
        *(STARTUP, "start-up", "s", "lower", 2),
        "Seconds from the start of the service until it says that it is ready, and is; lower is better.",
        whole_suite=True,
        timed=True,
    ),
    Metric(
        *(EARLY_READY, "ready too early", "", "lower", 0),
        "Whether the service said that it was ready and then failed its first real request: 1 it did, 0 it did not.",
        whole_suite=True,
    ),
    Metric(
        *(MEMORY_GROWTH, "memory growth", "MiB / 1,000 requests", "lower", 2),
        "By how much the service's main memory grows with each 1,000 requests, over all of the load: a cache that is "
        "filled once is none; lower is better.",
        whole_suite=True,
        near_zero=True,
    ),
    Metric(
        *(GPU_MEMORY_GROWTH, "GPU memory growth", "MiB / 1,000 requests", "lower", 2),
        "By how much the graphics card's memory that the service holds grows with each 1,000 requests, over all of the "
        "load; it is measured where there is a card, and lower is better.",
        whole_suite=True,
        near_zero=True,
    ),
    Metric(
        *(FILE_GROWTH, "growth of files", "MiB / 1,000 requests", "lower", 2),
        "By how much the files that the service keeps grow with each 1,000 requests, over all of the load: logs that "
        "are not rotated, and temporary files that nobody removes; lower is better.",
        whole_suite=True,
        near_zero=True,
    ),
    Metric(
        *(MIXED_ANSWERS, "wrong answers at the same time", "", "lower", 0),
        "How many requests that were put at the same time as others got another answer than they get alone, refusals "
        "not counted; lower is better.",
        whole_suite=True,
    ),
    Metric(
        *(OVERLOAD, "failure at twice the load", "", "lower", 0),
        "Whether the service died, or answered no more, at twice the stated rate or after it: 1 it did; 0 it bore it, "
        "refusals counted.",
        whole_suite=True,
    ),
    Metric(
        *(STOP_LOST, "requests lost at the stop", "", "lower", 0),
        "How many requests that were under way came to no good answer when the service was asked to end (SIGTERM); "
        "lower is better.",
        whole_suite=True,
    ),
    Metric(
        *(RECOVERED, "recovery after a kill", "", "higher", 0),
        "Whether the service answered again after it was ended at once (kill -9) and started again: 1 it did, 0 not.",
        whole_suite=True,
    ),
    Metric(
        *(OOM_RECOVERED, "recovery from out of memory", "", "higher", 0),
        "Whether the service answered again after its largest process was killed in the middle of a request, as the "
        "kernel does when memory runs out: 1 it did, by itself or started again once it had ended; 0 not.",
        whole_suite=True,
    ),
)
"""Of contracts with a ``load``, whatever the family: values of the whole suite, which the step *load* adds."""

INTERFACE_ANSWERS, INTERFACE_FAULTS, INTERFACE_BREAKS = "interface_answers", "interface_faults", "interface_breaks"
INTERFACE_METRICS = (
    Metric(
        *(INTERFACE_ANSWERS, "answers against the OpenAPI document", "", "lower", 0),
        "How many of the answers to the suite's cases the service's OpenAPI document does not allow: another status, "
        "media type or schema; 0 is none.",
        whole_suite=True,
        near_zero=True,
    ),
    Metric(
        *(INTERFACE_FAULTS, "faults of the interface", "", "lower", 0),
        "How many different faults requests made up from the service's OpenAPI document have found: server errors, "
        "answers that the document does not allow, connections without an answer; 0 is none.",
        whole_suite=True,
        near_zero=True,
    ),
    Metric(
        *(INTERFACE_BREAKS, "breaking changes of the interface", "", "lower", 0),
        "How many differences of the OpenAPI document from the released one break programs that use the released "
        "service; 0 is none.",
        whole_suite=True,
        needs_released=True,
        near_zero=True,
    ),
)
"""Of contracts with an ``interface``, whatever the family: values of the whole suite, which the step *interface* adds.
"""
PREPROCESS_METRIC = Metric(
    *("preprocess_drift", "drift of preprocessing", "", "lower", 6),
    "How far what the service makes of a case's bytes before its network sees them is from the released model's: the "
    "largest absolute difference of any value in any case; lower is better.",
    whole_suite=True,
    needs_released=True,
)
"""Of contracts with a call ``preprocess``, whatever the family."""

PREFERENCE_METRIC = Metric(
    *("preference", "preference", "", "higher", 2),
    "The share of people's blind ratings that prefer the new model to the released one, where 'the same' counts half: "
    "0.5 is neither, and higher is better.",
    whole_suite=True,
    needs_released=True,
    by_slice=True,
    share=True,
    over="rating",
)
"""Of policies that have a rule for it, whatever the family: one value of all cases and one of each slice, which the
step *gate* adds from the store."""

ENGINE_METRICS = (
    *(*CALL_METRICS, REFUSAL_METRIC, PAGE_METRIC, EXPORT_METRIC, LOG_METRIC, ENVIRONMENT_METRIC, ENVIRONMENT_WARNINGS),
    *(*LOAD_METRICS, *INTERFACE_METRICS, PREPROCESS_METRIC, PREFERENCE_METRIC),
)
"""What no family has to say."""

_AT_RATE = re.compile(r"(?P<metric>[a-z0-9_]+)_at_(?P<rate>[0-9]+(?:\.[0-9]+)?(?:e-[0-9]+)?)")


def at_rate(metric: str, rate: float) -> str:
    """The name of one of :data:`RATE_METRICS` at another rate than the first: ``load_p95_ms_at_10``."""
    return f"{metric}_at_{rate:.12g}"


def metric_at_rate(name: str) -> Metric | None:
    """The metric of such a name; ``None``: it is no such name."""
    if (found := _AT_RATE.fullmatch(name)) is None:
        return None
    known = next((metric for metric in RATE_METRICS if metric.name == found["metric"]), None)
    return replace(known, name=name, title=f"{known.title} at {found['rate']} a second") if known is not None else None


def rate_of(name: str) -> float:
    """The rate in such a name; of any other 0."""
    return float(name.rpartition("_at_")[2]) if metric_at_rate(name) is not None else 0.0


def base_metric(name: str) -> str:
    """The metric that one at another rate is an instance of; of any other name itself."""
    return name.rpartition("_at_")[0] if metric_at_rate(name) is not None else name
