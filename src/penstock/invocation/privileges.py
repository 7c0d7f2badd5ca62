"""What a process can give up beside files and ports: capabilities, new privileges, system calls.

Only the standard library: this runs in the launcher.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import sys

from penstock.invocation.landlock import syscall

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_CHILD_SUBREAPER = 1, 4, 24, 36
PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 38, 47, 4
CAPABILITY_VERSION_3 = 0x20080522
SYSCALLS = {"x86_64": {"capset": 126, "seccomp": 317}, "aarch64": {"capset": 91, "seccomp": 277}}
SECCOMP_SET_MODE_FILTER, SECCOMP_NEW_LISTENER, SECCOMP_WAIT_KILLABLE = 1, 1 << 3, 1 << 5


class _Capabilities(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _FilterProgram(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def prctl(option: int, value: int, third: int = 0) -> int:
    """Set an attribute of this process; returns a negative number where the kernel refuses."""
    if not sys.platform.startswith("linux"):
        return -1
    zero = ctypes.c_ulong(0)
    return int(
        ctypes.CDLL(None, use_errno=True).prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(third), zero, zero)
    )


def drop_capabilities() -> None:
    """Give up every capability, for good: root is then a user like any other, with another user's files closed to it.

    Raises:
        OSError: the kernel refused.
    """
    if os.uname().machine not in SYSCALLS:
        return
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    for capability in range(64):
        if prctl(PR_CAPBSET_DROP, capability) < 0:
            break  # there are no more of them, or this process has none
    header, none = _CapabilityHeader(CAPABILITY_VERSION_3, 0), (_Capabilities * 2)()
    syscall(SYSCALLS[os.uname().machine]["capset"], ctypes.byref(header), none)


def load_filter(instructions: bytes, *, listen: bool) -> int | None:
    """Let every system call from now on pass through this filter.

    Args:
        instructions: as :func:`penstock.invocation.seccomp.compiled` makes them; empty: there is no filter.
        listen: some calls are answered by another process.

    Returns:
        the handle at which that process hears of them; ``None`` without ``listen``, or where the kernel has no seccomp.

    Raises:
        OSError: the kernel has seccomp but refused.
    """
    if not instructions:
        return None
    program = _FilterProgram(len(instructions) // 8, instructions)
    wanted = (SECCOMP_NEW_LISTENER | SECCOMP_WAIT_KILLABLE, SECCOMP_NEW_LISTENER) if listen else (0,)
    for flags in wanted:
        with contextlib.suppress(OSError):
            handle = _seccomp(flags, program)
            return handle if listen else None
    return _seccomp(wanted[-1], program) if _has_seccomp() else None


def _seccomp(flags: int, program: _FilterProgram) -> int:
    number = SYSCALLS[os.uname().machine]["seccomp"]
    operation = ctypes.c_uint(SECCOMP_SET_MODE_FILTER)
    return syscall(number, operation, ctypes.c_uint(flags), ctypes.byref(program))


def _has_seccomp() -> bool:
    """Whether this kernel filters system calls: it finds fault with the address then, not with the request."""
    number = SYSCALLS[os.uname().machine]["seccomp"]
    try:
        syscall(number, ctypes.c_uint(SECCOMP_SET_MODE_FILTER), ctypes.c_uint(0), None)
    except OSError as error:
        return error.errno == errno.EFAULT
    return True
