"""The small program between Penstock and a model: it confines the model, watches it and ends all of it.

It runs as a file of its own (``python -I -S launch.py``), imports nothing of Penstock and starts in some 30 ms, so
that everything that must happen between ``fork`` and ``exec`` happens in a process with one thread. It stays as the
parent of the model's processes (a *subreaper*: a daemon that detaches itself comes back to it), and ends them all
when the model's first process ends, when it is told to, or when Penstock itself is gone, however it died.

The protocol: the first line on standard input is a JSON object (see :class:`penstock.invocation.sandbox.Sandbox`); end
of file there means "stop". On standard output it says ``started ABI``, ``error TEXT`` or ``exit CODE MAX_RSS_KIB``, a
line each. Standard error is the model's log.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import stat
import sys
import time
from typing import Any, NoReturn

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 36, 38
LANDLOCK_CREATE, LANDLOCK_ADD, LANDLOCK_RESTRICT = 444, 445, 446

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
MAKE_CHAR, MAKE_BLOCK = 1 << 6, 1 << 11
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
BIND_TCP, CONNECT_TCP = 1, 2
SCOPE_ABSTRACT_UNIX, SCOPE_SIGNAL = 1, 2

READ = EXECUTE | READ_FILE | READ_DIR
FILE_RIGHTS = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
DEVICE = READ_FILE | READ_DIR | WRITE_FILE | TRUNCATE | IOCTL_DEV
RULE_PATH_BENEATH, RULE_NET_PORT = 1, 2

KILL_LIMIT_S = 10.0


class _Ruleset(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("access", ctypes.c_uint64), ("fd", ctypes.c_int32))


class _NetPort(ctypes.Structure):
    _fields_ = (("access", ctypes.c_uint64), ("port", ctypes.c_uint64))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _syscall(number: int, *arguments: Any) -> int:
    result = int(_libc().syscall(ctypes.c_long(number), *arguments))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def landlock_abi() -> int:
    """The kernel's Landlock version; 0 where there is none."""
    if not sys.platform.startswith("linux"):
        return 0
    try:
        return max(0, _syscall(LANDLOCK_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(1)))
    except OSError:
        return 0


def _fs_rights(abi: int) -> int:
    newest = {1: 12, 2: 13, 3: 14, 4: 14}.get(abi, 15)
    return (1 << (newest + 1)) - 1


def restrict(spec: dict[str, Any]) -> int:
    """Give up, for this process and all its children, what ``spec`` does not name; return the ABI used (0: none).

    Raises:
        OSError: the kernel has Landlock but refused; the model must not start unconfined then.
    """
    abi = landlock_abi()
    if abi == 0:
        return 0
    handled = _fs_rights(abi)
    attributes = _Ruleset(
        handled,
        BIND_TCP | CONNECT_TCP if abi >= 4 else 0,
        SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL if abi >= 6 else 0,
    )
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    ruleset = _syscall(LANDLOCK_CREATE, ctypes.byref(attributes), ctypes.c_size_t(size), ctypes.c_uint32(0))
    write = handled & ~(MAKE_CHAR | MAKE_BLOCK)
    for key, rights in (("readable", READ), ("writable", write), ("devices", DEVICE)):
        for path in spec[key]:
            _allow_path(ruleset, path, rights & handled)
    if abi >= 4:
        for key, right in (("bind", BIND_TCP), ("connect", CONNECT_TCP)):
            for port in spec[key]:
                rule = _NetPort(right, port)
                _add_rule(ruleset, RULE_NET_PORT, rule)
    _syscall(LANDLOCK_RESTRICT, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    os.close(ruleset)
    return abi


def _add_rule(ruleset: int, kind: int, rule: ctypes.Structure) -> None:
    _syscall(LANDLOCK_ADD, ctypes.c_int(ruleset), ctypes.c_int(kind), ctypes.byref(rule), ctypes.c_uint32(0))


def _allow_path(ruleset: int, path: str, rights: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(handle).st_mode):
            rights &= FILE_RIGHTS
        rule = _PathBeneath(rights, handle)
        _add_rule(ruleset, RULE_PATH_BENEATH, rule)
    finally:
        os.close(handle)


def _prctl(option: int, value: int) -> None:
    if sys.platform.startswith("linux"):
        _libc().prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0))


def _limit(name: int, value: int) -> None:
    _, hard = resource.getrlimit(name)
    allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(name, (allowed, allowed))


def _become_model(spec: dict[str, Any], report: int, parent: int) -> NoReturn:
    """In the child: confine, then become the model. A failure goes to ``report`` (a pipe that ``exec`` closes)."""
    stage = "cannot start"
    try:
        os.setsid()
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(125)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.dup2(2, 1)
        os.closerange(3, report)
        os.closerange(report + 1, 1 << 16)
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
        stage = "cannot confine the model with Landlock"
        _prctl(PR_SET_NO_NEW_PRIVS, 1)
        abi = restrict(spec)
        os.write(report, f"abi {abi}\n".encode())
        stage = f"cannot run '{spec['argv'][0]}'"
        os.execvpe(spec["argv"][0], spec["argv"], spec["environment"])  # noqa: S606 (no shell is what we want)
    except (OSError, ValueError) as error:
        os.write(report, f"error {stage}: {getattr(error, 'strerror', None) or error}\n".encode())
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


class _Supervisor:
    """The parent of the model's processes."""

    def __init__(self) -> None:
        self.child = 0
        self.done = False

    def say(self, line: str) -> None:
        with contextlib.suppress(OSError):  # Penstock is gone; the end of file on standard input says what to do
            os.write(1, (line + "\n").encode())

    def start(self, spec: dict[str, Any]) -> bool:
        report_read, report_write = os.pipe()
        os.set_inheritable(report_write, False)
        parent = os.getpid()
        self.child = os.fork()
        if self.child == 0:
            _become_model(spec, report_write, parent)
        os.close(report_write)
        said = b""
        while chunk := os.read(report_read, 4096):
            said += chunk
        os.close(report_read)
        lines = said.decode(errors="replace").splitlines()
        for line in lines:
            if line.startswith("error "):
                self.say(line)
                return False
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

    def signal_all(self, number: int) -> None:
        for pid in descendants(os.getpid()) or [self.child]:
            try:
                os.kill(pid, number)
            except OSError:
                continue

    def end_tree(self, grace_s: float) -> None:
        """Ask all processes to end, then make them. Frozen first, so that none can fork while others are killed."""
        deadline = time.monotonic() + grace_s
        if self.reap() and grace_s > 0:
            self.signal_all(signal.SIGTERM)
            while self.reap() and time.monotonic() < deadline:
                time.sleep(0.02)
        deadline = time.monotonic() + KILL_LIMIT_S
        while self.reap() and time.monotonic() < deadline:
            self.signal_all(signal.SIGSTOP)
            self.signal_all(signal.SIGKILL)
            time.sleep(0.005)


def main() -> int:
    """Read the order, start the model, stay until it is over. Exit code 0; what happened is said on standard output."""
    order = b""
    while not order.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            return 0
        order += byte
    spec = json.loads(order)
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
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
    while True:
        readable, _, _ = select.select([0, wake_read], [], [])
        if wake_read in readable:
            os.read(wake_read, 4096)
        supervisor.reap()
        if supervisor.done:
            supervisor.end_tree(0)
            return 0
        if stopping or (0 in readable and not os.read(0, 4096)):
            supervisor.end_tree(float(spec["grace_s"]))
            return 0


if __name__ == "__main__":
    sys.exit(main())
