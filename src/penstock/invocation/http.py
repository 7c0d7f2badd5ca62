"""The model is a service: started once, called once a case, started again after it crashed or hung."""

from __future__ import annotations

import contextlib
import mimetypes
import random
import re
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import httpx

from penstock.contract.models import Case, Contract, Http
from penstock.contract.presets import request_fields, request_files, service_argv
from penstock.foundation.errors import WorldError, printable
from penstock.foundation.files import open_inside, replacing
from penstock.foundation.nvidia import gpu_used_mib
from penstock.invocation.connection import HandedOver
from penstock.invocation.driver import CallResult
from penstock.invocation.log import BoundedLog
from penstock.invocation.memory import MemoryWatch
from penstock.invocation.model_process import ModelProcess, describe_exit
from penstock.invocation.sandbox import Sandbox
from penstock.invocation.scratch import MAX_OUTPUT_BYTES, Scratch

READY_POLL_S = 0.1
READY_REQUEST_S = 2.0
CONNECT_S = 10.0
DEATH_GRACE_S = 1.0
"""After a broken connection, how long to wait for the process's end, which explains it."""
MAX_FAILED_STARTS = 3
PORTS: Final = range(20000, 32000)
"""Below the ports that the kernel gives to outgoing connections: none of those takes ours before the model does."""
ERROR_CHARACTERS = 200


