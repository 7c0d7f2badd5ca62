"""The opcodes of a pickle as its unpicklers read them.

:mod:`pickletools` is stricter than the unpickler in C: it stops at ``I0x10``, at a string that is not ASCII, at a NUL
in a number. Stopping there would hide what the unpickler runs behind it. So arguments that are lines are read
here, never more strictly than either unpickler of Python reads them.
"""

from __future__ import annotations

import codecs
import pickletools
from collections.abc import Callable, Iterator
from typing import Any, Protocol, cast

_BY_CODE = {opcode.code: opcode for opcode in pickletools.opcodes}


class Lines(Protocol):
    """What opcodes are read from."""

    def read(self, count: int, /) -> bytes:
        """At most ``count`` bytes."""
        ...

    def readline(self) -> bytes:
        """A line with its end, if it has one."""
        ...


def opcodes(stream: Lines) -> Iterator[tuple[pickletools.OpcodeInfo, Any]]:
    """Each opcode with its argument, to ``STOP``; ``GLOBAL`` and ``INST`` have the pair of module and name.

    Raises:
        ValueError: the pickle ends early, or no unpickler reads what stands there.
    """
    while True:
        code = stream.read(1)
        opcode = _BY_CODE.get(code.decode("latin-1"))
        if opcode is None:
            raise ValueError(f"{code!r} is not an opcode")
        if opcode.name in _LINES:
            yield opcode, _LINES[opcode.name](stream)
        else:
            yield opcode, opcode.arg.reader(cast(Any, stream)) if opcode.arg is not None else None
        if opcode.name == "STOP":
            return


def _line(stream: Lines) -> bytes:
    line = stream.readline()
    if not line.endswith(b"\n"):
        raise ValueError("the pickle ends within a line")
    return line[:-1]


def _number(stream: Lines) -> int | None:
    """An integer in any base. ``None`` if Python has none; the value matters only where it is PyTorch's magic."""
    text = _line(stream).split(b"\0", 1)[0].strip().removesuffix(b"L")
    try:
        return int(text, 0)
    except ValueError:
        return None


def _index(stream: Lines) -> int:
    """A place in the memo. The unpickler in C reads it up to a NUL."""
    return int(_line(stream).split(b"\0", 1)[0])


def _string(stream: Lines) -> str:
    """A quoted string. Which encoding it has, the loader chooses: names are ASCII, so any that keeps ASCII will do."""
    text = _line(stream).strip()
    if len(text) < 2 or text[0] != text[-1] or text[:1] not in (b"'", b'"'):
        raise ValueError("a string without quotes")
    return codecs.escape_decode(text[1:-1])[0].decode("latin-1")


def _import(stream: Lines) -> tuple[str, str]:
    return _line(stream).decode("utf-8"), _line(stream).decode("utf-8")


_LINES: dict[str, Callable[[Lines], Any]] = {
    "INT": _number,
    "LONG": _number,
    "FLOAT": _line,
    "STRING": _string,
    "PERSID": _line,
    "GET": _index,
    "PUT": _index,
    "GLOBAL": _import,
    "INST": _import,
}
