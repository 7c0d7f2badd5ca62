"""The launcher's answers to system calls of a model that shares its files with the user's other programs.

Landlock does not cover ``chmod``, times, or Unix sockets with a path; a filter of system calls sees no paths.
So the kernel holds these calls and asks here. The path is read once, opened here, and the *opened* file is looked at
and changed: what the model changes in its memory meanwhile counts for nothing. Allowed is what lies in the directories
that the model may write to. ``connect`` is made here too, on a new socket that takes the place of the model's: to Unix
sockets in those directories, and to the TCP ports that the contract has opened.

Only the standard library: this runs in the launcher.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
import stat
import struct
import threading
from typing import Any

RECEIVE, SEND, STILL_VALID, PUT_HANDLE = 0xC0502100, 0xC0182101, 0x40082102, 0x40182103
REQUEST, ANSWER, PUT = struct.Struct("=QIIiIQ6Q"), struct.Struct("=QqiI"), struct.Struct("=QIIII")
PUT_AT_NUMBER = 1
SOCKETS = {
    "TCP": (socket.AF_INET, socket.SOCK_STREAM),
    "TCPv6": (socket.AF_INET6, socket.SOCK_STREAM),
    "UDP": (socket.AF_INET, socket.SOCK_DGRAM),
    "UDPv6": (socket.AF_INET6, socket.SOCK_DGRAM),
    "UNIX-STREAM": (socket.AF_UNIX, socket.SOCK_STREAM),
    "UNIX": (socket.AF_UNIX, socket.SOCK_SEQPACKET),
}
"""What the kernel calls a socket; one for datagrams to a path cannot be made."""
AT_FDCWD, AT_SYMLINK_NOFOLLOW = -100, 0x100
MAX_PATH, MAX_ADDRESS = 4096, 128
UTIME_NOW, UTIME_OMIT = (1 << 30) - 1, (1 << 30) - 2
_TIMES = struct.Struct("=4q")


class Answers:
    """Reads requests from ``handle`` and answers each; ``handle`` is what the loop of the launcher waits for.

    Args:
        handle: where the kernel asks, as :func:`penstock.invocation.privileges.load_filter` gave it.
        calls: number of each system call that is asked about → its name.
        writable: directories in which the model may change files and connect to sockets.
        ports: TCP ports of any host that it may connect to.
        private: it has a network of its own, so that no other process's sockets have names without a path there.
    """

    def __init__(
        self, handle: int, calls: dict[int, str], writable: list[str], ports: list[int], *, private: bool
    ) -> None:
        self.handle = handle
        self._private = private
        self._calls = calls
        self._writable = [os.path.realpath(path) for path in writable]
        self._ports = ports

    def one(self) -> None:
        """Answer the request that waits; none may, if its process was ended meanwhile."""
        buffer = bytearray(REQUEST.size)
        try:
            fcntl.ioctl(self.handle, RECEIVE, buffer, True)
        except OSError:
            return
        identity, thread, _, number, _, _, *arguments = REQUEST.unpack(bytes(buffer))
        name = self._calls.get(number, "")
        if name == "connect":
            self._connect(identity, thread, arguments)
            return
        self._answer(identity, self._result_of(lambda: self._change(identity, thread, name, arguments)))

    def _answer(self, identity: int, error: int) -> None:
        with contextlib.suppress(OSError):  # its process is gone
            fcntl.ioctl(self.handle, SEND, bytearray(ANSWER.pack(identity, 0, -error, 0)), True)

    @staticmethod
    def _result_of(action: Any) -> int:
        """0, or the number of the error that ``action`` ended with."""
        try:
            action()
        except OSError as error:
            return error.errno or errno.EPERM
        except (ValueError, struct.error):
            return errno.EINVAL
        return 0

    # what changes a file

    def _change(self, identity: int, thread: int, name: str, arguments: list[int]) -> None:
        number, follow = AT_FDCWD, True
        address = 0
        if name == "chmod":
            address, mode = arguments[0], arguments[1]
        elif name == "fchmod":
            number, mode = _signed(arguments[0]), arguments[1]
        elif name in ("fchmodat", "fchmodat2"):
            number, address, mode = _signed(arguments[0]), arguments[1], arguments[2]
            follow = name == "fchmodat" or not arguments[3] & AT_SYMLINK_NOFOLLOW
        elif name == "utimensat":
            number, address = _signed(arguments[0]), arguments[1]
            follow = not arguments[3] & AT_SYMLINK_NOFOLLOW
        else:
            raise PermissionError(errno.EPERM, name)
        with _Memory(thread) as memory:
            path = memory.text(address) if address else b""
            times = _times(memory.read(arguments[2], _TIMES.size) if arguments[2] else b"") if "time" in name else None
        self._still_valid(identity)
        target = self._opened(thread, number, path, follow=follow)
        try:
            reached = f"/proc/self/fd/{target}"
            if name == "utimensat":
                self._set_times(reached, times)
            else:
                os.chmod(reached, mode & 0o777)  # noqa: PTH101 (never set-user-ID: this process may be root)
        finally:
            os.close(target)

    @staticmethod
    def _set_times(reached: str, times: tuple[int, int] | None) -> None:
        if times is None:
            os.utime(reached)
            return
        now = os.stat(reached)  # noqa: PTH116
        known = (now.st_atime_ns, now.st_mtime_ns)
        os.utime(reached, ns=tuple(old if new < 0 else new for new, old in zip(times, known, strict=True)))  # type: ignore[arg-type]

    def _opened(self, thread: int, number: int, path: bytes, *, follow: bool) -> int:
        """A handle of the file that the model named, if it lies where the model may write.

        Raises:
            OSError: it does not, or there is no such file.
        """
        flags = os.O_PATH | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
        base = f"/proc/{thread}/cwd" if number == AT_FDCWD else f"/proc/{thread}/fd/{number}"
        if not path:
            if number == AT_FDCWD:
                raise FileNotFoundError(errno.ENOENT, "no path")
            opened = os.open(base, os.O_PATH | os.O_CLOEXEC)
        elif path.startswith(b"/"):
            # what is the model's own in /proc is not this process's
            for own in (b"/proc/self/", b"/proc/thread-self/"):
                if path.startswith(own):
                    path = b"/proc/%d/" % thread + path[len(own) :]
            opened = os.open(path, flags)
        else:
            folder = os.open(base, os.O_PATH | os.O_CLOEXEC)
            try:
                opened = os.open(path, flags, dir_fd=folder)
            finally:
                os.close(folder)
        facts = os.fstat(opened)
        # another name of a file could be one outside
        alone = facts.st_nlink <= 1 or not stat.S_ISREG(facts.st_mode)
        if not alone or not self._is_writable(os.readlink(f"/proc/self/fd/{opened}")):  # noqa: PTH115
            os.close(opened)
            raise PermissionError(errno.EACCES, "outside")
        return opened

    def _is_writable(self, path: str) -> bool:
        return any(path == folder or path.startswith(folder + "/") for folder in self._writable)

    def _still_valid(self, identity: int) -> None:
        """Make sure that the process that asked is still that one, and what was read was its memory.

        Raises:
            OSError: it is gone.
        """
        fcntl.ioctl(self.handle, STILL_VALID, bytearray(struct.pack("=Q", identity)), True)

    # connecting

    def _connect(self, identity: int, thread: int, arguments: list[int]) -> None:
        number = _signed(arguments[0])
        try:
            with _Memory(thread) as memory:
                address = memory.read(arguments[1], min(arguments[2] & 0xFFFFFFFF, MAX_ADDRESS))
            asked = _Socket(thread, number)
            self._still_valid(identity)
            made = socket.socket(asked.family, asked.kind)
            made.setblocking(not asked.flags & os.O_NONBLOCK)
        except OSError as error:
            self._answer(identity, error.errno or errno.EACCES)
            return

        def connect() -> None:
            with made:
                if made.family == socket.AF_UNIX:
                    problem = self._result_of(lambda: self._to_path(thread, made, address))
                else:
                    problem = self._result_of(lambda: self._to_host(made, address))
                if problem in (0, errno.EINPROGRESS):
                    problem = self._result_of(lambda: self._put(identity, made, number, asked)) or problem
                self._answer(identity, problem)

        if asked.flags & os.O_NONBLOCK:
            connect()
            return
        try:
            # it may take long, also to a Unix socket whose queue is full; the launcher's loop is not to wait for it
            threading.Thread(target=connect, daemon=True).start()
        except RuntimeError:
            self._answer(identity, errno.EAGAIN)

    def _put(self, identity: int, made: socket.socket, number: int, asked: _Socket) -> None:
        """Put our socket in the place of the model's."""
        flags = asked.flags & os.O_CLOEXEC
        packed = PUT.pack(identity, PUT_AT_NUMBER, made.fileno(), number, flags)
        fcntl.ioctl(self.handle, PUT_HANDLE, bytearray(packed), True)

    def _to_path(self, thread: int, made: socket.socket, address: bytes) -> None:
        path = address[2:].partition(b"\0")[0]
        if self._private and address[2:3] == b"\0":
            made.connect(address[2:])
            return
        if not path:
            raise PermissionError(errno.EACCES, "no path")  # a name without one reaches any process of this machine
        target = self._opened(thread, AT_FDCWD, path, follow=True)
        try:
            made.connect(f"/proc/self/fd/{target}")
        finally:
            os.close(target)

    def _to_host(self, made: socket.socket, address: bytes) -> None:
        family, port = struct.unpack("=H", address[:2])[0], int.from_bytes(address[2:4], "big")
        if family != made.family or (made.type == socket.SOCK_STREAM and port not in self._ports):
            raise PermissionError(errno.EACCES, "port")
        if family == socket.AF_INET:
            made.connect((socket.inet_ntop(family, address[4:8]), port))
        else:
            scope = struct.unpack("=I", address[24:28])[0]
            made.connect((socket.inet_ntop(family, address[8:24]), port, 0, scope))


