"""One way to fail: an error that says what is wrong, where, and what to do, and knows its exit code."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every ``penstock`` command and step entrypoint."""

    OK = 0
    """Done; for the gate: accepted."""
    REJECTED = 1
    """The gate rejected the model."""
    USAGE = 2
    """Bad usage, contract, manifest, suite or input file."""
    INCONCLUSIVE = 3
    """The gate could not tell."""
    WORLD = 4
    """The world failed: network, registry, disk, no GPU, the model crashed."""
    BUG = 70
    """A bug of Penstock's own."""
    INTERRUPTED = 130
    """Ctrl-C; what was finished is kept and can be resumed."""


class PenstockError(Exception):
    """Base of every expected failure.

    Args:
        what: what is wrong, in one line of plain words.
        where: file, line, field, case or URL that it is about; empty if none.
        todo: what the reader should do about it; empty if there is nothing to say.
    """

    exit_code = ExitCode.BUG
    resumable = True
    """Whether going on with the run may help; where only a new one can, ``todo`` says which."""
    full_disk = False
    """Whether it failed for want of space, so that whatever comes next on this machine fails in the same way."""

    def __init__(self, what: str, *, where: str = "", todo: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.todo = todo

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...], dict[str, object]]:
        """Sent from a process that works on cases: whatever a subclass's own constructor wants, it is not asked."""
        return _sent, (type(self), self.args), self.__dict__

    def __str__(self) -> str:
        """``where: what. todo`` in one line, safe to print (control characters are escaped)."""
        text = f"{self.where}: {self.what}" if self.where else self.what
        if self.todo:
            text = f"{text.rstrip('.')}. {self.todo}"
        return printable(text)


def _sent(kind: type[PenstockError], args: tuple[object, ...]) -> PenstockError:
    return kind.__new__(kind, *args)


class UsageError(PenstockError):
    """Bad input: a wrong argument, contract, manifest, suite or file (exit 2)."""

    exit_code = ExitCode.USAGE


class WorldError(PenstockError):
    """Something outside failed: network, registry, disk, GPU, the model itself (exit 4)."""

    exit_code = ExitCode.WORLD


class MissingFileError(UsageError):
    """There is no such file."""


class NoSpaceError(WorldError):
    """No space is left on the disk, or in a quota."""

    full_disk = True


class Rejected(PenstockError):
    """The gate's verdict is ``fail`` (exit 1)."""

    exit_code = ExitCode.REJECTED


class Inconclusive(PenstockError):
    """The gate's verdict is ``inconclusive`` (exit 3)."""

    exit_code = ExitCode.INCONCLUSIVE


class Interrupted(PenstockError):
    """The user pressed Ctrl-C or the run was terminated (exit 130)."""

    exit_code = ExitCode.INTERRUPTED


def one_line(text: str) -> str:
    """Safe to print, and in one line: what a model says cannot pass for a line of ours."""
    return printable(text).replace("\n", " ").replace("\t", " ")


def printable(text: str) -> str:
    """Escape control characters, so that hostile file names and answers cannot drive a terminal or forge log lines."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)
