"""One call of a service, wherever it runs: the request for a case, and what comes back."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from penstock.bundle.models import Refusal
from penstock.contract.expectation import Expect
from penstock.contract.http_call import HttpCall
from penstock.contract.models import Case, Contract
from penstock.contract.request import http_of
from penstock.foundation.errors import one_line, printable
from penstock.invocation.deadlines import DEADLINES
from penstock.invocation.http_answer import (
    ERROR_CHARACTERS,
    JSON,
    AnswerError,
    NotRefusedError,
    check_refusal,
    keep_answer,
)
from penstock.invocation.http_request import RequestContent
from penstock.invocation.model import CallResult

CONNECT_S = 10.0
IDENTITY = {"Accept-Encoding": "identity"}
"""An answer is kept as it is: compressed, it would have to be inflated first, to nobody knows what size."""
WHOLE_BYTES = 1 << 20
"""A body of up to so many is sent as a whole: a form's parts one by one wake the service for each."""
CONNECTED = ("connection.connect_tcp.complete", "connection.start_tls.complete")


class BrokenExchangeError(Exception):
    """A call came to no whole answer."""

    def __init__(self, reason: str, *, expired: bool, refusal: Refusal | None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.expired = expired
        """The time was over."""
        self.refusal = refusal

    def result(self, error: str) -> CallResult:
        """What the call came to, for ``error`` in words."""
        return CallResult("timeout" if self.expired else "failed", error=error, broken_off=True, refusal=self.refusal)


def exchange(
    client: httpx.Client,
    base: str,
    contract: Contract,
    case: Case,
    inputs: dict[str, Path],
    output: Path,
    timeout_s: float,
    *,
    name: str,
) -> CallResult:
    """Make one call; an answer that is not as it should be is a result.

    Args:
        client: whose transport reaches the service.
        base: the service's address, without the call's path.
        contract: says what is sent and what is to come back.
        case: what is put to it.
        inputs: the case's files.
        output: where the answer goes.
        timeout_s: for the whole call.
        name: which of the contract's calls.

    Raises:
        BrokenExchangeError: no whole answer came.
        WorldError: the disk is full.
    """
    call = http_of(contract).named_calls[name]
    expect = case.expect if case.expect is not None and case.expect.call in (None, name) else None
    with contextlib.ExitStack() as stack:
        content = RequestContent(contract, case, name, inputs, stack)
        begin = time.monotonic()
        cut = stack.enter_context(cut_after(timeout_s))
        try:
            request = client.build_request(
                content.method,
                base + content.target,
                headers={"Accept": JSON if call.answer else call.response, **IDENTITY, **content.headers},
                timeout=httpx.Timeout(timeout_s + 1, connect=min(CONNECT_S, timeout_s)),
                extensions={"trace": cut.trace},
                **content.body,
            )
            if int(request.headers.get("Content-Length", WHOLE_BYTES + 1)) <= WHOLE_BYTES:
                request.read()
            try:
                answer = client.send(request, stream=True)
            except (httpx.InvalidURL, UnicodeError) as error:  # httpx reads 'Location', although nobody goes there
                said = f"the model redirects to what is no address: {one_line(str(error))[:ERROR_CHARACTERS]}"
                otherwise: Refusal | None = "otherwise" if expect is not None else None
                return CallResult("failed", time.monotonic() - begin, error=said, refusal=otherwise)
            with contextlib.closing(answer) as response:
                problem, refusal = _received(response, call, expect, output)
                return CallResult(
                    "ok" if problem is None else "failed",
                    latency_s=time.monotonic() - begin,
                    http_status=response.status_code,
                    error=problem,
                    refusal=refusal,
                )
        except httpx.HTTPError as error:
            expired = cut.expired or isinstance(error, httpx.ReadTimeout)
            refusal = "otherwise" if expect is not None else None
            raise BrokenExchangeError(printable(str(error)), expired=expired, refusal=refusal) from error


def _received(
    response: httpx.Response, call: HttpCall, expect: Expect | None, output: Path
) -> tuple[str | None, Refusal | None]:
    """Look at an answer; return what is wrong with it, and what came of a refusal that was expected."""
    try:
        if expect is not None:
            check_refusal(response, expect)
            return None, "as_expected"
        keep_answer(response, call, output)
    except NotRefusedError as error:
        return str(error), "accepted"
    except AnswerError as error:
        return str(error), "otherwise" if expect is not None else None
    return None, None


class Cut:
    """Ends a connection at a deadline: the client's limits are for one read; a peer that trickles never meets them."""

    def __init__(self) -> None:
        self.expired = False
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()

    def trace(self, name: str, info: dict[str, Any]) -> None:
        """What httpcore calls at each stage; the connection's socket is learnt here."""
        if name in CONNECTED:
            with self._lock:
                self._socket = info["return_value"].get_extra_info("socket")
            if self.expired:
                self.now()

    def now(self) -> None:
        """End it."""
        with self._lock:
            self.expired = True
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def cut_after(seconds: float) -> Iterator[Cut]:
    """For the block: the connection whose ``trace`` is given to httpx is ended after so many seconds."""
    cut = Cut()
    deadline = DEADLINES.set(seconds, cut.now)
    try:
        yield cut
    finally:
        deadline.call_off()
