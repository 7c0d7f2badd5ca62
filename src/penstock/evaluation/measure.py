"""Measuring what a model returned: one line a case and metric, and the values about the whole suite.

What is measured of an answer, the family's measurer says; what is measured of every call is measured here.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Invocation, Measurement
from penstock.contract.arithmetic import DEFAULT, Arithmetic
from penstock.contract.load import input_path, withheld_paths
from penstock.contract.models import Case, Contract, Suite
from penstock.contract.request import parameters
from penstock.evaluation.case_answers import answers_of
from penstock.evaluation.case_workers import each_case, worker_count
from penstock.evaluation.figures import draw_figures
from penstock.evaluation.inputs import reference_frames
from penstock.evaluation.measurer import Answer, Measurer, Value, measurement
from penstock.evaluation.networks import Networks, open_networks
from penstock.evaluation.preprocessed import preprocessing
from penstock.evaluation.refusals import split_refusals, wrongly_accepted
from penstock.evaluation.released_answers import compare, compare_suite, compared_by_case, why_not_compared
from penstock.evaluation.slice_values import slice_values
from penstock.families.engine_metrics import CALL_METRICS
from penstock.families.family import Metric
from penstock.families.registry import family
from penstock.foundation.errors import PenstockError
from penstock.foundation.files import inside, replacing
from penstock.foundation.references import load

log = logging.getLogger(__name__)

GPU = "gpu_memory"
Progress = Callable[[int, int, str], None]
"""Cases done, cases in all, what was done last."""


def threads_each(workers: int) -> int:
    """Threads of a network that so many workers use at a time."""
    return max(1, len(os.sched_getaffinity(0)) // workers)


def measure(
    contract: Contract,
    suite: Suite,
    bundle: Bundle,
    source_dir: Path,
    *,
    networks: Networks | None = None,
    on_progress: Progress | None = None,
    workers: int | None = None,
    arithmetic: Arithmetic = DEFAULT,
    released: Bundle | None = None,
) -> list[Measurement]:
    """Measure every case's answer and the suite as a whole; write and return the values.

    Every metric has a line for every case, with a value or the reason why there is none; a case whose call failed has
    the call's reason everywhere, but where the case says that a metric does not apply to it. A case that the model must
    refuse has a line of ``wrongly_accepted`` and no other.
    Metrics that look through a network come in where the contract names it, GPU memory where any call used some. A
    metric of the whole suite has one line, for the case ``*``, and may carry ``resamples``: its values on resamples of
    the cases (:mod:`penstock.metrics.clip_resamples`). One that is taken of slices, too, has a line for each of them.

    ``measurements.jsonl`` is written, and ``series.jsonl``: a line with what the family shows over time of a ``case``.
    A family that draws something of the whole suite has ``figures.json``, too.

    Args:
        contract: names the extractors.
        suite: the cases, and the reference of FID and KID.
        bundle: holds ``invocations.jsonl`` and the outputs.
        source_dir: the model's repository.
        networks: those that the contract names, where they are loaded already; else they are loaded here.
        on_progress: told after each case.
        workers: cases that are measured at a time; by default as many as there are cores, at most 4.
        arithmetic: how the networks are computed. It stands in their labels: values compare with like only.
        released: the released model's calls and outputs, for metrics that compare with its answers; ``None``: there is
            no released model, or nothing is compared with it.

    Raises:
        UsageError: an extractor or the reference is missing or broken; there is no ``invocations.jsonl``.
    """
    calls = {call.case: call for call in bundle.invocations()}
    suite, refused = split_refusals(suite)
    count = max(1, min(workers or worker_count(len(suite.cases)), len(suite.cases)))
    if networks is None:
        networks = open_networks(contract, source_dir, threads=threads_each(count), arithmetic=arithmetic)
    reference = reference_frames(contract, source_dir, suite.reference) if suite.reference is not None else None
    measurer: Measurer = load(family(contract.family).measurer)(networks, reference)
    gpu = any(call.gpu_memory_mib is not None for call in calls.values())
    asked = Asked(contract, networks, gpu)
    measurements: list[Measurement] = []
    answers: list[Answer] = []
    released_answers: list[Answer | None] = []
    released_calls = {call.case: call for call in released.invocations()} if released is not None else {}
    metrics = family(contract.family).metrics
    compares = any(metric.needs_released for metric in metrics)

    def examined(case: Case) -> tuple[Answer, Answer | None]:
        answer = _examine(asked, case, calls.get(case.name), bundle, source_dir, measurer)
        if released is None or not compares:
            return answer, None
        other = _examine(asked, case, released_calls.get(case.name), released, source_dir, measurer)
        answer.values |= compare(measurer, metrics, case, answer, other)
        return answer, replace(other, series=None)

    results = contextlib.closing(each_case(examined, suite.cases, workers=count, processes=not networks))
    written = replacing(bundle.series_file)
    with results as found, written as temporary, temporary.open("w", encoding="utf-8") as series:
        for done, (case, (answer, other)) in enumerate(zip(suite.cases, found, strict=True), 1):
            series.write(_series(case, answer))
            answers.append(replace(answer, series=None))  # they are large, and on disk now
            released_answers.append(other)
            measurements += _lines(case, answer, other, asked)
            if on_progress is not None:
                on_progress(done, len(suite.cases), case.name)
    if suite.cases:
        # before those of the suite: who knows no 'slice' and keeps a metric's last line keeps the suite's
        measurements += slice_values(measurer, metrics, suite.cases, answers)
        measurements += measurer.suite(suite.cases, answers)
        measurements += compare_suite(measurer, metrics, suite.cases, answers, released_answers)
        measurements += preprocessing(contract, suite.cases, bundle, released)
    draw_figures(family(contract.family), bundle, suite.cases, answers, released_answers)
    measurements += wrongly_accepted(refused, calls)
    bundle.write_measurements(measurements)
    return measurements


@dataclass(frozen=True)
class Asked:
    """What is to be measured of each case."""

    contract: Contract
    networks: Networks
    gpu: bool
    """Whether any call used memory of a graphics card."""

    @property
    def of_the_answer(self) -> list[Metric]:
        """The family's metrics that have a value a case, through the networks that there are."""
        return [
            metric
            for metric in family(self.contract.family).metrics
            if not metric.whole_suite and (metric.role is None or metric.role in self.networks)
        ]

    @property
    def of_the_call(self) -> list[Metric]:
        """What is measured of every call."""
        return [metric for metric in CALL_METRICS if metric.name != GPU or self.gpu]


