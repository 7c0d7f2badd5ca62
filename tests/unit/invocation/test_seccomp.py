"""The filter of system calls, carried out instruction by instruction for both architectures."""

from __future__ import annotations

import errno
import re
import struct
from pathlib import Path

import pytest

from penstock.invocation.seccomp import ALLOW, ARCHITECTURES, ASK, CALLS, REFUSE, asked, compiled

HEADER = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
MACHINES = tuple(ARCHITECTURES)
EPERM, EACCES = REFUSE | errno.EPERM, REFUSE | errno.EACCES
NAMESPACES = {"own_namespaces": True, "udp": True}
LANDLOCK = {"own_namespaces": False, "udp": False}


def answer(rules: bytes, number: int, *arguments: int, architecture: int) -> int:
    """What the kernel would do with a call."""
    padded = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("=iIQ6Q", number, architecture, 0, *(word % (1 << 64) for word in padded))
    instructions = list(struct.iter_unpack("=HBBI", rules))
    at, value = 0, 0
    while True:
        code, then, otherwise, operand = instructions[at]
        at += 1
        if code == 0x20:
            value = struct.unpack_from("=I", data, operand)[0]
        elif code == 0x54:
            value &= operand
        elif code == 0x15:
            at += then if value == operand else otherwise
        elif code == 0x45:
            at += then if value & operand else otherwise
        elif code == 0x06:
            return int(operand)
        else:
            raise AssertionError(code)


def of(machine: str, call: str, *arguments: int, level: dict[str, bool]) -> int:
    number = CALLS[call][MACHINES.index(machine)]
    assert number is not None
    return answer(compiled(**level, machine=machine), number, *arguments, architecture=ARCHITECTURES[machine])


