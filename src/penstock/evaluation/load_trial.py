"""Putting a model's service under load: started, watched, loaded, stopped, killed and started again.

This runs in the model's own image, on the driver's runtime, so that the service can be started, watched and ended by
who calls it: nothing here may import more than that has. :mod:`penstock.evaluation.load_values` makes values of what is
kept here.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from penstock.bundle.load_record import (
    LoadPart,
    MemoryLine,
    OverloadRecord,
    RecoveryRecord,
    RequestLine,
    SaturationRecord,
    StartRecord,
    StopRecord,
)
from penstock.bundle.shards import Shard
from penstock.contract.load_faults import sent_calls, sent_cases
from penstock.contract.models import Case, Contract, Suite
from penstock.contract.request import http_of
from penstock.contract.serving import Load
from penstock.evaluation.inputs import input_paths
from penstock.foundation.errors import UsageError, WorldError, one_line
from penstock.invocation.memory_line import MemoryWatchLine, gpu_memory, main_memory
from penstock.invocation.service_process import ServiceProcess
from penstock.invocation.wire_request import wire_request
from penstock.load.arrivals import constant_arrivals
from penstock.load.connection_limit import default_connections
from penstock.load.exchange import Exchange
from penstock.load.generator import ClosedLoop, Generator, GeneratorLimits, OpenLoop
from penstock.load.load_request import LoadRequest
from penstock.load.overload import put_twice_the_load
from penstock.load.readiness import Readiness, watch_readiness
from penstock.load.summary import summarise
from penstock.load.timeline import ERRORS, RequestEnding, Timeline

MAX_BODIES: Final = 256 << 20
"""Of all requests together, which are held in memory."""
MEMORY_SAMPLES: Final = 400
SHORT_SHARE: Final = 0.25
"""Of the contract's seconds: how long saturation and twice the rate are put."""
STOP_LEAD_S: Final = 0.5
"""So long requests come before the service is asked to stop."""
DEATH_GRACE_S: Final = 1.0
"""How long to wait for the end of a process whose connections broke."""
MAX_FAULT: Final = 600
Progress = Callable[[int, int, str], None]
"""Things done, things in all, what was done last."""


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
    steps = 2 + (sum([load.concurrency is not None, load.twice, load.stop, load.recover]) if last else 0)
    cases = sent_cases(load, suite, http_of(contract))
    done = _Trial(contract, load, cases, source_dir, service, seconds, work, on_progress, steps)
    found = LoadPart(part=str(part), rate=load.rate, seconds=seconds, warmup_s=load.warmup_s, timeout_s=load.timeout_s)
    try:
        done.start()
        done.rate()
        if last:
            done.rest()
    except _OverError as over:
        done.kept["fault"] = _cut(str(over))
    return found.model_copy(update=done.kept)


class _OverError(Exception):
    """There is no service any more to go on with."""


