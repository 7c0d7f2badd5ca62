"""Metrics that belong to no family: of every call, of refusals, and of what a contract asks for beside its cases."""

from __future__ import annotations

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

LOAD_ERRORS, LOAD_DROPPED, THROUGHPUT = "load_errors", "load_dropped", "throughput"
STARTUP, EARLY_READY, MEMORY_GROWTH = "startup_s", "early_ready", "memory_growth"
OVERLOAD, STOP_LOST, RECOVERED = "overload", "stop_lost", "recovered"


def _load_quantile(name: str, title: str, quantile: float) -> Metric:
    share = f"{quantile:.0%} of the requests were answered" if quantile != 0.5 else "half of the requests were answered"
    return Metric(
        *(name, f"{title} under load", "ms", "lower", 1),
        f"Within so many milliseconds {share}, counted from the moment at which each was due, at the stated rate; a "
        "request without a good answer counts with the whole timeout; lower is better.",
        whole_suite=True,
        timed=True,
        quantile=quantile,
    )


LOAD_QUANTILES = (
    _load_quantile("load_p50_ms", "P50", 0.50),
    _load_quantile("load_p95_ms", "P95", 0.95),
    _load_quantile("load_p99_ms", "P99", 0.99),
)
LOAD_METRICS = (
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
    Metric(
        *(THROUGHPUT, "throughput", "/s", "higher", 1),
        "Good answers a second with the stated number of requests at a time; higher is better.",
        whole_suite=True,
        timed=True,
    ),
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

ENGINE_METRICS = (
    *(*CALL_METRICS, REFUSAL_METRIC, PAGE_METRIC, EXPORT_METRIC, LOG_METRIC),
    *(*LOAD_METRICS, *INTERFACE_METRICS),
)
"""What no family has to say."""
