"""Landlock: what the kernel lets an unprivileged process give up for itself and all its children.

Linux 5.13 and later. Files since ABI 1, TCP ports since ABI 4 (6.7), signals and abstract Unix sockets to processes
outside since ABI 6 (6.12). It says nothing of UDP, of Unix sockets with a path, of ``chmod`` and its kind, nor of
System V segments: :mod:`penstock.invocation.seccomp` does. Only the standard library: this runs in the launcher.
"""

from __future__ import annotations

import ctypes
import os
import stat
import sys
from typing import Any

LANDLOCK_CREATE, LANDLOCK_ADD, LANDLOCK_RESTRICT = 444, 445, 446

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
MAKE_CHAR, MAKE_BLOCK = 1 << 6, 1 << 11
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
BIND_TCP, CONNECT_TCP = 1, 2
SCOPE_ABSTRACT_UNIX, SCOPE_SIGNAL = 1, 2

READ = EXECUTE | READ_FILE | READ_DIR
FILE_RIGHTS = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
DEVICE = READ_FILE | READ_DIR | WRITE_FILE | TRUNCATE | IOCTL_DEV
OVERWRITE = WRITE_FILE | TRUNCATE
RULE_PATH_BENEATH, RULE_NET_PORT = 1, 2


class _Ruleset(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("access", ctypes.c_uint64), ("fd", ctypes.c_int32))


class _NetPort(ctypes.Structure):
    _fields_ = (("access", ctypes.c_uint64), ("port", ctypes.c_uint64))


def syscall(number: int, *arguments: Any) -> int:
    """Make a system call that Python has no function for.

    Raises:
        OSError: it failed.
    """
    result = int(ctypes.CDLL(None, use_errno=True).syscall(ctypes.c_long(number), *arguments))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def landlock_abi() -> int:
    """The kernel's Landlock version; 0 where there is none."""
    if not sys.platform.startswith("linux"):
        return 0
    try:
        return max(0, syscall(LANDLOCK_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(1)))
    except OSError:
        return 0


def _fs_rights(abi: int) -> int:
    newest = {1: 12, 2: 13, 3: 14, 4: 14}.get(abi, 15)
    return (1 << (newest + 1)) - 1


def restrict(spec: dict[str, Any]) -> int:
    """Give up, for this process and all its children, what ``spec`` does not name; return the ABI used (0: none).

    Args:
        spec: the paths ``readable``, ``listable`` (of which only the names can be read), ``writable``, ``devices`` and
            ``thread_names`` (files there can be overwritten), the TCP ports ``bind`` and ``connect``.

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
    ruleset = syscall(LANDLOCK_CREATE, ctypes.byref(attributes), ctypes.c_size_t(size), ctypes.c_uint32(0))
    write = handled & ~(MAKE_CHAR | MAKE_BLOCK)
    by_key = {"readable": READ, "listable": READ_DIR, "writable": write, "devices": DEVICE, "thread_names": OVERWRITE}
    for key, rights in by_key.items():
        for path in spec[key]:
            _allow_path(ruleset, path, rights & handled)
    if abi >= 4:
        for key, right in (("bind", BIND_TCP), ("connect", CONNECT_TCP)):
            for port in spec[key]:
                rule = _NetPort(right, port)
                _add_rule(ruleset, RULE_NET_PORT, rule)
    syscall(LANDLOCK_RESTRICT, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    os.close(ruleset)
    return abi


def _add_rule(ruleset: int, kind: int, rule: ctypes.Structure) -> None:
    syscall(LANDLOCK_ADD, ctypes.c_int(ruleset), ctypes.c_int(kind), ctypes.byref(rule), ctypes.c_uint32(0))


def _allow_path(ruleset: int, path: str, rights: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return  # what is not there, or not to be reached, is not the model's either
    try:
        if not stat.S_ISDIR(os.fstat(handle).st_mode):
            rights &= FILE_RIGHTS
        rule = _PathBeneath(rights, handle)
        _add_rule(ruleset, RULE_PATH_BENEATH, rule)
    finally:
        os.close(handle)
