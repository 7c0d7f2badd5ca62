"""Which names a pickle would import, read without running it, and which of them are refused."""

from __future__ import annotations

import pickletools
from dataclasses import dataclass, field
from typing import IO, Any

from penstock.foundation.errors import UsageError
from penstock.sources.harmless import is_harmless
from penstock.sources.opcodes import opcodes

PICKLE_SUFFIXES = frozenset({".pkl", ".pickle", ".pt", ".pth", ".ckpt", ".joblib"})
MAX_READS = 8_000_000
"""About this many opcodes are looked at; the pickle of a checkpoint has some twenty a tensor."""
MAX_KEPT_BYTES = 256 << 20
MAX_LINE_BYTES = 16 << 20
TORCH_MAGIC = 0x1950A86A20F9469CFC6C
TORCH_PICKLES = 5
"""Before 1.6 PyTorch wrote magic number, protocol, system, content and storage keys, then raw numbers."""
LONG_ARGUMENT_BYTES = 4096
"""No import name is longer: longer arguments are skipped, not read."""


class _Skipped(bytes):
    """Stands for a long argument that was passed over; says its length, holds nothing."""

    length = 0

    def __len__(self) -> int:
        return self.length


class Guarded:
    """A binary stream for pickletools that passes over long arguments and stops when there is too much to look at."""

    def __init__(self, stream: IO[bytes], size: int) -> None:
        self._stream = stream
        self._size = size
        self._reads = 0
        self._kept = 0
        self.exhausted = False

    def _charge(self, kept: int) -> None:
        self._reads += 1
        self._kept += kept
        if self._reads > MAX_READS or self._kept > MAX_KEPT_BYTES:
            self.exhausted = True
            raise ValueError("there is too much to look at")

    def read(self, count: int = -1) -> bytes:
        """Read ``count`` bytes; a long argument is passed over."""
        self._charge(0)
        if count > LONG_ARGUMENT_BYTES and self._stream.tell() + count <= self._size:
            self._stream.seek(count, 1)
            skipped = _Skipped()
            skipped.length = count
            return skipped
        content = self._stream.read(count)
        self._charge(len(content))
        return content

    def readline(self) -> bytes:
        """Read a line of bounded length."""
        line = self._stream.readline(MAX_LINE_BYTES)
        if len(line) == MAX_LINE_BYTES:
            self.exhausted = True
            raise ValueError("a line is too long")
        self._charge(len(line))
        return line

    def tell(self) -> int:
        """Where the stream stands."""
        return self._stream.tell()

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move in the stream."""
        return self._stream.seek(offset, whence)


def looks_like_pickle(start: bytes) -> bool:
    """Whether the first bytes are those of a pickle of protocol 2 or later."""
    return len(start) >= 2 and start[0] == 0x80 and start[1] <= 5


def check_pickle(stream: IO[bytes], size: int, *, where: str, must_be: bool) -> bool:
    """Look up every name that the pickles in ``stream`` import in :mod:`penstock.sources.harmless`.

    Args:
        stream: at the start of the first pickle; seekable.
        size: bytes in the stream.
        where: the file (and the member of an archive) for messages.
        must_be: its name or first bytes say that it is a pickle, so one that cannot be read to its end is refused.

    Returns:
        Whether this is a pickle.

    Raises:
        UsageError: names the import that is refused, or says why the pickle cannot be judged.
    """
    guarded = Guarded(stream, size)
    first = _read(guarded, where)
    if first.broken:
        # What an unpickler meets before the break, it has run by then.
        if first.ran:
            _refuse(first, where)
        if must_be:
            raise UsageError("a broken pickle, which cannot be judged", where=where, todo="Save the weights again.")
        return False
    _refuse(first, where)
    if first.magic:
        for number in range(2, TORCH_PICKLES + 1):
            part = _read(guarded, where)
            if part.broken:
                what = f"a pickle that cannot be judged: its part {number} is broken"
                raise UsageError(what, where=where, todo=_SAFER)
            _refuse(part, where)
        return True  # behind them stand raw numbers, which are not to be read as a sixth
    while guarded.tell() < size:
        further = _read(guarded, where)
        if not further.broken or further.ran or must_be:
            _refuse(further, where)
        if further.broken:
            break
    return True


_SAFER = "Save the weights as safetensors or ONNX, or as a state_dict that holds nothing but tensors."


def _refuse(program: Program, where: str) -> None:
    for module, name in sorted(program.imports):
        if not is_harmless(module, name):
            what = f"loading it would run '{f'{module}.{name}'[:200]}', which weights do not need"
            raise UsageError(what, where=where, todo=_SAFER)
    if program.computed:
        raise UsageError("loading it would run something whose name it makes up as it goes", where=where, todo=_SAFER)


@dataclass
class Program:
    """What one pickle does, as far as it can be read."""

    imports: set[tuple[str, str]] = field(default_factory=set)
    """Module and name of each import."""
    computed: bool = False
    """It imports something whose name does not stand in it."""
    magic: bool = False
    """It holds PyTorch's magic number: four more belong to it."""
    ran: bool = False
    """Something was called before its end or its break."""
    broken: bool = False


