"""The model is a service: started once, called once a case, started again after it crashed or hung."""

from __future__ import annotations

import random
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

import httpx

from penstock.contract.http_call import Http
from penstock.contract.models import Case, Contract
from penstock.contract.request import service_argv
from penstock.foundation.errors import WorldError, printable
from penstock.foundation.json_path import mismatch
from penstock.foundation.nvidia import gpu_used_mib
from penstock.foundation.strict_json import JsonError, read_json, show_json
from penstock.invocation.connection import HandedOver
from penstock.invocation.http_exchange import BrokenExchangeError, cut_after, exchange
from penstock.invocation.log import BoundedLog
from penstock.invocation.memory import MemoryWatch
from penstock.invocation.model import CallResult
from penstock.invocation.model_process import ModelProcess, describe_exit
from penstock.invocation.sandbox import Sandbox
from penstock.invocation.scratch import Scratch

READY_POLL_S = 0.1
READY_REQUEST_S = 2.0
DEATH_GRACE_S = 1.0
"""After a broken connection, how long to wait for the process's end, which explains it."""
MAX_FAILED_STARTS = 3
PORTS: Final = range(20000, 32000)
"""Below the ports that the kernel gives to outgoing connections: none of those takes ours before the model does."""
MAX_READY_BYTES = 1 << 20


