"""What the launcher sees of a process that waits for an answer. Ways to break out: tests/invocation/test_cage.py."""

from __future__ import annotations

import ctypes
import mmap
import socket
import threading

import pytest

from penstock.invocation.answers import MAX_PATH, _Memory, _Socket


def test_path_is_read_up_to_its_end_and_no_further_than_it_may_be() -> None:
    page = mmap.PAGESIZE
    memory = mmap.mmap(-1, 4 * page)
    memory[page - 6 : page] = b"/tmp/\0"
    memory[2 * page : 4 * page] = b"x" * (2 * page)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    with _Memory(threading.get_native_id()) as reader:
        assert reader.text(start + page - 6) == b"/tmp/"
        assert reader.read(start + page - 6, 3) == b"/tm"
        assert 2 * page > MAX_PATH
        with pytest.raises(OSError, match="path"):
            reader.text(start + 2 * page)
        for address in (1, 1 << 63):
            with pytest.raises(OSError, match="address"):
                reader.text(address)


@pytest.mark.parametrize(
    ("family", "kind"), [(socket.AF_INET, socket.SOCK_STREAM), (socket.AF_UNIX, socket.SOCK_STREAM)]
)
def test_kind_of_a_socket_of_another_process(family: int, kind: int) -> None:
    with socket.socket(family, kind) as theirs:
        found = _Socket(threading.get_native_id(), theirs.fileno())
        assert (found.family, found.kind) == (family, kind)


def test_socket_of_another_kind_is_refused() -> None:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW) as theirs, pytest.raises(PermissionError):
        _Socket(threading.get_native_id(), theirs.fileno())
