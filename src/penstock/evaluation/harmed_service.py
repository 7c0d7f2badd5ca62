"""What the step *load* does to a service beyond steady rates: what may harm it, the most harmful last.

This runs in the model's own image, on the driver's runtime: nothing here may import more than that has.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from array import array
from collections.abc import Callable
from typing import Final

from penstock.bundle.load_record import (
    MixedRecord,
    OomRecord,
    OverloadRecord,
    RecoveryRecord,
    SaturationRecord,
    StopRecord,
)
from penstock.contract.request import http_of
from penstock.contract.serving import Load
from penstock.evaluation.service_trial import DEATH_GRACE_S, ServiceTrial, TrialOverError, cut, rounded
from penstock.foundation.errors import WorldError
from penstock.load.connection_limit import default_connections
from penstock.load.generator import ClosedLoop, GeneratorLimits, OpenLoop
from penstock.load.overload import put_twice_the_load
from penstock.load.summary import summarise
from penstock.load.timeline import ERRORS, RequestEnding, Timeline
from penstock.load.together import put_together

STREAM_LEAD_S: Final = 0.5
"""So long requests come before the service is asked to stop, or killed."""
MOST_DIFFERENT: Final = 4
"""Requests that are put at the same time are so many different ones."""


def harms(load: Load) -> list[Callable[[ServiceTrial], None]]:
    """What a contract asks for, in this order."""
    asked = (
        (load.together, _put_together),
        (load.concurrency is not None, _saturate),
        (load.twice, _overload),
        (load.stop, _stop),
        (load.recover, _kill),
        (load.oom, _run_out_of_memory),
    )
    return [do for wanted, do in asked if wanted]


def harm(trial: ServiceTrial) -> None:
    """Do all of it.

    Raises:
        TrialOverError: there is no service any more to go on with.
    """
    for do in harms(trial.load):
        if trial.spent:
            trial.start_again()
        do(trial)


def _put_together(trial: ServiceTrial) -> None:
    """Different requests at the same time: each gets its own answer, or none."""
    requests = trial.requests()[:MOST_DIFFERENT]
    at_once = max(2, http_of(trial.contract).concurrency)
    destination = trial.service.destination
    found = put_together(destination, requests, at_once=at_once, timeout_s=trial.load.timeout_s)
    trial.kept["mixed"] = MixedRecord(
        requests=found.requests,
        at_once=at_once,
        answered=found.answered,
        wrong=found.wrong,
        refused=found.refused,
        failed=found.failed,
        sample=found.sample,
    )
    trial.did(f"{found.wrong} of {found.answered} answers wrong with {at_once} requests at the same time")
    trial.must_live("with requests at the same time", found.failed)


def _saturate(trial: ServiceTrial) -> None:
    concurrency, seconds = trial.load.concurrency or 1, trial.short_s
    timeline = trial.generator(ClosedLoop(concurrency, seconds)).run()
    found = summarise(timeline, warm_up_s=0.0, seconds=seconds, timeout_s=trial.load.timeout_s)
    trial.kept["saturation"] = SaturationRecord(
        concurrency=concurrency,
        throughput=found.throughput,
        p50_ms=found.p50_ms,
        p95_ms=found.p95_ms,
        p99_ms=found.p99_ms,
        errors=found.errors,
    )
    trial.did(f"{found.throughput:.1f} answers a second with {concurrency} at a time")
    trial.must_live(f"with {concurrency} requests at a time", found.errors)


def _overload(trial: ServiceTrial) -> None:
    limits = GeneratorLimits(default_connections(), trial.load.timeout_s)
    destination, requests = [trial.service.destination], trial.requests()
    rate, seconds = trial.load.made_for, trial.short_s
    try:
        found = put_twice_the_load(destination, requests, rate=rate, seconds=seconds, limits=limits)
    except WorldError:
        raise TrialOverError(trial.gone("took no connections any more")) from None
    problem = found.problem
    if (ended := trial.service.ended(DEATH_GRACE_S if problem else 0.0)) is not None:
        problem = f"at twice the load it {ended}"
        trial.spent = True
    trial.kept["overload"] = OverloadRecord(
        problem=cut(problem) or None, refused=found.refused, good=found.double.good if found.double else 0
    )
    trial.did(problem or "it bore twice the rate")


def _stop(trial: ServiceTrial) -> None:
    """Ask it to end in the middle of a stream of requests."""
    timeline, asked = _in_a_stream(trial, lambda: trial.service.send_signal(signal.SIGTERM))
    trial.spent = True
    lost = _lost(timeline, asked - timeline.began)
    ended = trial.service.ended(max(0.0, asked + trial.load.stop_s - time.perf_counter()))
    ended_s = time.perf_counter() - asked if ended is not None else None
    trial.kept["stop"] = StopRecord(
        sent=sum(sent < asked - timeline.began for sent in timeline.sent),
        lost=len(lost),
        sample=cut(timeline.messages.get(RequestEnding(timeline.ending[lost[-1]]), (0, ""))[1]) if lost else "",
        ended_s=rounded(ended_s),
    )
    trial.did(f"{len(lost)} requests lost at the stop")


def _kill(trial: ServiceTrial) -> None:
    """``kill -9``, then a start on the same port and the files that it has left."""
    trial.service.send_signal(signal.SIGKILL)
    trial.service.ended(DEATH_GRACE_S)
    problem, ready_s = _started_on_what_was_left(trial)
    trial.kept["recovery"] = RecoveryRecord(problem=cut(problem) or None, ready_s=rounded(ready_s))
    trial.did(problem or "it came back after kill -9")


def _run_out_of_memory(trial: ServiceTrial) -> None:
    """Kill its largest process in a stream of requests, as the kernel does when the service's memory runs out.

    Where that was its first process it has ended, and is started again as a cluster starts a container again. Where it
    was another, nothing starts the service again as long as the first one lives: it must find back by itself.
    """
    killed: list[str] = []
    _in_a_stream(trial, lambda: killed.append(trial.service.kill_largest()))
    problem, ready_s, by_itself = "", None, False
    if trial.service.ended(DEATH_GRACE_S) is None:
        watched = trial.watched()
        by_itself = trial.service.ended() is None
        ready_s = watched.true_s
        if by_itself and ready_s is None:
            problem = f"nothing starts it again, since its first process lives on, and {trial.not_there(watched)}"
            trial.spent = True
    if not by_itself:
        problem, ready_s = _started_on_what_was_left(trial)
    trial.kept["oom"] = OomRecord(
        problem=cut(problem) or None, killed=killed[0], by_itself=by_itself, ready_s=rounded(ready_s)
    )
    trial.did(problem or "it came back from out of memory")


def _started_on_what_was_left(trial: ServiceTrial) -> tuple[str, float | None]:
    """What is wrong with the service that is started then (empty: nothing), and when it was ready."""
    try:
        watched = trial.started(on_what_was_left=True)
    except TrialOverError as over:
        problem, ready_s = str(over), None
    else:
        problem = "" if watched.true_s is not None else trial.not_there(watched)
        ready_s = watched.true_s
    trial.spent = bool(problem)
    return problem, ready_s


def _in_a_stream(trial: ServiceTrial, act: Callable[[], object]) -> tuple[Timeline, float]:
    """Do something in the middle of a stream of requests, each due when the one before it should be answered.

    Returns:
        What became of the requests, and when it was done, by ``time.perf_counter``.
    """
    pause = max(0.001, 1.25 * trial.p50_s / http_of(trial.contract).concurrency)
    before = max(1, math.ceil(STREAM_LEAD_S / pause))
    due = array("d", (index * pause for index in range(before + 3)))
    generator = trial.generator(OpenLoop(due))
    timeline = generator.timeline
    done: list[float] = []

    def act_in_time() -> None:
        limit = time.perf_counter() + due[-1] + trial.load.timeout_s
        while len(timeline.due) < before and time.perf_counter() < limit:
            time.sleep(0.0005)
        time.sleep(trial.p50_s / 2)  # half of an answer's time after a request was sent: it is under way
        act()
        done.append(time.perf_counter())

    acting = threading.Thread(target=act_in_time, name="harm", daemon=True)
    acting.start()
    try:
        generator.run()
    finally:
        acting.join()
    return timeline, done[0]


def _lost(timeline: Timeline, asked_s: float) -> list[int]:
    """Requests that were sent before the service was asked to end, and that got no good answer.

    What came on a kept connection that was just being closed is no loss: the client sends it again.
    """
    resent = set(timeline.resent)
    return [
        index
        for index, (sent, ending) in enumerate(zip(timeline.sent, timeline.ending, strict=True))
        if sent < asked_s and RequestEnding(ending) in ERRORS and index not in resent
    ]
