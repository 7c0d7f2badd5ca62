"""Which names a pickle would import, read without running it, and which of them are refused."""

from __future__ import annotations

import logging
import pickletools
import sys
from typing import IO, Any, cast

from penstock.errors import UsageError

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

# Names of Python's own library that checkpoints need. Any other name of it is refused, whether or not a list of
# dangerous ones has it: there are more ways to run code in there than lists know.
_BUILTINS = (
    "bool bytearray bytes complex dict float frozenset int list long object range set slice str tuple unicode xrange"
)
_NAMES = {
    "_codecs": "encode",
    "argparse": "Namespace",
    "builtins": _BUILTINS,
    "__builtin__": _BUILTINS,
    "collections": "Counter OrderedDict defaultdict deque",
    "copyreg": "_reconstructor",
    "copy_reg": "_reconstructor",
    "datetime": "date datetime timedelta timezone",
    "decimal": "Decimal",
    "fractions": "Fraction",
    "pathlib": "Path PosixPath PurePosixPath WindowsPath",
    "types": "SimpleNamespace",
    "uuid": "UUID",
}
_STANDARD_LIBRARY = frozenset((module, name) for module, names in _NAMES.items() for name in names.split())
_PYTHON_2 = frozenset(
    ["Queue", "StringIO", "__builtin__", "cPickle", "commands", "copy_reg", "exceptions", "httplib", "urllib2"]
)


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


def check_pickle(stream: IO[bytes], size: int, *, where: str, must_be: bool) -> tuple[str, ...] | None:
    """Hold every name that the pickles in ``stream`` import against what is allowed.

    Args:
        stream: at the start of the first pickle; seekable.
        size: bytes in the stream.
        where: the file (and the member of an archive) for messages.
        must_be: its name or first bytes say that it is a pickle, so one that cannot be read to its end is refused.

    Returns:
        Foreign names that are neither known as harmless nor as dangerous; ``None`` if this is not a pickle.

    Raises:
        UsageError: names the import that would run code, or says why the pickle cannot be judged.
    """
    start = stream.tell()
    pickles = _whole_pickles(Guarded(stream, size), where)
    if pickles == 0:
        if must_be:
            raise UsageError("a broken pickle, which cannot be judged", where=where, todo="Save the weights again.")
        return None
    stream.seek(start)
    found = _globals(Guarded(stream, size), pickles, where)
    foreign = []
    for module, name, safety in sorted(found):
        if safety == "dangerous" or _refused(module, name):
            raise UsageError(f"loading it would run '{f'{module}.{name}'[:200]}'", where=where, todo=_SAFER)
        if safety == "suspicious" and (module, name) not in _STANDARD_LIBRARY:
            foreign.append(f"{module}.{name}")
    return tuple(foreign)


_SAFER = "Save the weights as safetensors or ONNX, or as a state_dict that holds nothing but tensors."


def _refused(module: str, name: str) -> bool:
    top = module.split(".", 1)[0]
    return (top in sys.stdlib_module_names or top in _PYTHON_2) and (module, name) not in _STANDARD_LIBRARY


def _globals(guarded: Guarded, pickles: int, where: str) -> set[tuple[str, str, str]]:
    """Module, name and picklescan's opinion of every import in the stream's pickles."""
    from picklescan.scanner import scan_pickle_bytes

    logger = logging.getLogger("picklescan")
    level = logger.level
    logger.setLevel(logging.CRITICAL)  # what it finds is said once, by our error
    found: set[tuple[str, str, str]] = set()
    try:
        # Behind PyTorch's five pickles stand raw numbers, which are not to be read as a sixth.
        for _ in range(TORCH_PICKLES if pickles == TORCH_PICKLES else 1):
            result = scan_pickle_bytes(cast(IO[bytes], guarded), where, multiple_pickles=pickles != TORCH_PICKLES)
            found |= {(str(item.module), str(item.name), str(item.safety.value)) for item in result.globals}
    except Exception as error:
        raise UsageError(f"a pickle that cannot be judged: {error}", where=where, todo=_SAFER) from None
    finally:
        logger.setLevel(level)
    if guarded.exhausted:
        raise UsageError("a pickle too large or too long-winded to be judged", where=where, todo=_SAFER)
    return found


def _whole_pickles(guarded: Guarded, where: str) -> int:
    """How many pickles at the start of the stream must be judged: 0 (it is none), 1 (or more), or PyTorch's five.

    What Python's reader of opcodes cannot read to the end, another may still run: so those that count must be whole.
    """
    for number in range(TORCH_PICKLES):
        magic = False
        try:
            for opcode, argument, _ in pickletools.genops(cast(Any, guarded)):
                magic = magic or (opcode.name in ("LONG1", "LONG") and argument == TORCH_MAGIC)
        except Exception as error:
            if guarded.exhausted or number:
                reason = str(error) if guarded.exhausted else f"its part {number + 1} is broken"
                raise UsageError(f"a pickle that cannot be judged: {reason}", where=where, todo=_SAFER) from None
            return 0
        if number == 0 and not magic:
            return 1
    return TORCH_PICKLES