class HttpModel:
    """See :class:`penstock.invocation.model.Model`.

    Raises:
        WorldError: it did not start, ended while starting, or was not ready in time.
    """

    def __init__(
        self,
        contract: Contract,
        http: Http,
        sandbox: Sandbox,
        scratch: Scratch,
        log: BoundedLog,
        *,
        ready_timeout_s: float | None = None,
    ) -> None:
        self._contract = contract
        self._http = http
        self._sandbox = sandbox
        self._scratch = scratch
        self._log = log
        self._base, self._port = "", 0
        self._ready_timeout_s = ready_timeout_s or http.ready_timeout_s
        self._process: ModelProcess | None = None
        self._warm = False
        self._starts = 0
        self._failed_starts = 0
        self._problem: str | None = None
        self._lock = threading.RLock()
        """Held while the process or what is known about it changes or is asked; never during a call."""
        self._under_way = 0
        self._wedged = False
        self._gpu_before = gpu_used_mib()
        # Nothing of this machine's proxies, .netrc or certificates may have a say in a call to the model.
        self._client = httpx.Client(trust_env=False, follow_redirects=False, transport=HandedOver(self._connect))
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    @property
    def warm(self) -> bool:
        return self._warm

    def revive(self) -> int:
        with self._lock:
            if self._problem is None and self._under_way == 0:
                self._problem = self._revive()
            return self._starts

    def others_took(self, gpu_mib: float) -> None:
        if self._gpu_before is not None:
            self._gpu_before += gpu_mib

    def connect(self, timeout_s: float) -> socket.socket:
        """A TCP connection to the service, or one that is being made, whatever network it is in.

        Raises:
            OSError: nothing listens there, or the model is gone.
        """
        return self._connect(self._port, timeout_s)

    def close(self) -> None:
        self._end()
        self._client.close()

    def call(
        self, case: Case, inputs: dict[str, Path], output: Path, timeout_s: float, *, name: str = ""
    ) -> CallResult:
        with self._lock:
            self.revive()
            if self._problem is not None:
                problem, self._problem = self._problem, None
                return CallResult("failed", error=problem, refusal="otherwise" if case.expect else None)
            self._log.mark()
            self._log.note(f"case {case.name}: {name}" if name else f"case {case.name}")
            supervisor = self._process.supervisor if self._process else None
            self._under_way += 1
        try:
            with MemoryWatch(supervisor, gpu_before_mib=self._gpu_before) as watch:
                result = self._request(case, inputs, output, timeout_s, name)
            self._settle(result)
        finally:
            self._leave()
        return replace(result, peak_memory_mib=watch.peak_mib, gpu_memory_mib=watch.gpu_mib)

    def _settle(self, result: CallResult) -> None:
        with self._lock:
            if result.status == "ok":
                self._warm = True
            self._wedged |= result.status == "timeout"

    def _leave(self) -> None:
        """A call is over. After one that hung the service may be wedged: the next case meets a fresh one."""
        with self._lock:
            self._under_way -= 1
            if self._wedged and self._under_way == 0:
                self._end()

    def _connect(self, port: int, timeout_s: float) -> socket.socket:
        with self._lock:
            if self._process is None:
                raise ConnectionResetError("the model is not started")
            return self._process.connect(port, timeout_s)

    # starting and ending

    def _start(self) -> None:
        self._warm = False
        for last_try in (False, False, True):
            port = self._port = free_port()
            self._base = f"http://127.0.0.1:{port}"
            self._log.mark()
            argv = service_argv(self._contract, port)
            self._scratch.tidy()
            self._log.note(f"starting {' '.join(argv)}")
            self._process = ModelProcess(argv, self._sandbox, self._log, port=port)
            try:
                self._await_ready(self._process)
                return
            except WorldError:
                self._end()
                if last_try or "address already in use" not in self._log.end().lower():
                    raise

    def _await_ready(self, process: ModelProcess) -> None:
        deadline = time.monotonic() + self._ready_timeout_s
        answer = "nothing answered"
        while (left := deadline - time.monotonic()) > 0:
            request_s = min(READY_REQUEST_S, left)
            try:
                with (
                    cut_after(request_s) as cut,
                    self._client.stream(
                        "GET", self._base + self._http.ready, timeout=request_s + 1, extensions={"trace": cut.trace}
                    ) as response,
                ):
                    waiting = not_ready(response, self._http)
                    if waiting is None:
                        self._failed_starts = 0
                        self._starts += 1
                        return
                    answer = waiting
            except httpx.HTTPError:
                pass
            pause = min(READY_POLL_S, max(0.0, deadline - time.monotonic()))
            if (ended := process.wait(pause)) is not None:
                raise WorldError(
                    f"the model {describe_exit(ended.code)} before it was ready; the end of its log: {self._log.end()}",
                    todo="Run its 'call.http.argv' by hand in the repository.",
                )
        raise WorldError(
            f"the model was not ready after {self._ready_timeout_s:g} s (GET {self._http.ready}: {answer}); "
            f"the end of its log: {self._log.end()}",
            todo="Correct 'call.http.ready', or raise 'ready_timeout_s'.",
        )

    def _revive(self) -> str | None:
        """Have a running service, started again if it is gone; else why there is none."""
        if self._process is not None and self._process.running():
            return None
        if self._failed_starts >= MAX_FAILED_STARTS:
            return f"the model could not be started again ({self._failed_starts} times in a row); no more tries"
        self._end()
        try:
            self._start()
        except WorldError as error:
            self._failed_starts += 1
            return f"the model could not be started again: {error.what}"
        return None

    def _end(self) -> None:
        if self._process is not None:
            self._process.stop()
            self._process = None
        self._warm = self._wedged = False

    # one call

    def _request(self, case: Case, inputs: dict[str, Path], output: Path, timeout_s: float, name: str) -> CallResult:
        try:
            return exchange(self._client, self._base, self._contract, case, inputs, output, timeout_s, name=name)
        except BrokenExchangeError as broken:
            return self._broken(broken, timeout_s=timeout_s)

    def _broken(self, broken: BrokenExchangeError, *, timeout_s: float) -> CallResult:
        """The result of a call that came to no whole answer."""
        with self._lock:
            ended = self._process.wait(0.0 if broken.expired else DEATH_GRACE_S) if self._process else None
        if ended is not None:
            text = f"the model {describe_exit(ended.code)} during the call; the end of its log: {self._log.end()}"
            return replace(broken.result(text), status="failed", exit_code=ended.code)
        if broken.expired:
            return broken.result(f"the model did not answer within {timeout_s:g} s")
        return broken.result(f"the connection to the model broke: {broken.reason}")


def not_ready(response: httpx.Response, http: Http) -> str | None:
    """What a service that is not ready yet has answered; ``None`` if it is ready."""
    if response.status_code != 200:
        return f"it answered {response.status_code}"
    if not http.ready_json:
        return None
    content = bytearray()
    for chunk in response.iter_raw():
        content += chunk
        if len(content) > MAX_READY_BYTES:
            return "it answered more than 1 MiB"
    try:
        value = read_json(bytes(content))
    except JsonError as error:
        return f"its answer is no JSON: {printable(str(error))}"
    return None if mismatch(value, http.ready_json) is None else f"it answered {show_json(value)}"


def free_port() -> int:
    """A loopback TCP port that nobody listens on now.

    Raises:
        WorldError: none was found.
    """
    for port in random.sample(PORTS, 200):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise WorldError("no free TCP port was found on this machine", todo="End programs that listen on ports.")
