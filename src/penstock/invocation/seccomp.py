"""The filter of system calls around a model: what neither Landlock nor namespaces close.

It is compiled here, in Penstock, and loaded by the launcher just before the model starts. Every process of the model
has it, and none can take it off. Calls that it refuses fail with an error, as on a machine without them; nothing is
killed for trying. For x86_64 and aarch64; elsewhere there is no filter, and :func:`compiled` is empty.
"""

from __future__ import annotations

import errno
import os
import struct
from dataclasses import dataclass, field

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32_BIT = 0x40000000
ALLOW, REFUSE, ASK = 0x7FFF0000, 0x00050000, 0x7FC00000

CALLS: dict[str, tuple[int | None, int | None]] = {
    # name: (x86_64, aarch64)
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "move_mount": (429, 429),
    "open_tree": (428, 428),
    "open_tree_attr": (467, 467),
    "fsopen": (430, 430),
    "fsmount": (432, 432),
    "fsconfig": (431, 431),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "unshare": (272, 97),
    "setns": (308, 268),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "open_by_handle_at": (304, 265),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "syslog": (103, 116),
    "personality": (135, 92),
    "vhangup": (153, 58),
    "fanotify_init": (300, 262),
    "iopl": (172, None),
    "ioperm": (173, None),
    "modify_ldt": (154, None),
    "clone": (56, 220),
    "clone3": (435, 435),
    "ioctl": (16, 29),
    "prlimit64": (302, 261),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "sched_setscheduler": (144, 119),
    "sched_setparam": (142, 118),
    "sched_setattr": (314, 274),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "sendto": (44, 206),
    "sendmsg": (46, 211),
    "sendmmsg": (307, 269),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "semget": (64, 190),
    "semop": (65, 193),
    "semtimedop": (220, 192),
    "semctl": (66, 191),
    "msgget": (68, 186),
    "msgsnd": (69, 189),
    "msgrcv": (70, 188),
    "msgctl": (71, 187),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "utimensat": (280, 88),
    "chown": (92, None),
    "lchown": (94, None),
    "fchown": (93, 55),
    "fchownat": (260, 54),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "setxattrat": (463, 463),
    "removexattrat": (466, 466),
    "file_setattr": (469, 469),
}
NEVER = (
    *("ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd", "kcmp"),
    *("mount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "open_tree_attr", "fsopen", "fsmount"),
    *("fsconfig", "fspick", "mount_setattr", "unshare", "setns", "keyctl", "add_key", "request_key", "bpf"),
    *("perf_event_open", "userfaultfd", "open_by_handle_at", "kexec_load", "kexec_file_load", "init_module"),
    *("finit_module", "delete_module", "swapon", "swapoff", "reboot", "acct", "quotactl", "quotactl_fd"),
    *("settimeofday", "clock_settime", "syslog", "vhangup", "fanotify_init", "iopl", "ioperm", "modify_ldt"),
)
"""Other processes, the tree of mounts, namespaces, keys, the kernel itself."""
AS_IF_UNKNOWN = ("io_uring_setup", "io_uring_enter", "io_uring_register", "clone3")
"""io_uring makes calls past any filter, and the arguments of clone3 cannot be seen: programs do without them."""
SHARED_IPC = (
    *("shmget", "shmat", "shmctl", "semget", "semop", "semtimedop", "semctl", "msgget", "msgsnd", "msgrcv", "msgctl"),
    *("mq_open", "mq_unlink"),
)
"""System V and POSIX objects that all processes of a user share, unless they have an IPC namespace of their own."""
OWNERSHIP = ("chown", "lchown", "fchown", "fchownat", "utime", "utimes", "futimesat")
ATTRIBUTES = (
    *("setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr", "setxattrat"),
    *("removexattrat", "file_setattr"),
)
FILE_CALLS = ("chmod", "fchmod", "fchmodat", "fchmodat2", "utimensat")
"""Answered by the launcher, see :mod:`penstock.invocation.answers`, where the model has no mounts of its own."""
SET_ID_BITS = 0o6000
"""The launcher drops these; where it is not asked, a mode that has one of them is refused."""
ONLY_ITSELF = ("sched_setscheduler", "sched_setparam", "sched_setattr", "migrate_pages", "move_pages")
"""Their first argument is a process, and 0 is the caller itself."""
CONNECT = "connect"
"""Answered by the launcher everywhere: a Unix socket on a read-only mount can be connected to."""
NEW_NAMESPACES = 0x7E020000
"""``CLONE_NEW*``: cgroup, UTS, IPC, user, PID, network and mount."""
TIOCSTI, TIOCLINUX, FS_IOC_SETFLAGS, FS_IOC_FSSETXATTR = 0x5412, 0x541C, 0x40086602, 0x401C5820
AF_UNIX, AF_INET, AF_INET6, AF_NETLINK = 1, 2, 10, 16
STREAM, DATAGRAM, SEQPACKET, TYPE_MASK = 1, 2, 5, 0xF
TCP, UDP, NETLINK_ROUTE = 6, 17, 0
FAST_OPEN = 0x20000000

LOAD, AND, EQUAL, ANY_BIT, RETURN = 0x20, 0x54, 0x15, 0x45, 0x06
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16


@dataclass
class _Program:
    """Instructions whose jumps lead forward to names."""

    instructions: list[tuple[int, int, str, str]] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)

    def add(self, code: int, value: int, then: str = "", otherwise: str = "") -> None:
        self.instructions.append((code, value, then, otherwise))

    def name(self, name: str) -> None:
        self.names[name] = len(self.instructions)

    def argument(self, index: int) -> None:
        """Load the low half of an argument: all that the kernel looks at, of those that are looked at here."""
        self.add(LOAD, ARGUMENTS + 8 * index)

    def to_bytes(self) -> bytes:
        packed = b""
        for index, (code, value, then, otherwise) in enumerate(self.instructions):
            yes, no = (self.names[name] - index - 1 if name else 0 for name in (then, otherwise))
            packed += struct.pack("=HBBI", code, yes, no, value)
        return packed


