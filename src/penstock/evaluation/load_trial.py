"""Putting a model's service under load: started, watched, loaded, then harmed, and started again.

This runs in the model's own image, on the driver's runtime, so that the service can be started, watched and ended by
who calls it: nothing here may import more than that has. :mod:`penstock.evaluation.load_values` makes values of what is
kept here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from penstock.bundle.load_record import LoadPart, MemoryLine, RateRecord, RequestLine, StartRecord
from penstock.bundle.shards import Shard
from penstock.contract.load_faults import sent_cases
from penstock.contract.models import Contract, Suite
from penstock.contract.request import http_of
from penstock.evaluation.harmed_service import harm, harms
from penstock.evaluation.service_trial import Progress, ServiceTrial, TrialOverError, cut, rounded
from penstock.foundation.errors import UsageError
from penstock.invocation.kept_files import kept_files
from penstock.invocation.memory_line import MemoryWatchLine, gpu_memory, main_memory
from penstock.invocation.service_process import ServiceProcess
from penstock.load.arrivals import constant_arrivals
from penstock.load.generator import Generator, OpenLoop
from penstock.load.summary import LoadSummary, summarise
from penstock.load.timeline import RequestEnding, Timeline

MEMORY_SAMPLES: Final = 400


def put_load(
    contract: Contract,
    suite: Suite,
    source_dir: Path,
    service: ServiceProcess,
    part: Shard,
    work: Path,
    *,
    on_progress: Progress,
) -> LoadPart:
    """Put one part of the load to a service. Whatever the service does is a result, and all waiting is limited.

    The first half of two starts the service and measures its latency; the second does that again, then all the rest.

    Args:
        contract: with a ``load`` and ``call.http``.
        suite: all cases, with the parameters that the step *plan* has found.
        source_dir: the repository that holds the suite.
        service: not started.
        part: ``1/1``, ``1/2`` or ``2/2``.
        work: where answers are put that are not kept.
        on_progress: told after each thing that was done.

    Raises:
        UsageError: the contract has no ``load``; there is no case to send; a file of the suite is gone.
        WorldError: the disk is full.
    """
    load = contract.load
    if load is None:
        raise UsageError("the contract has no load", where="penstock.yaml", todo="Write a section 'load'.")
    seconds = load.seconds / part.of
    last = part.number == part.of
    steps = 1 + len(load.rate) + (len(harms(load)) if last else 0)
    cases = sent_cases(load, suite, http_of(contract))
    trial = ServiceTrial(contract, load, cases, source_dir, service, work, on_progress, steps)
    found = LoadPart(
        part=str(part), rate=load.made_for, seconds=seconds, warmup_s=load.warmup_s, timeout_s=load.timeout_s
    )
    try:
        _start(trial)
        _main_rate(trial, seconds)
        _other_rates(trial, seconds)
        if last:
            harm(trial)
    except TrialOverError as over:
        trial.kept["fault"] = cut(str(over))
    return found.model_copy(update=trial.kept)


def _start(trial: ServiceTrial) -> None:
    """Start the service; it must become ready and answer."""
    watched = trial.started()
    trial.kept["start"] = StartRecord(
        ready_s=rounded(watched.ready_s),
        true_s=rounded(watched.true_s),
        not_ready_statuses=list(watched.not_ready_statuses),
        too_early=cut(watched.first_real.message) if watched.too_early and watched.first_real else None,
    )
    if watched.true_s is None:
        raise TrialOverError(trial.not_there(watched))
    trial.did(f"ready after {watched.true_s:.1f} s")


def _main_rate(trial: ServiceTrial, seconds: float) -> None:
    """The rate that it is made for, with the service's memory and files beside it."""
    generator = _at(trial, trial.load.made_for, seconds)
    timeline = generator.timeline

    def ended() -> int:
        return len(timeline.ending) - timeline.ending.tobytes().count(RequestEnding.UNDER_WAY)

    every_s = max(0.005, seconds / MEMORY_SAMPLES)
    root, before = trial.service.supervisor, trial.service.gpu_before_mib
    with (
        MemoryWatchLine(main_memory(root), ended, every_s) as memory,
        MemoryWatchLine(gpu_memory(root, before), ended, every_s) as gpu,
        MemoryWatchLine(kept_files(trial.service.files), ended, every_s) as files,
    ):
        generator.run()
    summary = _summary(trial, timeline, seconds)
    trial.kept["requests"] = _request_line(timeline, summary)
    trial.kept["memory"] = _memory_line(memory, timeline)
    trial.kept["gpu_memory"] = _memory_line(gpu, timeline) if gpu.mib else None
    trial.kept["files"] = _memory_line(files, timeline)
    trial.p50_s = (summary.p50_ms or 0.0) / 1000
    trial.did(f"{summary.good} of {summary.requests} answered well")
    trial.must_live("under load", summary.errors)


def _other_rates(trial: ServiceTrial, seconds: float) -> None:
    """The rates that the contract states besides, in its order."""
    found: list[RateRecord] = []
    for rate in trial.load.rate[1:]:
        timeline = _at(trial, rate, seconds).run()
        summary = _summary(trial, timeline, seconds)
        found.append(RateRecord(rate=rate, requests=_request_line(timeline, summary)))
        trial.kept["at_rates"] = found
        trial.did(f"{summary.good} of {summary.requests} answered well at {rate:g} a second")
        trial.must_live(f"at {rate:g} requests a second", summary.errors)


def _at(trial: ServiceTrial, rate: float, seconds: float) -> Generator:
    return trial.generator(OpenLoop(constant_arrivals(rate, trial.load.warmup_s + seconds)))


def _summary(trial: ServiceTrial, timeline: Timeline, seconds: float) -> LoadSummary:
    load = trial.load
    return summarise(timeline, warm_up_s=load.warmup_s, seconds=seconds, timeout_s=load.timeout_s)


def _request_line(timeline: Timeline, summary: LoadSummary) -> RequestLine:
    return RequestLine(
        due_s=[round(due, 4) for due in timeline.due],
        latency_ms=[round(latency * 1000, 3) for latency in timeline.latency],
        ending=list(timeline.ending),
        status=list(timeline.status),
        samples={kind: cut(text) for kind, text in summary.error_samples.items()},
        notes=summary.notes,
    )


def _memory_line(watched: MemoryWatchLine, timeline: Timeline) -> MemoryLine:
    return MemoryLine(
        at_s=[round(at - timeline.began, 3) for at in watched.at],
        done=list(watched.done),
        mib=[round(mib, 3) for mib in watched.mib],
    )
