"""Running one command to its end: output as it comes, a deadline, being stopped, and no process left behind."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from penstock.foundation.errors import WorldError

_DIRECTORY = str(Path(__file__).parent)
_BOOT = "import sys; sys.path.append(sys.argv[1]); import launcher; sys.exit(launcher.main())"
"""Imported rather than run as a script, so that its compiled form is used."""
_FOR_THE_GROUP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
GRACE_S = 5.0
"""How long a process has between SIGTERM and SIGKILL."""
_CHUNK_BYTES = 1 << 16


class Stop:
    """A request to stop that any thread can make and any number of processes can wait for."""

    def __init__(self) -> None:
        self._descriptor = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._lock = threading.Lock()
        self.reason = ""
        self.hurry = False

    def set(self, reason: str, *, hurry: bool = False) -> None:
        """Ask to stop; the first reason counts. ``hurry`` leaves no time to end well."""
        with self._lock:
            self.reason = self.reason or reason
            self.hurry = self.hurry or hurry
            if self._descriptor >= 0:
                os.eventfd_write(self._descriptor, 1)

    @property
    def requested(self) -> bool:
        """Whether somebody asked."""
        return bool(self.reason)

    def fileno(self) -> int:
        """Readable once somebody asked."""
        return self._descriptor

    def close(self) -> None:
        """Free the descriptor; nobody may be waiting any more."""
        with self._lock:
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1

    def wait(self, seconds: float) -> bool:
        """Wait at most ``seconds``. Returns whether somebody asked to stop."""
        with selectors.DefaultSelector() as selector:
            selector.register(self, selectors.EVENT_READ)
            return bool(selector.select(max(seconds, 0)))


class Ending(StrEnum):
    """How a command ended."""

    EXITED = "exited"
    NOT_STARTED = "not started"
    TIMED_OUT = "timed out"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Command:
    """What is run: never through a shell."""

    argv: Sequence[str]
    environment: Mapping[str, str]
    cwd: Path

    def payload(self) -> bytes:
        """The command as the launcher reads it."""
        variables = [f"{name}={value}" for name, value in self.environment.items()]
        parts = [str(self.cwd), str(len(self.argv)), *self.argv, *variables]
        data = b"\0".join(os.fsencode(part) for part in parts)
        return b"%010d" % len(data) + data


@dataclass(frozen=True)
class Outcome:
    """The end of a command."""

    ending: Ending
    exit_code: int = 0
    """The exit code; 255 if a signal ended it, as in Tekton."""
    error: str = ""
    """Why it could not be started."""
    signalled: bool = False
    """A signal ended it."""


Sink = Callable[[str, bytes], None]
"""Takes the name of the stream (``stdout``, ``stderr``) and what came."""


def run_command(
    command: Command, *, sink: Sink, stop: Stop, deadline: float | None = None, grace_s: float = GRACE_S
) -> Outcome:
    """Run ``command`` and wait until it and everything that it started is gone.

    Args:
        command: what to run.
        sink: gets its output, in this thread.
        stop: ends it early: SIGTERM to all its processes, SIGKILL after the grace.
        deadline: when it is ended early, by :func:`time.monotonic`.
        grace_s: seconds between SIGTERM and SIGKILL.

    Raises:
        WorldError: processes cannot be started on this machine.
    """
    if any("\0" in text for text in (*command.argv, *command.environment.values())):
        return Outcome(Ending.NOT_STARTED, 1, "an argument or variable contains a NUL byte")
    ours, theirs = socket.socketpair()
    with ours:
        try:
            launcher = _start_launcher(theirs.fileno())
        except OSError as error:
            what = f"cannot start a process: {os.strerror(error.errno or 0).lower()}"
            raise WorldError(what, todo="Free memory or processes and resume the run.") from error
        finally:
            theirs.close()
        with launcher:
            return _Watch(launcher, ours, sink, stop).run(command, deadline, grace_s)


def _start_launcher(control: int) -> subprocess.Popen[bytes]:
    """Start the program that watches the command.

    Until it has a session of its own it is in our process group, where Ctrl-C would end it before it can be told why.
    So what is sent to the group is blocked until then; the launcher forgets it and listens again.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _FOR_THE_GROUP)
    try:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _BOOT, _DIRECTORY, str(control)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(control,),
            start_new_session=True,
            env={name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ},
            cwd="/",
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Watch:
    def __init__(self, launcher: subprocess.Popen[bytes], control: socket.socket, sink: Sink, stop: Stop) -> None:
        self.launcher = launcher
        self.control = control
        self.sink = sink
        self.stop = stop
        self.answer = b""
        self.early: Ending | None = None
        self.kill_at: float | None = None
        self.selector = selectors.DefaultSelector()
        self.open = {"control"}

    def run(self, command: Command, deadline: float | None, grace_s: float) -> Outcome:
        with self.selector:
            self.selector.register(self.control, selectors.EVENT_READ, "control")
            for name, pipe in (("stdout", self.launcher.stdout), ("stderr", self.launcher.stderr)):
                assert pipe is not None  # noqa: S101
                os.set_blocking(pipe.fileno(), False)
                self.selector.register(pipe, selectors.EVENT_READ, name)
                self.open.add(name)
            self.selector.register(self.stop, selectors.EVENT_READ, "stop")
            try:
                with contextlib.suppress(OSError):
                    self.control.sendall(command.payload())
                while self.open:
                    self._once(deadline, grace_s)
            except BaseException:
                # the closing socket makes the launcher kill everything
                self.control.close()
                raise
        self.launcher.wait()
        return self._outcome(command)

    def _once(self, deadline: float | None, grace_s: float) -> None:
        now = time.monotonic()
        if self.early is None and deadline is not None and now >= deadline:
            self._end(Ending.TIMED_OUT, now + grace_s)
        if self.kill_at is not None and (now >= self.kill_at or self.stop.hurry):
            self.kill_at = None
            self._send(b"K")
        times = [time for time in (deadline if self.early is None else None, self.kill_at) if time is not None]
        wait = max(min(times) - now, 0) if times else None
        if self.kill_at is not None:
            wait = min(wait if wait is not None else 0.2, 0.2)
        for key, _ in self.selector.select(wait):
            if key.data == "stop":
                self.selector.unregister(self.stop)
                if self.early is None:
                    self._end(Ending.STOPPED, time.monotonic() + (0 if self.stop.hurry else grace_s))
            elif key.data == "control":
                self._control()
            else:
                self._output(key)

    def _end(self, how: Ending, kill_at: float) -> None:
        self.early = how
        self.kill_at = kill_at
        self._send(b"T")

    def _send(self, command: bytes) -> None:
        with contextlib.suppress(OSError):
            self.control.send(command)

    def _control(self) -> None:
        try:
            data = self.control.recv(256)
        except OSError:
            data = b""
        self.answer += data
        if not data:
            self.selector.unregister(self.control)
            self.open.discard("control")
            self.kill_at = None

    def _output(self, key: selectors.SelectorKey) -> None:
        try:
            data = os.read(key.fd, _CHUNK_BYTES)
        except BlockingIOError:
            return
        if data:
            self.sink(key.data, data)
        else:
            self.selector.unregister(key.fileobj)
            self.open.discard(key.data)

    def _outcome(self, command: Command) -> Outcome:
        kind, value = self.answer[:1], self.answer[1:].strip()
        if kind == b"E":
            reason = os.strerror(int(value)).lower()
            return Outcome(Ending.NOT_STARTED, 1, f"{command.argv[0]}: {reason}")
        if self.early is not None:
            return Outcome(self.early, 1)
        if kind != b"X":
            raise WorldError("the program that watches a step was killed", todo="Resume the run.")
        status = int(value)
        if not os.WIFEXITED(status):
            return Outcome(Ending.EXITED, 255, signalled=True)
        return Outcome(Ending.EXITED, os.WEXITSTATUS(status))