def compiled(*, own_namespaces: bool, udp: bool, answers: bool = True, machine: str = "") -> bytes:
    """The filter for a model.

    Args:
        own_namespaces: it has mounts and IPC of its own. If not, what they close is refused here, or left to the
            launcher to answer.
        udp: it may have UDP sockets: its network is its own, or it may reach hosts and has to look up their names.
        answers: the launcher answers what a filter cannot decide; else that is allowed.
        machine: the processor's architecture, by default this machine's.

    Returns:
        instructions of 8 bytes each; nothing for an unknown architecture.
    """
    machine = machine or os.uname().machine
    if machine not in ARCHITECTURES:
        return b""
    made = _Filter(list(ARCHITECTURES).index(machine), udp)
    made.begin(ARCHITECTURES[machine])
    for name in NEVER:
        made.refuse(name, errno.EPERM)
    for name in AS_IF_UNKNOWN:
        made.refuse(name, errno.ENOSYS)
    made.arguments()
    made.sockets()
    if not own_namespaces:
        for name in (*SHARED_IPC, *OWNERSHIP):
            made.refuse(name, errno.EPERM)
        for name in ATTRIBUTES:
            made.refuse(name, errno.ENOTSUP)
    if answers and not own_namespaces:
        for name in FILE_CALLS:
            made.ask(name)
    else:
        made.modes()
    if answers:
        made.ask(CONNECT)
    return made.end()


def asked(machine: str = "") -> dict[str, str]:
    """Number of each call that the launcher may have to answer → its name; numbers as text, as in JSON."""
    machine = machine or os.uname().machine
    if machine not in ARCHITECTURES:
        return {}
    index = list(ARCHITECTURES).index(machine)
    return {str(number): name for name in (*FILE_CALLS, CONNECT) if (number := CALLS[name][index]) is not None}