def _read(guarded: Guarded, where: str) -> Program:
    """Follow one pickle's program: which strings are on the stack where a name is taken from there.

    Raises:
        UsageError: there is too much to look at.
    """
    program = Program()
    machine = _Machine(program)
    try:
        for opcode, argument in opcodes(guarded):
            machine.step(opcode, argument)
    except Exception as error:
        if guarded.exhausted:
            raise UsageError(f"a pickle that cannot be judged: {error}", where=where, todo=_SAFER) from None
        program.broken = True  # an unpickler has run what stands before the break
    return program


_MARK = object()
_OTHER = object()
"""On the stack: anything that is not a string which stands in the pickle."""
_STRINGS = frozenset(
    ["STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"]
)
_PUT = frozenset(["PUT", "BINPUT", "LONG_BINPUT"])
_GET = frozenset(["GET", "BINGET", "LONG_BINGET"])
_CALLS = frozenset(
    ["REDUCE", "BUILD", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "APPEND", "APPENDS", "ADDITEMS", "SETITEM", "SETITEMS"]
)
"""Also what fills a list, a set or a dict: on anything else it calls a method of that name."""
_EXTENSIONS = frozenset(["EXT1", "EXT2", "EXT4"])


class _Machine:
    """The unpickler's stack and memo, with nothing on them but strings and marks. Raises where it would fail."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._stack: list[object] = []
        self._memo: dict[int, object] = {}

    def step(self, opcode: pickletools.OpcodeInfo, argument: Any) -> None:
        """Do what an opcode does."""
        name, stack = opcode.name, self._stack
        if name in _STRINGS:
            stack.append(argument)
        elif name == "MARK":
            stack.append(_MARK)
        elif name == "POP":
            stack.pop()
        elif name == "DUP":
            stack.append(self._top())
        elif name in _PUT:
            self._memo[int(argument)] = self._top()
        elif name == "MEMOIZE":
            self._memo[len(self._memo)] = self._top()
        elif name in _GET:
            stack.append(self._memo[int(argument)])
        elif name == "GLOBAL":
            self._import(*argument)
        elif name == "STACK_GLOBAL":
            attribute, module = stack.pop(), stack.pop()
            self._import(module, attribute)
        else:
            self._other(opcode, argument)

    def _other(self, opcode: pickletools.OpcodeInfo, argument: Any) -> None:
        """Everything else leaves values that are no strings of the pickle's."""
        before = list(opcode.stack_before)
        if pickletools.markobject in before:
            while self._stack.pop() is not _MARK:
                pass
            before = before[: before.index(pickletools.markobject)]
        for _ in before:
            self._top()
            self._stack.pop()
        if opcode.name == "INST":
            self._import(*argument)
            self._stack.pop()  # what is made of it is pushed below
        self._program.computed |= opcode.name in _EXTENSIONS
        self._program.ran |= opcode.name in _CALLS
        self._program.magic |= opcode.name in ("LONG1", "LONG") and argument == TORCH_MAGIC
        self._stack += [_OTHER] * len(opcode.stack_after)

    def _top(self) -> object:
        if self._stack[-1] is _MARK:
            raise IndexError("nothing is on the stack above the mark")
        return self._stack[-1]

    def _import(self, module: object, name: object) -> None:
        if isinstance(module, str) and isinstance(name, str):
            self._program.imports.add((module, name))
        else:
            self._program.computed = True
        self._stack.append(_OTHER)