@dataclass
class _Trial:
    contract: Contract
    load: Load
    cases: list[Case]
    source_dir: Path
    service: ServiceProcess
    seconds: float
    work: Path
    on_progress: Progress
    steps: int
    """How many things will be done."""
    kept: dict[str, object] = field(default_factory=dict)
    """Field of the record → what was found."""
    _p50_s: float = 0.0
    _steps: int = 0

    def start(self) -> None:
        """Start the service; it must become ready and answer."""
        watched = self._started()
        self.kept["start"] = StartRecord(
            ready_s=_rounded(watched.ready_s),
            true_s=_rounded(watched.true_s),
            not_ready_statuses=list(watched.not_ready_statuses),
            too_early=_cut(watched.first_real.message) if watched.too_early and watched.first_real else None,
        )
        if watched.true_s is None:
            raise _OverError(self._not_there(watched))
        self._did(f"ready after {watched.true_s:.1f} s")

    def rate(self) -> None:
        """The stated rate, with the service's memory beside it."""
        load = self.load
        loop = OpenLoop(constant_arrivals(load.rate, load.warmup_s + self.seconds))
        generator = self._generator(loop)
        timeline = generator.timeline

        def ended() -> int:
            return len(timeline.ending) - timeline.ending.tobytes().count(RequestEnding.UNDER_WAY)

        every_s = max(0.005, self.seconds / MEMORY_SAMPLES)
        root, before = self.service.supervisor, self.service.gpu_before_mib
        with (
            MemoryWatchLine(main_memory(root), ended, every_s) as memory,
            MemoryWatchLine(gpu_memory(root, before), ended, every_s) as gpu,
        ):
            generator.run()
        summary = summarise(timeline, warm_up_s=load.warmup_s, seconds=self.seconds, timeout_s=load.timeout_s)
        self.kept["requests"] = RequestLine(
            due_s=[round(due, 4) for due in timeline.due],
            latency_ms=[round(latency * 1000, 3) for latency in timeline.latency],
            ending=list(timeline.ending),
            status=list(timeline.status),
            samples={kind: _cut(text) for kind, text in summary.error_samples.items()},
            notes=summary.notes,
        )
        self.kept["memory"] = _memory_line(memory, timeline)
        self.kept["gpu_memory"] = _memory_line(gpu, timeline) if gpu.mib else None
        self._p50_s = (summary.p50_ms or 0.0) / 1000
        self._did(f"{summary.good} of {summary.requests} answered well")
        self._must_live("under load", summary.errors)

    def rest(self) -> None:
        """All that may harm the service, the most harmful last."""
        if self.load.concurrency is not None:
            self._saturate(self.load.concurrency)
        if self.load.twice:
            self._overload()
        if self.load.stop:
            self._stop()
        if self.load.recover:
            self._kill()

    def _saturate(self, concurrency: int) -> None:
        seconds = self._short_s
        timeline = self._generator(ClosedLoop(concurrency, seconds)).run()
        found = summarise(timeline, warm_up_s=0.0, seconds=seconds, timeout_s=self.load.timeout_s)
        self.kept["saturation"] = SaturationRecord(
            concurrency=concurrency, throughput=found.throughput, p95_ms=found.p95_ms, errors=found.errors
        )
        self._did(f"{found.throughput:.1f} answers a second with {concurrency} at a time")
        self._must_live(f"with {concurrency} requests at a time", found.errors)

    def _overload(self) -> None:
        limits = GeneratorLimits(default_connections(), self.load.timeout_s)
        destination, requests = [self.service.destination], self._requests()
        try:
            found = put_twice_the_load(destination, requests, rate=self.load.rate, seconds=self._short_s, limits=limits)
        except WorldError:
            raise _OverError(self._gone("took no connections any more")) from None
        problem = found.problem
        if (ended := self.service.ended(DEATH_GRACE_S if problem else 0.0)) is not None:
            problem = f"at twice the load it {ended}"
        self.kept["overload"] = OverloadRecord(
            problem=_cut(problem) or None, refused=found.refused, good=found.double.good if found.double else 0
        )
        self._did(problem or "it bore twice the rate")
        if ended is not None:
            self._start_again()

    def _stop(self) -> None:
        """Ask it to end in the middle of a stream of requests, each due when the one before it should be answered."""
        at_once = http_of(self.contract).concurrency
        pause = max(0.001, 1.25 * self._p50_s / at_once)
        before = max(1, math.ceil(STOP_LEAD_S / pause))
        due = array("d", (index * pause for index in range(before + 3)))
        generator = self._generator(OpenLoop(due))
        timeline = generator.timeline
        asked: list[float] = []

        def ask() -> None:
            limit = time.perf_counter() + due[-1] + self.load.timeout_s
            while len(timeline.due) < before and time.perf_counter() < limit:
                time.sleep(0.0005)
            time.sleep(self._p50_s / 2)  # half of an answer's time after a request was sent: it is under way
            self.service.send_signal(signal.SIGTERM)
            asked.append(time.perf_counter())

        asking = threading.Thread(target=ask, name="stop", daemon=True)
        asking.start()
        try:
            generator.run()
        finally:
            asking.join()
        lost = _lost(timeline, asked[0] - timeline.began)
        left_s = max(0.0, asked[0] + self.load.stop_s - time.perf_counter())
        ended = self.service.ended(left_s)
        ended_s = time.perf_counter() - asked[0] if ended is not None else None
        self.kept["stop"] = StopRecord(
            sent=sum(sent < asked[0] - timeline.began for sent in timeline.sent),
            lost=len(lost),
            sample=_cut(timeline.messages.get(RequestEnding(timeline.ending[lost[-1]]), (0, ""))[1]) if lost else "",
            ended_s=_rounded(ended_s),
        )
        self._did(f"{len(lost)} requests lost at the stop")

    def _kill(self) -> None:
        """``kill -9``, then a start on the same port and the files that it has left."""
        if self.load.stop:
            self._start_again()
        self.service.send_signal(signal.SIGKILL)
        self.service.ended(DEATH_GRACE_S)
        try:
            watched = self._started(on_what_was_left=True)
            problem = "" if watched.true_s is not None else self._not_there(watched)
            ready_s = watched.true_s
        except _OverError as over:
            problem, ready_s = str(over), None
        self.kept["recovery"] = RecoveryRecord(problem=_cut(problem) or None, ready_s=_rounded(ready_s))
        self._did(problem or "it came back after kill -9")

    # starting

    def _started(self, *, on_what_was_left: bool = False) -> Readiness:
        try:
            self.service.start(on_what_was_left=on_what_was_left)
        except WorldError as error:
            if error.full_disk:
                raise
            raise _OverError(error.what) from error
        return watch_readiness(
            self.service.probe,
            self._ask,
            ready_timeout_s=http_of(self.contract).ready_timeout_s,
            running=lambda: self.service.ended() is None,
        )

    def _start_again(self) -> None:
        """Start it anew, as at the beginning."""
        watched = self._started()
        if watched.true_s is None:
            raise _OverError(f"started again: {self._not_there(watched)}")

    def _ask(self) -> Exchange:
        case = self.cases[0]
        inputs = input_paths(self.contract, self.source_dir, case)
        return self.service.ask(case, inputs, self._calls(case)[0], self.load.timeout_s, self.work / "answer")

    def _not_there(self, watched: Readiness) -> str:
        """Why it does not answer after its start."""
        ended = self.service.ended()
        if ended is not None:
            return f"{'before it was ready, ' if watched.ready_s is None else ''}the service {ended}"
        if watched.ready_s is None:
            limit = http_of(self.contract).ready_timeout_s
            return f"the service was not ready after {limit:g} s: {watched.last_probe.message}"
        return watched.problem

    # requests

    def _calls(self, case: Case) -> list[str]:
        return sent_calls(self.load, http_of(self.contract), case)

    @property
    def _short_s(self) -> float:
        return max(1.0, self.load.seconds * SHORT_SHARE)

    def _requests(self) -> Sequence[LoadRequest]:
        """The requests of all cases, each with all of its calls, as many as fit into memory."""
        found: list[LoadRequest] = []
        size = 0
        port = self.service.destination.port
        for case in self.cases:
            inputs = input_paths(self.contract, self.source_dir, case)
            for name in self._calls(case):
                found.append(wire_request(self.contract, case, name, inputs, port))
                size += len(found[-1].content)
            if size > MAX_BODIES:
                break
        return found

    def _generator(self, loop: OpenLoop | ClosedLoop) -> Generator:
        limits = GeneratorLimits(
            max(default_connections(), loop.concurrency) if isinstance(loop, ClosedLoop) else default_connections(),
            self.load.timeout_s,
        )
        requests = self._requests()
        try:
            return Generator([self.service.destination], requests, loop, limits)
        except WorldError as error:
            raise _OverError(self._gone(f"took no connection: {error.what}")) from None

    # ends

    def _must_live(self, when: str, errors: int) -> None:
        if (ended := self.service.ended(DEATH_GRACE_S if errors else 0.0)) is not None:
            raise _OverError(f"{when} the service {ended}")

    def _gone(self, otherwise: str) -> str:
        ended = self.service.ended(DEATH_GRACE_S)
        return f"the service {ended}" if ended is not None else f"the service {otherwise}"

    def _did(self, what: str) -> None:
        self._steps += 1
        self.on_progress(self._steps, self.steps, what)


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


def _memory_line(watched: MemoryWatchLine, timeline: Timeline) -> MemoryLine:
    return MemoryLine(
        at_s=[round(at - timeline.began, 3) for at in watched.at],
        done=list(watched.done),
        mib=[round(mib, 3) for mib in watched.mib],
    )


def _rounded(seconds: float | None) -> float | None:
    return round(seconds, 4) if seconds is not None else None


def _cut(text: str) -> str:
    """In one line, since it quotes the service."""
    return one_line(" ".join(text.split())[:MAX_FAULT])