def _examine(
    asked: Asked, case: Case, call: Invocation | None, bundle: Bundle, source_dir: Path, measurer: Measurer
) -> Answer:
    if call is None or call.status != "ok" or not call.outputs:
        reason = "the case was not put to the model" if call is None else call.error or f"the call was {call.status}"
        return Answer(dict.fromkeys((metric.name for metric in (*asked.of_the_answer, *asked.of_the_call)), reason))
    where = str(bundle.invocations_file)
    outputs = {name: inside(bundle.path, path, where=where) for name, path in answers_of(call).items()}
    inputs = {name: input_path(source_dir, asked.contract, file) for name, file in case.inputs.items()}
    try:
        withheld = withheld_paths(source_dir, asked.contract, case)
        answer = measurer.case(case, call, outputs, inputs, parameters(asked.contract, case), withheld)
    except PenstockError:
        raise
    except Exception as error:  # the answer is hostile: what it does to a decoder is this case's fault, not the run's
        reason = f"the output cannot be measured: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        log.warning("case '%s': %s", case.name, reason, exc_info=error)
        answer = Answer(dict.fromkeys((metric.name for metric in asked.of_the_answer), reason))
    answer.values |= values_of_the_call(call)
    return answer


def _series(case: Case, answer: Answer) -> str:
    """A line of ``series.jsonl``; nothing where there are none."""
    if answer.series is None:
        return ""
    line = {"case": case.name, **answer.series}
    return json.dumps(line, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


def values_of_the_call(call: Invocation) -> dict[str, Value]:
    """What is measured of every call: metric → value or reason."""

    def known(value: float | None, what: str) -> Value:
        return f"the {what} was not measured" if value is None else value

    return {
        "latency": known(call.latency_s, "latency"),
        "peak_memory": known(call.peak_memory_mib, "memory of the model"),
        GPU: known(call.gpu_memory_mib, "GPU memory of the model"),
    }


def _lines(case: Case, answer: Answer, released: Answer | None, asked: Asked) -> Iterator[Measurement]:
    # what the call asks for may stand in the contract's defaults
    inapplicable = dict(case.model_copy(update={"parameters": parameters(asked.contract, case)}).inapplicable)
    if why_not := why_not_compared(released):
        inapplicable |= dict.fromkeys(compared_by_case(asked.of_the_answer), why_not)
    for metric in (*asked.of_the_answer, *asked.of_the_call):
        if (why := inapplicable.get(metric.name)) is not None:
            yield measurement(case.name, metric.name, why, slices=case.slices, applies=False)
            continue
        label = asked.networks[metric.role].label if metric.role is not None else None
        if metric.across_cases:
            continue
        value, why = answer.values.get(metric.name, "it was not measured"), answer.why.get(metric.name)
        floor = answer.floors.get(metric.name)
        yield measurement(case.name, metric.name, value, slices=case.slices, extractor=label, floor=floor, why=why)