class _Socket:
    """What kind of socket a number is in another process, and its flags."""

    def __init__(self, thread: int, number: int) -> None:
        name = os.getxattr(f"/proc/{thread}/fd/{number}", "system.sockprotoname").rstrip(b"\0").decode()
        if name not in SOCKETS:
            raise PermissionError(errno.EACCES, name)
        self.family, self.kind = SOCKETS[name]
        with open(f"/proc/{thread}/fdinfo/{number}", "rb") as file:  # noqa: PTH123 (pathlib costs start-up time here)
            self.flags = next((int(line.split()[1], 8) for line in file if line.startswith(b"flags:")), 0)


class _Memory:
    """The memory of a process that waits for an answer."""

    def __init__(self, thread: int) -> None:
        self._file = os.open(f"/proc/{thread}/mem", os.O_RDONLY | os.O_CLOEXEC)

    def __enter__(self) -> _Memory:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def read(self, address: int, size: int) -> bytes:
        if address >= 1 << 63:
            raise OSError(errno.EFAULT, "address")
        try:
            return os.pread(self._file, size, address)
        except OSError as error:
            raise OSError(errno.EFAULT, "address") from error

    def text(self, address: int) -> bytes:
        """The bytes up to the first zero, read up to the end of each page: the next one need not be there."""
        found = b""
        while len(found) < MAX_PATH:
            chunk = self.read(address + len(found), 4096 - (address + len(found)) % 4096)
            text, zero, _ = chunk.partition(b"\0")
            found += text
            if zero:
                return found
            if not chunk:
                break
        raise OSError(errno.ENAMETOOLONG, "path")


def _signed(value: int) -> int:
    """The ``int`` that a 64-bit argument carries."""
    value &= 0xFFFFFFFF
    return value - (1 << 32) if value >= 1 << 31 else value


def _times(packed: bytes) -> tuple[int, int] | None:
    """Two ``timespec`` as nanoseconds, -1 for one that stays; ``None``: both are now."""
    if not packed:
        return None
    values = _TIMES.unpack(packed)
    found = []
    for seconds, nanoseconds in (values[:2], values[2:]):
        if nanoseconds == UTIME_NOW:
            import time

            found.append(time.time_ns())
        else:
            found.append(-1 if nanoseconds == UTIME_OMIT else seconds * 10**9 + nanoseconds)
    return found[0], found[1]
