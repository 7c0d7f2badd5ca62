"""A service that is started, asked, signalled and started again as its owner says.

:class:`penstock.invocation.http.HttpModel` starts a service again on its own and waits until it is ready. Here both are
what is looked at: when it is ready, whether that is true, and what is left of it once it was killed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import socket
import time
from pathlib import Path
from typing import Final

import httpx

from penstock.contract.http_call import Http
from penstock.contract.models import Case, Contract
from penstock.contract.request import service_argv
from penstock.foundation.nvidia import gpu_used_mib
from penstock.invocation.connection import HandedOver
from penstock.invocation.http import free_port, not_ready
from penstock.invocation.http_exchange import BrokenExchangeError, cut_after
from penstock.invocation.http_exchange import exchange as call_once
from penstock.invocation.launch import watched_descendants
from penstock.invocation.log import BoundedLog
from penstock.invocation.memory import MIB, rss_bytes
from penstock.invocation.model_process import ModelProcess, describe_exit
from penstock.invocation.sandbox import Sandbox
from penstock.invocation.scratch import Scratch
from penstock.load.exchange import Exchange
from penstock.load.load_request import Destination
from penstock.load.readiness import PROBE_S
from penstock.load.timeline import RequestEnding

DIAL_S: Final = 2.0
"""For the launcher to hand a socket over."""
END_OF_LOG: Final = 200


class ServiceProcess:
    """See the module's text. Close it in the end; nothing of it is alive then."""

    def __init__(self, contract: Contract, http: Http, sandbox: Sandbox, scratch: Scratch, log: BoundedLog) -> None:
        self._contract = contract
        self._http = http
        self._sandbox = sandbox
        self._scratch = scratch
        self._log = log
        self._port = 0
        self._process: ModelProcess | None = None
        self.gpu_before_mib: float | None = None
        """What was in use on the cards before it was started; ``None``: there is no card."""
        # Nothing of this machine's proxies, .netrc or certificates may have a say in a call to the model.
        self._client = httpx.Client(trust_env=False, follow_redirects=False, transport=HandedOver(self._connect))

    @property
    def supervisor(self) -> int | None:
        """Process id of the launcher; the service's processes are its descendants."""
        return self._process.supervisor if self._process is not None else None

    @property
    def files(self) -> int:
        """Handle of the one directory in which it may write."""
        return self._scratch.descriptor

    @property
    def destination(self) -> Destination:
        """Where requests go, as the load generator wants it."""
        return Destination("127.0.0.1", self._port, socket.AF_INET, ("127.0.0.1", self._port), dial=self._dial)

    def start(self, *, on_what_was_left: bool = False) -> None:
        """Start it, in place of what is left of an earlier one; whether it is ready is for :meth:`probe`.

        Args:
            on_what_was_left: on the same port, with the files that the earlier one has left, as a cluster starts a
                container again in its pod.

        Raises:
            WorldError: the program cannot be started.
        """
        self._end()
        if not on_what_was_left or not self._port:
            self._port = free_port()
            self._scratch.tidy()
        self.gpu_before_mib = gpu_used_mib()
        argv = service_argv(self._contract, self._port)
        self._log.mark()
        self._log.note(f"starting {' '.join(argv)}")
        self._process = ModelProcess(argv, self._sandbox, self._log, port=self._port)

    def probe(self) -> Exchange:
        """Ask it whether it is ready, as the contract says how."""
        began = time.perf_counter()

        def took() -> float:
            return time.perf_counter() - began

        try:
            with (
                cut_after(PROBE_S) as cut,
                self._client.stream(
                    "GET", self._base + self._http.ready, timeout=PROBE_S + 1, extensions={"trace": cut.trace}
                ) as response,
            ):
                waiting = not_ready(response, self._http)
                status = response.status_code
        except httpx.ConnectError:
            return Exchange(RequestEnding.REFUSED, took(), 0, "nothing answered on its port")
        except httpx.TimeoutException:
            return Exchange(RequestEnding.TIMEOUT, took(), 0, f"it did not answer within {PROBE_S:g} s")
        except httpx.HTTPError:
            return Exchange(RequestEnding.RESET, took(), 0, "the connection broke before an answer")
        if waiting is None:
            return Exchange(RequestEnding.GOOD, took(), status)
        return Exchange(RequestEnding.STATUS, took(), status, waiting)

    def ask(self, case: Case, inputs: dict[str, Path], name: str, timeout_s: float, output: Path) -> Exchange:
        """Put a case to it, and look whether the answer is one, as *infer* does.

        Args:
            case: what is put to it.
            inputs: the case's files.
            name: which of the contract's calls.
            timeout_s: for the whole answer.
            output: where the answer goes; it is removed again.
        """
        began = time.perf_counter()
        try:
            result = call_once(self._client, self._base, self._contract, case, inputs, output, timeout_s, name=name)
        except BrokenExchangeError as broken:
            ending = RequestEnding.TIMEOUT if broken.expired else RequestEnding.RESET
            why = f"it did not answer within {timeout_s:g} s" if broken.expired else "the connection broke"
            return Exchange(ending, time.perf_counter() - began, 0, why)
        finally:
            output.unlink(missing_ok=True)
        seconds, status = time.perf_counter() - began, result.http_status or 0
        if result.status == "ok":
            return Exchange(RequestEnding.GOOD, seconds, status)
        return Exchange(RequestEnding.STATUS, seconds, status, " ".join((result.error or "").split()))

    def ended(self, wait_s: float = 0.0) -> str | None:
        """How it has ended, in words; ``None`` if it has not after so many seconds."""
        if self._process is None:
            return "is not started"
        found = self._process.wait(wait_s)
        if found is None:
            return None
        return f"{describe_exit(found.code)}; the end of its log: {' '.join(self._log.end(END_OF_LOG).split())}"

    def send_signal(self, number: int) -> bool:
        """Signal its first process alone, as a cluster does; False if it is gone."""
        return self._process is not None and self._process.send_signal(number)

    def kill_largest(self) -> str:
        """Kill the process with the most memory, as the kernel does when memory runs out; says which it was."""
        pids = watched_descendants(self.supervisor) if self.supervisor is not None else []
        if not pids:
            return "none: it had ended"
        largest = max(pids, key=rss_bytes)
        held = rss_bytes(largest) / MIB
        with contextlib.suppress(ProcessLookupError):
            os.kill(largest, signal.SIGKILL)
        return f"{'the first' if largest == pids[0] else 'one'} of {len(pids)} processes, with {held:.0f} MiB"

    def close(self) -> None:
        """End it and all its processes."""
        self._end()
        self._client.close()

    @property
    def _base(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def _end(self) -> None:
        if self._process is not None:
            self._process.stop()
            self._process = None

    def _connect(self, port: int, timeout_s: float) -> socket.socket:
        if self._process is None:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "the service is not started")
        return self._process.connect(port, timeout_s)

    def _dial(self) -> socket.socket:
        """A connection for the load generator. Where the service and its launcher are gone, it is refused."""
        try:
            return self._connect(self._port, DIAL_S)
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise
            raise ConnectionRefusedError(errno.ECONNREFUSED, "the service is gone") from error
