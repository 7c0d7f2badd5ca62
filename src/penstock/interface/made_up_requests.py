"""Requests that schemathesis makes up from a document, put to the service; of each fault the smallest that shows it.

Most hold what the document asks for, the others do not, each in one way: a service must answer both as it says. How
many are made, and from which seed, is fixed: the same document has the same requests. Where the document wants a file,
the suite's own files are sent as well, so that some requests are worth an answer.
"""

from __future__ import annotations

import base64
import contextlib
import math
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Final

import requests
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.generation import GenerationMode
from schemathesis.generation.case import Case
from schemathesis.openapi import format as register_format
from schemathesis.openapi import media_type as register_media_type

from penstock.bundle.interface_record import INTERFACE_FOLDER, InterfaceFinding, TriedOperation
from penstock.foundation.errors import one_line
from penstock.interface.answer_checks import AnswerChecks, AnswerFault
from penstock.interface.document import Operation
from penstock.interface.sent_request import UnansweredError, prepared_request, send, shown_request, weight
from penstock.interface.trial_order import BODIES, TrialOrder

NEGATIVE_SHARE: Final = 1 / 3
MAX_SHRINKS: Final = 150
"""Requests of one operation that only make its faults' requests smaller."""
MAX_FINDINGS: Final = 200
MAX_INPUTS: Final = 20
MAX_INPUT_BYTES: Final = 1 << 20
ALIVE_S: Final = 10.0
_OWN_FORMS: Final = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain")


class OverError(BaseException):
    """The time of an operation is over, or its requests are all made. No library may take it for a failure."""


class GoneError(BaseException):
    """The service is not there any more; what was put to its last operation."""

    def __init__(self, what: str, tried: TriedOperation | None = None) -> None:
        super().__init__(what)
        self.what, self.tried = what, tried


class _FoundError(Exception):
    """What hypothesis takes for a failure, to make its request smaller; each fault has a class of its own."""


@dataclass
class _Shown:
    fault: AnswerFault
    status: int | None
    request: requests.PreparedRequest
    count: int = 1


