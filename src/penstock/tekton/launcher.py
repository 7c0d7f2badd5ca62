"""The small program between the runner and a step: it starts the step and leaves nothing of it behind.

It is started as ``python -I -S -c BOOT DIRECTORY FD``. It reads the command from the socket ``FD``, starts it in a
session of its own, and reports its end. Every process that the step starts, also one that detaches itself, becomes a
child of this program (``PR_SET_CHILD_SUBREAPER``). When the step's first process ends, all others are killed, as in a
container; when the socket closes because the runner died, the whole tree is killed. Only modules that load fast are
used: this is most of what a step costs.

Messages to it: the length in 10 digits and as many bytes of ``cwd NUL count NUL argv… NUL env…``, then ``T``
(terminate) and ``K`` (kill). Messages from it: ``E<errno>`` (it could not be started), ``X<wait status>`` (it ended,
nothing is left).
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
import time

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
_LIBC = ctypes.CDLL(None, use_errno=True)


def read_exactly(control: int, size: int) -> bytes:
    """``size`` bytes of the socket; fewer if it closes before."""
    data = b""
    while len(data) < size and (chunk := os.read(control, min(size - len(data), 1 << 20))):
        data += chunk
    return data


def descendants() -> list[int]:
    """All processes below this one."""
    parents: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):  # noqa: PTH208
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123
                    state, parent = file.read().rpartition(b")")[2].split()[:2]
            except (OSError, ValueError):
                continue  # it has ended
            if state != b"Z":
                parents.setdefault(int(parent), []).append(int(name))
    found: list[int] = []
    queue = [os.getpid()]
    while queue:
        children = parents.get(queue.pop(), [])
        found += children
        queue += children
    return found


def signal_all(number: int) -> None:
    """Send a signal to every process below this one."""
    for pid in descendants():
        try:
            os.kill(pid, number)
        except OSError:
            continue  # it has ended, or belongs to another user


class Tree:
    """The step's first process and everything that came of it."""

    def __init__(self, first: int) -> None:
        self.first = first
        self.status: int | None = None

    def reap(self) -> bool:
        """Collect what ended. Returns whether anything is left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self.first:
                self.status = status

    def kill(self) -> None:
        """Kill all and wait until nothing is left. A process that cannot be killed is given up after 20 s."""
        deadline = time.monotonic() + 20
        pause = 0.0
        while self.reap() and time.monotonic() < deadline:
            signal_all(signal.SIGKILL)
            if not self.reap():
                break
            time.sleep(pause)
            pause = min(pause + 0.001, 0.02)


def start(argv: list[bytes], environment: dict[bytes, bytes], cwd: bytes, control: int) -> tuple[int, int]:
    """Fork and execute. Returns (pid, 0), or (0, errno) if it could not be executed."""
    failure, failure_in_child = os.pipe()
    pid = os.fork()
    if pid == 0:
        error = 0
        try:
            _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            os.setsid()
            for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            os.close(control)
            os.close(failure)
            os.chdir(cwd)
            os.execvpe(argv[0], argv, environment)  # noqa: S606
        except OSError as problem:
            error = problem.errno or 1
        finally:
            os.write(failure_in_child, str(error or 1).encode())
            os._exit(127)
    os.close(failure_in_child)
    answer = os.read(failure, 16)
    os.close(failure)
    if answer:
        os.waitpid(pid, 0)
        return 0, int(answer)
    return pid, 0


def watch(tree: Tree, control: int, wake: int) -> None:
    """Serve the runner until the step's first process has ended."""
    poller = select.poll()
    poller.register(control, select.POLLIN)
    poller.register(wake, select.POLLIN)
    while tree.reap() and tree.status is None:
        for descriptor, _ in poller.poll():
            if descriptor == wake:
                os.read(wake, 4096)
                continue
            try:
                command = os.read(control, 1)
            except OSError:
                command = b""
            if command == b"T":
                signal_all(signal.SIGTERM)
            else:
                # "K", or the runner is gone
                tree.kill()
                return


def listen_again() -> None:
    """Forget what was sent to the runner's process group while this program was still in it, and unblock it."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
    before = [signal.signal(number, signal.SIG_IGN) for number in numbers]
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def main() -> int:
    """Run the one command that comes over the socket."""
    control = int(sys.argv[2])
    listen_again()
    os.set_inheritable(control, False)
    wake, wake_in = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(wake_in, False)
    signal.set_wakeup_fd(wake_in, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    size = read_exactly(control, 10)
    payload = read_exactly(control, int(size)) if len(size) == 10 else b""
    if len(size) < 10 or len(payload) < int(size):
        return 1
    cwd, count, *rest = payload.split(b"\0")
    argv, variables = rest[: int(count)], rest[int(count) :]
    environment = dict(variable.split(b"=", 1) for variable in variables if variable)
    pid, error = start(argv, environment, cwd, control)
    if error:
        os.write(control, b"E%d\n" % error)
        return 0
    tree = Tree(pid)

    def terminated(_number: int, _frame: object) -> None:
        tree.kill()

    signal.signal(signal.SIGTERM, terminated)
    watch(tree, control, wake)
    tree.kill()
    try:
        os.write(control, b"X%d\n" % (tree.status or 0))
    except OSError:
        return 1  # the runner is gone
    return 0
