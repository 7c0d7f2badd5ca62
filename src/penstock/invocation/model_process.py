"""One model process with all its children: started confined, watched, and ended for certain."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from types import TracebackType

from penstock.foundation.errors import WorldError
from penstock.invocation import launch
from penstock.invocation.log import BoundedLog
from penstock.invocation.sandbox import Sandbox

GRACE_S = 3.0
START_LIMIT_S = 30.0
LAUNCHER_LIMIT_S = 5.0
"""A launcher that is not done so long after it should be is ended itself."""
START_ADVICE = (
    "Correct 'argv' in penstock.yaml. A Python environment is not in the clone: name it by 'call.python' or --python, "
    "and write 'python' in 'argv'."
)


@dataclass(frozen=True)
class Exit:
    """How a process ended: its exit code, or minus the signal's number; and the peak of its own resident memory."""

    code: int
    max_rss_mib: float


class ModelProcess:
    """A started model. Use as a context manager: when the block is left, no process of the tree is alive.

    Between Penstock and the model stands :mod:`penstock.invocation.launch`, which ends the tree also when Penstock
    itself is killed. Not safe to use from several threads.

    Raises:
        WorldError: the program could not be started (not found, not executable, no such directory).
    """

    def __init__(
        self, argv: list[str], sandbox: Sandbox, log: BoundedLog, *, port: int | None = None, grace_s: float = GRACE_S
    ) -> None:
        self._log = log
        self._said = b""
        self._exit: Exit | None = None
        self._grace_s = grace_s
        sandbox.prepare()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._supervisor = subprocess.Popen(
            sandbox.launcher(argv, theirs.fileno()),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": os.defpath, "LANG": "C.UTF-8"},
            cwd="/",
            start_new_session=True,
            pass_fds=(theirs.fileno(),),
            bufsize=0,
        )
        theirs.close()
        self._launcher = self._supervisor.pid
        assert self._supervisor.stdin is not None  # noqa: S101 (pipes were asked for)
        assert self._supervisor.stderr is not None  # noqa: S101
        self._drain = log.drain(self._supervisor.stderr)
        try:
            order = sandbox.order(argv, port=port, grace_s=grace_s)
            with contextlib.suppress(BrokenPipeError):
                _write_all(self._supervisor.stdin.fileno(), json.dumps(order).encode() + b"\n")
            self._await_start(argv)
            if sandbox.wrapped:  # then what was started is bwrap, and the launcher its only child
                self._launcher = next(iter(launch.descendants(self._supervisor.pid)), self._supervisor.pid)
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> ModelProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def supervisor(self) -> int:
        """Process id of the launcher; the model's processes are its descendants."""
        return self._launcher

    def connect(self, port: int, timeout_s: float) -> socket.socket:
        """A TCP socket that is connected, or is being connected, to a port of the model's own loopback.

        Raises:
            OSError: nothing listens there, or the model is gone.
        """
        self._control.settimeout(timeout_s)
        self._control.send(port.to_bytes(2, "big"))
        answer, handles, _, _ = socket.recv_fds(self._control, 4, 1)
        if not answer:
            raise ConnectionResetError(errno.ECONNRESET, "the model is gone")
        if problem := int.from_bytes(answer, "big"):
            raise OSError(problem, os.strerror(problem))
        return socket.socket(fileno=handles[0])

    def _await_start(self, argv: list[str]) -> None:
        line = self._next_line(time.monotonic() + START_LIMIT_S)
        if line is None or not line.startswith("started "):
            reason = (line or "").removeprefix("error ")
            if not reason:
                self._drain.join(timeout=2.0)
                reason = f"the launcher did not answer; it said: {self._log.end()}"
            raise WorldError(f"the model could not be started: {reason}", where=argv[0], todo=START_ADVICE)

    def _next_line(self, deadline: float) -> str | None:
        """The launcher's next line; ``None`` at the deadline or at its end."""
        pipe = self._supervisor.stdout
        assert pipe is not None  # noqa: S101
        while b"\n" not in self._said:
            if pipe.closed:
                return None
            ready = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))[0]
            chunk = os.read(pipe.fileno(), 4096) if ready else b""
            if not chunk:
                if ready:
                    pipe.close()
                return None
            self._said += chunk
        line, _, self._said = self._said.partition(b"\n")
        return line.decode(errors="replace")

    def wait(self, timeout_s: float) -> Exit | None:
        """Wait until the model's first process has ended; ``None`` if it has not after ``timeout_s`` seconds.

        Once it has, the rest of its tree is ended too, and the log is whole.
        """
        deadline = time.monotonic() + timeout_s
        while self._exit is None:
            line = self._next_line(deadline)
            if line is None:
                if self._supervisor.poll() is not None and self._exit is None:
                    self._exit = Exit(-signal.SIGKILL, 0.0)  # the launcher was killed, and the model with it
                    break
                if time.monotonic() >= deadline:
                    return None
                time.sleep(0.01)
            elif line.startswith("exit "):
                _, code, rss = line.split()
                self._exit = Exit(int(code), int(rss) / 1024)
        self._finish()
        return self._exit

    def send_signal(self, number: int) -> bool:
        """Signal the model's first process alone, as a cluster does, and not its children; False if it is gone."""
        first = next(iter(launch.watched_descendants(self._launcher)), None)
        if first is None or not self.running():
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(first, number)
        return True

    def running(self) -> bool:
        """Whether the model's first process lives."""
        return self.wait(0.0) is None

    def stop(self) -> None:
        """End the whole tree: asked to first, made to after the grace. Safe to call twice."""
        self._finish()

    def _finish(self) -> None:
        self._control.close()
        if self._supervisor.stdin is not None and not self._supervisor.stdin.closed:
            self._supervisor.stdin.close()  # also where bwrap is dead and the launcher is not
        try:
            self._supervisor.wait(timeout=self._grace_s + launch.KILL_LIMIT_S + LAUNCHER_LIMIT_S)
        except subprocess.TimeoutExpired:
            launch.kill_tree(self._supervisor.pid)  # before the launcher: without it they are nobody's descendants
            self._supervisor.kill()
            self._supervisor.wait()
        self._drain.join(timeout=2.0)
        for pipe in (self._supervisor.stdin, self._supervisor.stdout):
            if pipe is not None and not pipe.closed:
                pipe.close()


def describe_exit(code: int) -> str:
    """``exited with code 3``, or ``exited with code -6 (SIGABRT)`` where a signal ended it."""
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"exited with code {code} ({signal.Signals(-code).name})"
    return f"exited with code {code}"


def _write_all(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]
