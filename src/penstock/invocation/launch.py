"""The small program between Penstock and a model: it confines the model, watches it and ends all of it.

It is started as ``python -I -S -c BOOT FOLDER HANDLE``, imports only what stands beside it and starts in some 30 ms, so
that everything that must happen between ``fork`` and ``exec`` happens in a process with one thread. It stays as the
parent of the model's processes (a *subreaper*: a daemon that detaches itself comes back to it), and ends them all
when the model's first process ends, when it is told to, or when Penstock itself is gone, however it died. Where the
model has namespaces of its own (:mod:`penstock.invocation.bubblewrap`), this program is the first process in them.

The protocol: the first line on standard input is a JSON object (see :class:`penstock.invocation.sandbox.Sandbox`); end
of file there means "stop". On standard output it says ``started ABI``, ``error TEXT`` or ``exit CODE
MAX_RSS_KIB``, a line each. Standard error is the model's log. Over the socket HANDLE Penstock asks for connections to
the model's service: a port as two bytes, answered by four bytes, the number of an error or 0 with the connected socket.
So Penstock reaches a service in another network namespace, and nothing stands between the two.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import json
import os
import resource
import select
import signal
import socket
import sys
import time
from typing import Any, NoReturn

from penstock.invocation.answers import Answers
from penstock.invocation.landlock import restrict
from penstock.invocation.privileges import (
    PR_SET_CHILD_SUBREAPER,
    PR_SET_DUMPABLE,
    PR_SET_NO_NEW_PRIVS,
    PR_SET_PDEATHSIG,
    drop_capabilities,
    load_filter,
    prctl,
)

BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from penstock.invocation.launch import main; sys.exit(main())"
"""Imported rather than run as a script, so that its compiled form is used."""
KILL_LIMIT_S = 10.0
FREEZE_LIMIT_S = 1.0


def _limit(name: int, value: int) -> None:
    _, hard = resource.getrlimit(name)
    allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(name, (allowed, allowed))


def _become_model(spec: dict[str, Any], report: socket.socket, parent: int) -> NoReturn:
    """In the child: confine, then become the model. A failure goes to ``report``, which ``exec`` closes."""
    stage = "cannot start"
    try:
        os.setsid()
        prctl(PR_SET_DUMPABLE, 1)
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(125)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.dup2(2, 1)
        os.closerange(3, report.fileno())
        os.closerange(report.fileno() + 1, 1 << 16)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        os.umask(0o022)
        _limit(resource.RLIMIT_CORE, 0)
        _limit(resource.RLIMIT_NOFILE, spec["open_files"])
        _limit(resource.RLIMIT_FSIZE, spec["file_bytes"])
        _prefer_as_victim()
        stage = f"cannot enter the directory '{spec['directory']}'"
        os.chdir(spec["directory"])
        prctl(PR_SET_NO_NEW_PRIVS, 1)
        stage = "cannot give up the capabilities"
        drop_capabilities()
        stage = "cannot confine the model with Landlock"
        abi = restrict(spec) if spec["landlock"] else 0
        stage = "cannot filter the model's system calls"
        listener = load_filter(base64.b64decode(spec["filter"]), listen=bool(spec["asked"]))
        socket.send_fds(report, [f"abi {abi}\n".encode()], [] if listener is None else [listener])
        stage = f"cannot run '{spec['argv'][0]}'"
        os.execvpe(spec["argv"][0], spec["argv"], spec["environment"])  # noqa: S606 (no shell is what we want)
    except (OSError, ValueError) as error:
        with contextlib.suppress(OSError):
            report.send(f"error {stage}: {getattr(error, 'strerror', None) or error}\n".encode())
    finally:
        os._exit(125)


def _prefer_as_victim() -> None:
    """Out of memory ends the model, not Penstock."""
    try:
        handle = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
    except OSError:
        return
    try:
        os.write(handle, b"500")
    except OSError:
        pass
    finally:
        os.close(handle)


def descendants(root: int) -> list[int]:
    """Process ids of all living descendants of ``root``, from ``/proc`` (empty where there is none)."""
    parents: dict[int, int] = {}
    try:
        names = os.listdir("/proc")  # noqa: PTH208 (pathlib costs start-up time here)
    except OSError:
        return []
    for name in names:
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123 (pathlib costs start-up time here)
                    # The command name may hold spaces and brackets; the fields after the last ')' are state and parent.
                    parents[int(name)] = int(file.read().rpartition(b")")[2].split()[1])
            except (OSError, IndexError, ValueError):
                continue
    children: dict[int, list[int]] = {}
    for pid, parent in parents.items():
        children.setdefault(parent, []).append(pid)
    found: list[int] = []
    todo = [root]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


def watched_descendants(root: int) -> list[int]:
    """As :func:`descendants`, at the cost of the tree alone, where the kernel lists a thread's children.

    A process that starts or ends while this looks may be missed or named: good enough to watch, not to end a tree.
    """
    found: list[int] = []
    todo = [root]
    try:
        while todo:
            below = _children(todo.pop())
            found += below
            todo += below
    except FileNotFoundError:  # a kernel without CONFIG_PROC_CHILDREN
        return descendants(root)
    return found


def _children(pid: int) -> list[int]:
    """Children of all threads of a process; none of one that is gone.

    Raises:
        FileNotFoundError: this kernel does not list them.
    """
    found: list[int] = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208 (pathlib costs start-up time here)
    except OSError:
        return []
    for thread in threads:
        try:
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:  # noqa: PTH123 (as above)
                found += map(int, file.read().split())
        except FileNotFoundError:
            if os.path.exists(f"/proc/{pid}/task/{thread}"):  # noqa: PTH110 (as above)
                raise
        except OSError:
            continue
    return found


def signal_tree(root: int, number: int, child: int | None = None) -> set[int]:
    """Signal all living descendants of ``root``; return their process ids.

    Where they are in sessions of their own, whole process groups are signalled: the kernel does that at once, so that a
    process which forks and exits in turn is met too, although its id is another by the time it has been listed. Where
    there is no ``/proc``, only ``child`` is known, one of them.
    """
    found = set(descendants(root)) or ({child} if child else set())
    alone, groups = set(), set()
    for pid in found:
        with contextlib.suppress(OSError):
            if os.getsid(pid) == os.getsid(root):
                alone.add(pid)
            else:
                groups.add(os.getpgid(pid))
    for pid in alone:
        with contextlib.suppress(OSError):
            os.kill(pid, number)
    for group in groups:
        with contextlib.suppress(OSError):
            os.killpg(group, number)
    return found


def kill_tree(root: int, child: int | None = None) -> None:
    """Kill all descendants of ``root``, as :func:`signal_tree` finds them.

    Frozen first, until no new one is found, so that none can fork meanwhile.
    """
    seen: set[int] = set()
    deadline = time.monotonic() + FREEZE_LIMIT_S
    while (found := signal_tree(root, signal.SIGSTOP, child)) - seen and time.monotonic() < deadline:
        seen |= found
    signal_tree(root, signal.SIGKILL, child)


class _Supervisor:
    """The parent of the model's processes."""

    def __init__(self) -> None:
        self.child = 0
        self.done = False
        self.answers: Answers | None = None

    def say(self, line: str) -> None:
        with contextlib.suppress(OSError):  # Penstock is gone; the end of file on standard input says what to do
            os.write(1, (line + "\n").encode())

    def start(self, spec: dict[str, Any]) -> bool:
        report, childs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        parent = os.getpid()
        self.child = os.fork()
        if self.child == 0:
            _become_model(spec, childs, parent)
        childs.close()
        said, handles = b"", []
        with report:
            while True:
                chunk, found, _, _ = socket.recv_fds(report, 4096, 1)
                handles += found
                if not chunk:
                    break
                said += chunk
        lines = said.decode(errors="replace").splitlines()
        for line in lines:
            if line.startswith("error "):
                self.say(line)
                return False
        if handles:
            calls = {int(number): name for number, name in spec["asked"].items()}
            self.answers = Answers(handles[0], calls, spec["own"], spec["connect"], private=spec["private"])
        abi = lines[0].removeprefix("abi ") if lines else "0"
        self.say(f"started {abi}")
        return True

    def reap(self) -> bool:
        """Collect what has ended; False once no child is left."""
        while True:
            try:
                pid, status, usage = os.wait3(os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self.child and not self.done:
                self.done = True
                self.say(f"exit {os.waitstatus_to_exitcode(status)} {usage.ru_maxrss}")

    def _serve(self, seconds: float) -> None:
        """Let time pass; a process that is ending well may still ask."""
        handles = [self.answers.handle] if self.answers is not None else []
        if self.answers is not None and select.select(handles, [], [], seconds)[0]:
            self.answers.one()
        else:
            time.sleep(0 if handles else seconds)

    def end_tree(self, grace_s: float) -> None:
        """Ask all processes to end, then make them."""
        deadline = time.monotonic() + grace_s
        if self.reap() and grace_s > 0:
            signal_tree(os.getpid(), signal.SIGTERM, self.child)
            while self.reap() and time.monotonic() < deadline:
                self._serve(0.02)
        deadline = time.monotonic() + KILL_LIMIT_S
        while self.reap() and time.monotonic() < deadline:
            kill_tree(os.getpid(), self.child)
            time.sleep(0.005)


def connect(control: socket.socket, port: int) -> None:
    """Send a socket that is connected, or is being connected, to a port of this network's loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as made:
        made.setblocking(False)
        problem = made.connect_ex(("127.0.0.1", port))
        problem = 0 if problem == errno.EINPROGRESS else problem
        with contextlib.suppress(OSError):  # Penstock is gone
            socket.send_fds(control, [problem.to_bytes(4, "big")], [] if problem else [made.fileno()])


def _order() -> bytes:
    """The first line on standard input; empty at its end."""
    order = b""
    while not order.endswith(b"\n"):
        chunk = os.read(0, 1 << 16)
        if not chunk:
            return b""
        order += chunk
    return order


def main() -> int:
    """Read the order, start the model, stay until it is over. Exit code 0; what happened is said on standard output."""
    prctl(PR_SET_DUMPABLE, 0)  # the model, the same user's, is not to look into this process
    order = _order()
    if not order:
        return 0
    spec = json.loads(order)
    control = socket.socket(fileno=int(sys.argv[2]))
    control.set_inheritable(False)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    wake_read, wake_write = os.pipe()
    for handle in (wake_read, wake_write):
        os.set_blocking(handle, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopping.append(number))
    supervisor = _Supervisor()
    if not supervisor.start(spec):
        supervisor.end_tree(0)
        return 0
    poller = select.poll()
    for handle in (0, wake_read, control.fileno()):
        poller.register(handle, select.POLLIN)
    if supervisor.answers is not None:
        poller.register(supervisor.answers.handle, select.POLLIN)
    while True:
        ready = dict(poller.poll())
        if wake_read in ready:
            os.read(wake_read, 4096)
        supervisor.reap()
        if supervisor.done:
            supervisor.end_tree(0)
            return 0
        if stopping or (0 in ready and not os.read(0, 4096)):
            supervisor.end_tree(float(spec["grace_s"]))
            return 0
        if control.fileno() in ready:
            asked = control.recv(2)
            if asked:
                connect(control, int.from_bytes(asked, "big"))
            else:
                poller.unregister(control)
        if supervisor.answers is not None and (happened := ready.get(supervisor.answers.handle)):
            if happened & select.POLLIN:
                supervisor.answers.one()
            else:
                poller.unregister(supervisor.answers.handle)  # no process has the filter any more


if __name__ == "__main__":
    sys.exit(main())