@pytest.mark.parametrize("machine", MACHINES)
def test_what_each_level_answers(machine: str) -> None:
    for level in (NAMESPACES, LANDLOCK):
        for call in ("ptrace", "mount", "unshare", "keyctl", "bpf", "pidfd_getfd"):
            assert of(machine, call, level=level) == EPERM
        for call in ("clone3", "io_uring_setup"):
            assert of(machine, call, level=level) == REFUSE | errno.ENOSYS
        assert of(machine, "connect", 3, 4, 5, level=level) == ASK
        assert of(machine, "clone", 0x1200011, level=level) == ALLOW  # fork
        assert of(machine, "clone", 0x3D0F00, level=level) == ALLOW  # a thread
        assert of(machine, "clone", 0x10000000, level=level) == EPERM
        assert of(machine, "ioctl", 0, 0x5412, level=level) == EPERM
        assert of(machine, "ioctl", 0, 0x5401, level=level) == ALLOW
        assert of(machine, "prlimit64", 7, 7, 0, level=level) == ALLOW
        assert of(machine, "prlimit64", 0, 7, 1, level=level) == ALLOW
        assert of(machine, "prlimit64", 7, 7, 1 << 40, level=level) == EPERM
        assert of(machine, "setpriority", 0, 0, level=level) == ALLOW
        assert of(machine, "setpriority", 0, 7, level=level) == EPERM
        assert of(machine, "setpriority", 1, 0, level=level) == EPERM
        assert of(machine, "setpriority", 2, 0, level=level) == EPERM  # all processes of the user
        assert of(machine, "ioprio_set", 1, 0, level=level) == ALLOW
        assert of(machine, "ioprio_set", 1, 7, level=level) == EPERM
        assert of(machine, "ioprio_set", 3, 0, level=level) == EPERM
        for call in ("sched_setscheduler", "sched_setparam", "sched_setattr", "migrate_pages", "move_pages"):
            assert of(machine, call, 0, level=level) == ALLOW
            assert of(machine, call, 7, level=level) == EPERM
        assert of(machine, "personality", 0xFFFFFFFF, level=level) == ALLOW
        assert of(machine, "personality", 0x40000, level=level) == EPERM
        assert of(machine, "sendto", 3, 0, 0, 0x4000, level=level) == ALLOW
        assert of(machine, "sendmsg", 3, 0, 0x20000000, level=level) == EPERM
    for call in ("shmget", "mq_open", "fchownat"):
        assert (of(machine, call, level=LANDLOCK), of(machine, call, level=NAMESPACES)) == (EPERM, ALLOW)
    for call in ("fchmod", "fchmodat", "fchmodat2", "utimensat"):
        assert (of(machine, call, level=LANDLOCK), of(machine, call, level=NAMESPACES)) == (ASK, ALLOW)
    assert of(machine, "setxattr", level=LANDLOCK) == REFUSE | errno.ENOTSUP


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("level", [{**NAMESPACES, "answers": True}, {**LANDLOCK, "answers": False}])
def test_set_id_bits_are_refused_where_the_launcher_is_not_asked(machine: str, level: dict[str, bool]) -> None:
    calls = {"chmod": (0,), "fchmod": (0,), "fchmodat": (0, 0), "fchmodat2": (0, 0)}
    for call, before in calls.items():
        if CALLS[call][MACHINES.index(machine)] is not None:
            assert of(machine, call, *before, 0o1777, level=level) == ALLOW
            for bits in (0o4755, 0o2755, 0o6000):
                assert of(machine, call, *before, bits, level=level) == EPERM


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    ("family", "kind", "protocol", "expected"),
    [
        (1, 1, 0, ALLOW),
        (1, 0x80801, 0, ALLOW),  # SOCK_CLOEXEC, SOCK_NONBLOCK
        (1, 5, 0, ALLOW),
        (1, 2, 0, EACCES),
        (2, 1, 0, ALLOW),
        (10, 0x80801, 6, ALLOW),
        (2, 1, 262, EACCES),
        (2, 1, 132, EACCES),
        (2, 2, 17, None),
        (2, 2, 136, EACCES),
        (2, 3, 1, EACCES),
        (2, 5, 0, EACCES),
        (16, 3, 0, ALLOW),
        (16, 3, 15, EACCES),
        (17, 3, 0, REFUSE | errno.EAFNOSUPPORT),
        (40, 1, 0, REFUSE | errno.EAFNOSUPPORT),
    ],
)
def test_sockets(machine: str, family: int, kind: int, protocol: int, expected: int | None) -> None:
    for level in (NAMESPACES, LANDLOCK):
        wanted = expected if expected is not None else ALLOW if level["udp"] else EACCES
        assert of(machine, "socket", family, kind, protocol, level=level) == wanted
    assert of(machine, "socketpair", 1, 2, level=NAMESPACES) == EACCES
    assert of(machine, "socketpair", 1, 0x80001, level=NAMESPACES) == ALLOW


def test_other_instruction_sets_are_unknown() -> None:
    unknown = REFUSE | errno.ENOSYS
    rules = compiled(**NAMESPACES, machine="x86_64")
    assert answer(rules, 0, architecture=ARCHITECTURES["x86_64"]) == ALLOW
    assert answer(rules, 0, architecture=0x40000003) == unknown  # i386
    assert answer(rules, 0x40000000, architecture=ARCHITECTURES["x86_64"]) == unknown  # x32
    assert compiled(**NAMESPACES, machine="riscv64") == b""
    assert asked("riscv64") == {}
    assert asked("aarch64") == {
        "52": "fchmod",
        "53": "fchmodat",
        "452": "fchmodat2",
        "88": "utimensat",
        "203": "connect",
    }


def test_numbers_are_those_of_the_kernel() -> None:
    known = dict(re.findall(r"#define __NR_(\w+) (\d+)", HEADER.read_text(encoding="utf-8"))) if HEADER.exists() else {}
    for call, (number, _) in CALLS.items():
        if call in known:
            assert number == int(known[call]), call
    numbers = [number for number, _ in CALLS.values()]
    assert len(set(numbers)) == len(numbers)