class HttpModel:
    """See :class:`penstock.invocation.driver.Model`.

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
        self._base = ""
        self._ready_timeout_s = ready_timeout_s or http.ready_timeout_s
        self._process: ModelProcess | None = None
        self._warm = False
        self._starts = 0
        self._failed_starts = 0
        self._problem: str | None = None
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
        if self._problem is None:
            self._problem = self._revive()
        return self._starts

    def others_took(self, gpu_mib: float) -> None:
        if self._gpu_before is not None:
            self._gpu_before += gpu_mib

    def close(self) -> None:
        self._end()
        self._client.close()

    def call(self, case: Case, inputs: dict[str, Path], output: Path, timeout_s: float) -> CallResult:
        self.revive()
        if self._problem is not None:
            problem, self._problem = self._problem, None
            return CallResult("failed", error=problem)
        self._log.mark()
        self._log.note(f"case {case.name}")
        with MemoryWatch(self._process.supervisor if self._process else None, gpu_before_mib=self._gpu_before) as watch:
            result = self._request(case, inputs, output, timeout_s)
        result = replace(result, peak_memory_mib=watch.peak_mib, gpu_memory_mib=watch.gpu_mib)
        if result.status == "ok":
            self._warm = True
        elif result.status == "timeout":
            self._end()  # it may be wedged; the next case meets a fresh one
        return result

    def _connect(self, port: int, timeout_s: float) -> socket.socket:
        if self._process is None:
            raise ConnectionResetError("the model is not started")
        return self._process.connect(port, timeout_s)

    # starting and ending

    def _start(self) -> None:
        self._warm = False
        for last_try in (False, False, True):
            port = free_port()
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
                    _deadline(request_s) as cut,
                    self._client.stream(
                        "GET", self._base + self._http.ready, timeout=request_s + 1, extensions={"trace": cut.trace}
                    ) as response,
                ):
                    if response.status_code == 200:
                        self._failed_starts = 0
                        self._starts += 1
                        return
                    answer = f"it answered {response.status_code}"
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
        self._warm = False

    # one call

    def _request(self, case: Case, inputs: dict[str, Path], output: Path, timeout_s: float) -> CallResult:
        fields = request_fields(self._contract, case)
        begin = time.monotonic()
        with contextlib.ExitStack() as stack:
            files = {
                field: (
                    _file_name(name, inputs[name]),
                    stack.enter_context(open_inside(inputs[name], where=f"input '{name}' of case '{case.name}'")),
                    _media_type(inputs[name]),
                )
                for field, name in request_files(self._contract, case).items()
            }
            cut = stack.enter_context(_deadline(timeout_s))
            try:
                timeout = httpx.Timeout(timeout_s + 1, connect=min(CONNECT_S, timeout_s))
                with self._client.stream(
                    self._http.method,
                    self._base + self._http.path,
                    data=fields,
                    files=files,
                    headers={"Accept": self._http.response, "Accept-Encoding": "identity"},
                    timeout=timeout,
                    extensions={"trace": cut.trace},
                ) as response:
                    problem = self._receive(response, output)
                    latency = time.monotonic() - begin
                    if problem is None:
                        return CallResult("ok", latency_s=latency, http_status=response.status_code)
                    return CallResult("failed", latency_s=latency, http_status=response.status_code, error=problem)
            except httpx.HTTPError as error:
                return self._broken(
                    error, expired=cut.expired or isinstance(error, httpx.ReadTimeout), timeout_s=timeout_s
                )

    def _receive(self, response: httpx.Response, output: Path) -> str | None:
        """Check the answer and write it to ``output``; return what is wrong with it, else ``None``."""
        if not 200 <= response.status_code < 300:
            said = b""
            for chunk in response.iter_raw(1024):
                said += chunk
                if len(said) >= 4 * ERROR_CHARACTERS:
                    break
            text = printable(" ".join(said.decode("utf-8", errors="replace").split())[:ERROR_CHARACTERS])
            return f"the model answered {response.status_code}: {text or '(nothing)'}"
        media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != self._http.response:
            said_type = printable(media_type[:100]) or "no content type"
            return f"the model answered '{said_type}' where '{self._http.response}' was expected"
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            return "the model compressed its answer though it was asked not to"
        problem: str | None = None
        size = 0
        with contextlib.suppress(_RefusedError), replacing(output) as temporary:
            with temporary.open("wb") as file:
                for chunk in response.iter_raw(1 << 18):
                    size += len(chunk)
                    if size > MAX_OUTPUT_BYTES:
                        problem = f"the model's answer is larger than {MAX_OUTPUT_BYTES >> 20} MiB"
                        raise _RefusedError
                    file.write(chunk)
            if size == 0:
                problem = "the model's answer is empty"
                raise _RefusedError
        return problem

    def _broken(self, error: httpx.HTTPError, *, expired: bool, timeout_s: float) -> CallResult:
        """The result of a call that came to no whole answer."""
        ended = self._process.wait(0.0 if expired else DEATH_GRACE_S) if self._process else None
        if ended is not None:
            text = f"the model {describe_exit(ended.code)} during the call; the end of its log: {self._log.end()}"
            return CallResult("failed", exit_code=ended.code, error=text)
        if expired:
            return CallResult("timeout", error=f"the model did not answer within {timeout_s:g} s")
        return CallResult("failed", error=printable(f"the connection to the model broke: {error}"))


class _RefusedError(Exception):
    """Leaves a ``replacing`` block without keeping the file."""


class _Cut:
    """Ends a connection at a deadline: the client's limits are for one read; a peer that trickles never meets them."""

    def __init__(self) -> None:
        self.expired = False
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()

    def trace(self, name: str, info: dict[str, Any]) -> None:
        """What httpcore calls at each stage; the connection's socket is learnt here."""
        if name == "connection.connect_tcp.complete":
            with self._lock:
                self._socket = info["return_value"].get_extra_info("socket")
            if self.expired:
                self.now()

    def now(self) -> None:
        with self._lock:
            self.expired = True
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def _deadline(seconds: float) -> Iterator[_Cut]:
    cut = _Cut()
    timer = threading.Timer(seconds, cut.now)
    timer.daemon = True
    timer.start()
    try:
        yield cut
    finally:
        timer.cancel()


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


def _file_name(name: str, path: Path) -> str:
    """A neutral name: what the suite's files are called must not decide what the model answers."""
    suffix = path.suffix.lower()
    return f"{name}{suffix}" if re.fullmatch(r"\.[a-z0-9]{1,8}", suffix) else name


def _media_type(path: Path) -> str:
    return mimetypes.guess_type(path.name)[0] or "application/octet-stream"
