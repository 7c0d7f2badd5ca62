"""A model's log: always drained, so that the model never blocks on it, and bounded, so that it cannot fill the disk."""

from __future__ import annotations

import os
import threading
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import IO

from penstock.foundation.errors import printable
from penstock.foundation.files import disk_errors

HEAD_BYTES = 1 << 20
TAIL_BYTES = 1 << 20
READ_BYTES = 1 << 16
RECENT_BYTES = 1 << 13
OURS = b"[penstock] "
"""How each line of Penstock's own begins, and no line of the model does."""
CUT_SHORT = OURS + b"the line above was cut short\n"


class BoundedLog:
    """Keeps the first and the last mebibyte of what a model wrote, and says how much was dropped between.

    The head goes to the file as it comes; the tail is held in memory and written by :meth:`close`. A file that is there
    already (an earlier, interrupted run) is added to, on a new line. A model's line that begins like one of Penstock's
    is written with a blank before it. Safe to use from several threads.
    """

    def __init__(self, path: Path, *, head_bytes: int = HEAD_BYTES, tail_bytes: int = TAIL_BYTES) -> None:
        self.path = path
        self._tail_bytes = tail_bytes
        self._head_left = head_bytes
        self._tail: deque[bytes] = deque()
        self._tail_size = 0
        self._recent = b""
        self._recent_is_cut = False
        self._dropped = 0
        self._mid_line = False
        self._held = b""
        self._notes: list[bytes] = []
        self._lock = threading.Lock()
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            cut_short = _ends_in_a_line(path)
            self._file: IO[bytes] | None = path.open("ab", buffering=0)
            if cut_short:
                self._file.write(b"\n" + CUT_SHORT)

    def __enter__(self) -> BoundedLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def write(self, data: bytes) -> None:
        """Add ``data``. A full disk loses log lines, not the run."""
        with self._lock:
            data = self._marked(data)
            line, newline, rest = data.partition(b"\n")
            if self._notes and newline:
                data = b"".join([line, newline, *self._notes, rest])
                self._notes.clear()
            self._keep(data)

    def _marked(self, data: bytes) -> bytes:
        """What the model wrote, with a blank before each line that begins like one of Penstock's.

        As long as a line may still become one, its beginning is held back: a chunk can end anywhere.
        """
        new_line = bool(self._held) or not self._mid_line
        data = self._held + data
        if not data:
            return data
        self._mid_line = not data.endswith(b"\n")
        if new_line:
            data = b"\n" + data
        data = data.replace(b"\n" + OURS, b"\n " + OURS)
        start = data.rfind(b"\n") + 1
        self._held = data[start:] if start and OURS.startswith(data[start:]) else b""
        return data[int(new_line) : len(data) - len(self._held)]

    def note(self, text: str) -> None:
        """Add a line of Penstock's own; if the model is in the middle of a line, after that."""
        line = f"[penstock] {text}\n".encode()
        with self._lock:
            if self._mid_line:
                self._notes.append(line)
            else:
                self._keep(line)

    def _keep(self, data: bytes) -> None:
        recent = self._recent + data
        self._recent = recent[-RECENT_BYTES:]
        self._recent_is_cut |= len(recent) > RECENT_BYTES
        head, rest = data[: self._head_left], data[self._head_left :]
        self._head_left -= len(head)
        if head and self._file is not None:
            try:
                self._file.write(head)
            except OSError:
                self._dropped += len(head)
        if rest:
            self._tail.append(rest)
            self._tail_size += len(rest)
            while self._tail_size - len(self._tail[0]) >= self._tail_bytes:
                old = self._tail.popleft()
                self._tail_size -= len(old)
                self._dropped += len(old)

    def mark(self) -> None:
        """From here on :meth:`end` is about what comes now (a new process, a new call)."""
        with self._lock:
            self._recent, self._recent_is_cut = b"", False

    def drain(self, pipe: IO[bytes]) -> threading.Thread:
        """Start a thread that copies ``pipe`` here until its end, then closes it."""
        thread = threading.Thread(target=self._copy, args=(pipe,), name="model-log", daemon=True)
        thread.start()
        return thread

    def _copy(self, pipe: IO[bytes]) -> None:
        with pipe:
            while chunk := pipe.read(READ_BYTES):
                self.write(chunk)
        self._end_line()

    def _end_line(self) -> None:
        """What wrote here has ended: the line that it was in the middle of is over."""
        with self._lock:
            if self._mid_line:
                self._keep(b"".join([self._held, b"\n", *self._notes]))
                self._held = b""
                self._notes.clear()
                self._mid_line = False

    def end(self, limit: int = 600) -> str:
        """The last lines since :meth:`mark`, safe to print; ``(empty)`` if there are none.

        Lines are whole: as many as fit into ``limit`` characters, and the last one however long it is, unless it is
        longer than what is remembered. Blank lines and Penstock's own lines are left out.
        """
        with self._lock:
            text, cut = (self._recent + self._held).decode("utf-8", errors="replace"), self._recent_is_cut
        lines = text.splitlines()
        if cut and len(lines) > 1:
            lines = lines[1:]
        elif cut and lines:
            lines = [f"…{lines[0]}"]
        lines = [line.rstrip() for line in lines if line.strip() and not line.startswith("[penstock] ")]
        kept = lines[-1:]
        for line in reversed(lines[:-1]):
            if sum(map(len, kept)) + len(kept) + len(line) > limit:
                break
            kept.insert(0, line)
        return printable("\n".join(kept)) or "(empty)"

    def close(self) -> None:
        """Write the tail. Nothing is added after this."""
        with self._lock:
            if self._file is None:
                return
            self._keep(self._held)
            if self._notes:
                self._keep(b"".join([b"\n", *self._notes]))
            try:
                excess = max(0, self._tail_size - self._tail_bytes)
                if self._dropped + excess:
                    self._file.write(f"\n[penstock] {self._dropped + excess} bytes of log were dropped here\n".encode())
                self._file.write(b"".join(self._tail)[excess:])
            except OSError:
                pass  # the disk is full or gone; the step that writes the results meets the same error and says so
            finally:
                self._file.close()
                self._file = None
                self._tail.clear()


def _ends_in_a_line(path: Path) -> bool:
    """Whether there is a file already and its last line has no end."""
    if not path.exists() or not path.stat().st_size:
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"
