"""A service that a load is put to: how it is started, what is sent to it, and why there is none to go on with.

This runs in the model's own image, on the driver's runtime: nothing here may import more than that has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from penstock.contract.load_faults import sent_calls
from penstock.contract.models import Case, Contract
from penstock.contract.request import http_of
from penstock.contract.serving import Load
from penstock.evaluation.inputs import input_paths
from penstock.foundation.errors import WorldError, one_line
from penstock.invocation.service_process import ServiceProcess
from penstock.invocation.wire_request import wire_request
from penstock.load.connection_limit import default_connections
from penstock.load.exchange import Exchange
from penstock.load.generator import ClosedLoop, Generator, GeneratorLimits, OpenLoop
from penstock.load.load_request import LoadRequest
from penstock.load.readiness import Readiness, watch_readiness

MAX_BODIES: Final = 256 << 20
"""Of all requests together, which are held in memory."""
SHORT_SHARE: Final = 0.25
"""Of the contract's seconds: how long saturation and twice the rate are put."""
DEATH_GRACE_S: Final = 1.0
"""How long to wait for the end of a process whose connections broke."""
MAX_FAULT: Final = 600
Progress = Callable[[int, int, str], None]
"""Things done, things in all, what was done last."""


class TrialOverError(Exception):
    """There is no service any more to go on with."""


@dataclass
class ServiceTrial:
    """See the module's text."""

    contract: Contract
    load: Load
    cases: list[Case]
    """Those that are sent."""
    source_dir: Path
    service: ServiceProcess
    work: Path
    """Where answers are put that are not kept."""
    on_progress: Progress
    steps: int
    """How many things will be done."""
    kept: dict[str, object] = field(default_factory=dict)
    """Field of the record → what was found."""
    p50_s: float = 0.0
    """Of an answer at the rate that it is made for."""
    spent: bool = False
    """What was done to it asks for a new one, before anything else is."""
    done: int = 0

    # starting

    def started(self, *, on_what_was_left: bool = False) -> Readiness:
        """Start it, and see whether it becomes ready and answers.

        Raises:
            TrialOverError: it cannot be started at all.
            WorldError: the disk is full.
        """
        for last_try in (False, False, True):
            try:
                self.service.start(on_what_was_left=on_what_was_left)
            except WorldError as error:
                if error.full_disk:
                    raise
                raise TrialOverError(error.what) from error
            found = self.watched()
            ended = self.service.ended() or ""
            # another program was quicker to take the port that was free; the one on which it was before is its own
            if last_try or on_what_was_left or "address already in use" not in ended.lower():
                break
        return found

    def watched(self) -> Readiness:
        """Whether it is ready and answers, as long as its first process lives."""
        return watch_readiness(
            self.service.probe,
            self._ask,
            ready_timeout_s=http_of(self.contract).ready_timeout_s,
            running=lambda: self.service.ended() is None,
        )

    def start_again(self) -> None:
        """Start it anew, as at the beginning.

        Raises:
            TrialOverError: it is not ready any more.
        """
        self.spent = False
        watched = self.started()
        if watched.true_s is None:
            raise TrialOverError(f"started again: {self.not_there(watched)}")

    def _ask(self) -> Exchange:
        case = self.cases[0]
        inputs = input_paths(self.contract, self.source_dir, case)
        return self.service.ask(case, inputs, self._calls(case)[0], self.load.timeout_s, self.work / "answer")

    def not_there(self, watched: Readiness) -> str:
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
    def short_s(self) -> float:
        """How long saturation and twice the rate are put."""
        return max(1.0, self.load.seconds * SHORT_SHARE)

    def requests(self) -> Sequence[LoadRequest]:
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

    def generator(self, loop: OpenLoop | ClosedLoop) -> Generator:
        """Of the load's requests.

        Raises:
            TrialOverError: the service takes no connection.
        """
        limits = GeneratorLimits(
            max(default_connections(), loop.concurrency) if isinstance(loop, ClosedLoop) else default_connections(),
            self.load.timeout_s,
        )
        requests = self.requests()
        try:
            return Generator([self.service.destination], requests, loop, limits)
        except WorldError as error:
            raise TrialOverError(self.gone(f"took no connection: {error.what}")) from None

    # ends

    def must_live(self, when: str, errors: int) -> None:
        """Look whether its first process lives; after errors it has a moment to end.

        Raises:
            TrialOverError: it has ended.
        """
        if (ended := self.service.ended(DEATH_GRACE_S if errors else 0.0)) is not None:
            raise TrialOverError(f"{when} the service {ended}")

    def gone(self, otherwise: str) -> str:
        """How it has ended, or what else is wrong with it."""
        ended = self.service.ended(DEATH_GRACE_S)
        return f"the service {ended}" if ended is not None else f"the service {otherwise}"

    def did(self, what: str) -> None:
        """One thing is done."""
        self.done += 1
        self.on_progress(self.done, self.steps, what)


def rounded(seconds: float | None) -> float | None:
    """To a tenth of a millisecond."""
    return round(seconds, 4) if seconds is not None else None


def cut(text: str) -> str:
    """In one line, since it quotes the service."""
    return one_line(" ".join(text.split())[:MAX_FAULT])