class _Filter:
    """One block a system call; each ends by allowing or refusing."""

    def __init__(self, architecture: int, udp: bool) -> None:
        self._program = _Program()
        self._architecture, self._udp = architecture, udp

    def begin(self, architecture: int) -> None:
        """Refuse calls of another instruction set: their numbers mean other calls."""
        program = self._program
        program.add(LOAD, ARCHITECTURE)
        program.add(EQUAL, architecture, "native", "foreign")
        program.name("foreign")
        program.add(RETURN, REFUSE | errno.ENOSYS)
        program.name("native")
        program.add(LOAD, NUMBER)
        program.add(ANY_BIT, X32_BIT, "foreign-x32", "known")
        program.name("foreign-x32")
        program.add(RETURN, REFUSE | errno.ENOSYS)
        program.name("known")

    def end(self) -> bytes:
        self._program.add(RETURN, ALLOW)
        return self._program.to_bytes()

    def refuse(self, call: str, error: int) -> None:
        if self._block(call):
            self._program.add(RETURN, REFUSE | error)
            self._program.name(f"after {call}")

    def ask(self, call: str) -> None:
        if self._block(call):
            self._program.add(RETURN, ASK)
            self._program.name(f"after {call}")

    def arguments(self) -> None:
        """Calls that are refused for what they are asked to do."""
        program = self._program
        for call, index, bits in (("clone", 0, NEW_NAMESPACES), ("sendto", 3, FAST_OPEN)):
            self._refuse_bits(call, index, bits)
        self._refuse_bits("sendmsg", 2, FAST_OPEN)
        self._refuse_bits("sendmmsg", 3, FAST_OPEN)
        if self._block("ioctl"):
            program.argument(1)
            for request in (TIOCSTI, TIOCLINUX, FS_IOC_SETFLAGS, FS_IOC_FSSETXATTR):
                program.add(EQUAL, request, "no ioctl")
            self._choose("ioctl", errno.EPERM)
        if self._block("personality"):
            program.argument(0)
            program.add(EQUAL, 0, "yes personality")
            program.add(EQUAL, 0xFFFFFFFF, "yes personality", "no personality")
            self._choose("personality", errno.EPERM)
        for call, process in (("setpriority", 0), ("ioprio_set", 1)):
            if self._block(call):
                program.argument(0)  # one process, not all of the user
                program.add(EQUAL, process, "", f"no {call}")
                program.argument(1)  # 0 is the caller itself
                program.add(EQUAL, 0, f"yes {call}", f"no {call}")
                self._choose(call, errno.EPERM)
        for call in ONLY_ITSELF:
            if self._block(call):
                program.argument(0)
                program.add(EQUAL, 0, f"yes {call}", f"no {call}")
                self._choose(call, errno.EPERM)
        if self._block("prlimit64"):
            program.argument(0)  # 0 is the caller itself
            program.add(EQUAL, 0, "yes prlimit64")
            for half in (ARGUMENTS + 16, ARGUMENTS + 20):  # no new limit: it only asks
                program.add(LOAD, half)
                program.add(EQUAL, 0, "", "no prlimit64")
            self._choose("prlimit64", errno.EPERM)

    def modes(self) -> None:
        """Modes that would make a program run as the user for anybody who starts it."""
        for call, index in (("chmod", 1), ("fchmod", 1), ("fchmodat", 2), ("fchmodat2", 2)):
            self._refuse_bits(call, index, SET_ID_BITS)

    def sockets(self) -> None:
        """Kinds of sockets that the ports of Landlock and the namespace of the network do not cover."""
        program = self._program
        if self._block("socket"):
            program.argument(0)
            program.add(EQUAL, AF_UNIX, "unix")
            program.add(EQUAL, AF_INET, "internet")
            program.add(EQUAL, AF_INET6, "internet")
            program.add(EQUAL, AF_NETLINK, "", "unknown family")
            program.argument(2)
            program.add(EQUAL, NETLINK_ROUTE, "yes socket", "no socket")
            program.name("unknown family")
            program.add(RETURN, REFUSE | errno.EAFNOSUPPORT)
            program.name("unix")
            self._type("socket")
            program.name("internet")
            program.argument(1)
            program.add(AND, TYPE_MASK)
            program.add(EQUAL, STREAM, "stream")
            program.add(EQUAL, DATAGRAM, "datagram" if self._udp else "no socket", "no socket")
            program.name("stream")
            program.argument(2)
            program.add(EQUAL, 0, "yes socket")
            program.add(EQUAL, TCP, "yes socket", "no socket")
            if self._udp:
                program.name("datagram")
                program.argument(2)
                program.add(EQUAL, 0, "yes socket")
                program.add(EQUAL, UDP, "yes socket", "no socket")
            self._choose("socket", errno.EACCES)
        if self._block("socketpair"):
            self._type("socketpair")
            self._choose("socketpair", errno.EACCES)

    def _type(self, call: str) -> None:
        """Unix sockets of two types: a datagram can be sent to any path without connecting, also from one of a pair."""
        self._program.argument(1)
        self._program.add(AND, TYPE_MASK)
        self._program.add(EQUAL, STREAM, f"yes {call}")
        self._program.add(EQUAL, SEQPACKET, f"yes {call}", f"no {call}")

    def _refuse_bits(self, call: str, index: int, bits: int) -> None:
        if self._block(call):
            self._program.argument(index)
            self._program.add(ANY_BIT, bits, f"no {call}", f"yes {call}")
            self._choose(call, errno.EPERM)

    def _choose(self, call: str, error: int) -> None:
        """Allow what comes here by falling through or by the name ``yes CALL``, refuse what comes by ``no CALL``."""
        self._program.name(f"yes {call}")
        self._program.add(RETURN, ALLOW)
        self._program.name(f"no {call}")
        self._program.add(RETURN, REFUSE | error)
        self._program.name(f"after {call}")

    def _block(self, call: str) -> bool:
        """Begin the block of a call; False where this architecture does not have it."""
        number = CALLS[call][self._architecture]
        if number is None:
            return False
        self._program.add(EQUAL, number, "", f"after {call}")
        return True