@dataclass
class MadeUpRequests:
    """Puts requests to one service."""

    order: TrialOrder
    checks: AnswerChecks
    findings: list[InterfaceFinding] = field(default_factory=list)
    _classes: dict[object, type[_FoundError]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Files are what the suite has, and short ones of any bytes."""
        files = _contents(self.order.inputs)
        content = st.binary(max_size=64) if not files else st.sampled_from(files) | st.binary(max_size=64)
        register_format("binary", content)
        register_format("byte", content.map(lambda each: base64.b64encode(each).decode()))
        for media_type in sorted(_file_types(self.checks.document.operations)):
            register_media_type(media_type, content)

    def put(self, operation: Operation, limit: float) -> TriedOperation:
        """Put the requests of one operation, those first that hold what the document asks for.

        Args:
            operation: of the document.
            limit: when its time is over, on the clock of :func:`time.monotonic`.

        Raises:
            GoneError: the service is not there any more.
        """
        made = _Made(self, operation, limit)
        wrong = math.floor(self.order.examples * NEGATIVE_SHARE)
        left_out = ""
        gone: GoneError | None = None
        try:
            with _time_limit(limit):
                left_out = made.of_kind(GenerationMode.POSITIVE, self.order.examples - wrong)
                if wrong and not left_out:
                    made.of_kind(GenerationMode.NEGATIVE, wrong)
        except OverError as over_error:
            left_out = str(over_error)
        except GoneError as error:
            gone, left_out = error, error.what
        self._keep(made)
        tried = TriedOperation(
            operation=operation.label,
            requests=made.requests,
            statuses={str(status): count for status, count in sorted(made.statuses.items())},
            left_out=left_out,
        )
        if gone is not None:
            raise GoneError(gone.what, tried)
        return tried

    def class_of(self, key: object) -> type[_FoundError]:
        """The class of a fault: hypothesis takes two failures for the same if their classes are."""
        return self._classes.setdefault(key, type("FoundError", (_FoundError,), {}))

    def _keep(self, made: _Made) -> None:
        for shown in made.shown.values():
            if len(self.findings) >= MAX_FINDINGS:
                return
            kept_as = f"{INTERFACE_FOLDER}/{BODIES}"
            curl, body = shown_request(shown.request, self.order.origin, self.order.folder / BODIES, kept_as)
            self.findings.append(
                InterfaceFinding(
                    operation=made.operation.label,
                    kind=shown.fault.kind,
                    what=shown.fault.what,
                    status=shown.status,
                    count=shown.count,
                    curl=curl,
                    body=f"{kept_as}/{body}" if body is not None else None,
                )
            )
        for what in made.unusable:
            self.findings.append(InterfaceFinding(operation=made.operation.label, kind="document", what=what))


class _Made:
    """The requests of one operation."""

    def __init__(self, requests_: MadeUpRequests, operation: Operation, over_at: float) -> None:
        self.all, self.operation, self._over_at = requests_, operation, over_at
        self.requests = 0
        self.statuses: dict[int, int] = {}
        self.shown: dict[tuple[object, ...], _Shown] = {}
        self.unusable: list[str] = []
        self._made = 0

    def of_kind(self, mode: GenerationMode, examples: int) -> str:
        """Requests of one kind; why there are none, if the document lets none be made."""
        order = self.all.order
        self._limit = self.requests + examples + MAX_SHRINKS
        self._before = self.requests

        @seed(order.seed)
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        )
        @given(st.data())
        def each(data: st.DataObject) -> None:
            self._put(data.draw(strategy))

        try:
            described = self.all.checks.schema[self.operation.path][self.operation.method]
            strategy = described.as_strategy(generation_mode=mode)
            each()
        except _FoundError:
            pass
        except Unsatisfiable:
            return self._none(mode, "no request fits what it asks for")
        except Exception as error:  # what cannot be made a request is the document's; what was found stays
            if self.requests == self._before:
                lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
                return self._none(mode, one_line(lines[0])[:200])
        return ""

    def _none(self, mode: GenerationMode, why: str) -> str:
        """No request: a fault of the document where they were to hold what it asks for."""
        if mode is GenerationMode.NEGATIVE:
            return ""
        self.unusable.append(f"no request can be made up for it: {why}")
        return why

    def _put(self, case: Case[Any]) -> None:
        if time.monotonic() > self._over_at:
            raise OverError("its time was over")
        order = self.all.order
        try:
            request = prepared_request(
                case.as_transport_kwargs(base_url=order.origin + self.all.checks.document.base_path)
            )
        except ValueError:
            request = None
        assume(request is not None)
        if request is None or self.requests >= self._limit:
            raise OverError("")
        self.requests += 1
        try:
            answer = send(request, order.timeout_s)
        except UnansweredError as error:
            self._found(AnswerFault("no-answer", str(error)), None, request)
            self._must_live(str(error))
            raise self.all.class_of(("no-answer",)) from None
        self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1
        if answer.status >= 500:
            faults = [AnswerFault("server-error", f"answers {answer.status}, a server error")]
        else:
            faults = self.all.checks.faults(self.operation, answer)
        for fault in faults:
            self._found(fault, answer.status, request)
        if faults:
            raise self.all.class_of((faults[0].kind, answer.status, faults[0].place))

    def _found(self, fault: AnswerFault, status: int | None, request: requests.PreparedRequest) -> None:
        key = (fault.kind, status, fault.place)
        known = self.shown.get(key)
        if known is None:
            self.shown[key] = _Shown(fault, status, request)
            return
        known.count += 1
        if weight(request) < weight(known.request):
            known.fault, known.request = fault, request

    def _must_live(self, what: str) -> None:
        """A service that does not answer to anything is not asked any more."""
        order = self.all.order
        ready = prepared_request({"method": "GET", "url": order.origin + order.ready})
        for _ in range(2):
            try:
                send(ready, ALIVE_S)
            except UnansweredError:
                time.sleep(0.2)
            else:
                return
        raise GoneError(f"the service {what}, and does not answer any more")


@contextlib.contextmanager
def _time_limit(limit: float) -> Iterator[None]:
    """Ends what takes longer than its time, also within one request or one of Python's patterns."""

    def over(_number: int, _frame: FrameType | None) -> None:
        raise OverError("its time was over")

    signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, max(0.01, limit - time.monotonic()) + 0.5, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _contents(inputs: Sequence[Path]) -> list[bytes]:
    """Those of the suite's files that are small, the smallest first: it is the one that a fault is shown with."""
    sized = sorted((path.stat().st_size, str(path)) for path in inputs)
    small = [path for size, path in sized if size <= MAX_INPUT_BYTES][:MAX_INPUTS]
    return list(dict.fromkeys(Path(path).read_bytes() for path in small))


def _file_types(operations: Sequence[Operation]) -> set[str]:
    """Media types of bodies that are a file as it is."""
    found = set()
    for operation in operations:
        content = (operation.body or {}).get("content")
        for name in content if isinstance(content, dict) else ():
            plain = str(name).partition(";")[0].strip().lower()
            if (
                "/" in plain
                and plain not in _OWN_FORMS
                and not plain.endswith(("json", "xml", "yaml"))
                and "*" not in plain
            ):
                found.add(plain)
    return found
