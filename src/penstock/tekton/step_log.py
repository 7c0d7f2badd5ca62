"""The log of one step: all of it in a file, unless it floods; line by line for those who watch."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from penstock.foundation.files import disk_errors

HEAD_BYTES = 4 << 20
TAIL_BYTES = 1 << 20
LINE_BYTES = 1 << 14
"""A longer line is shown in pieces."""

OnLine = Callable[[str, str], None]
"""Takes the stream and one line without its end."""


class StepLog:
    """Collects the output of one process.

    The first 4 MiB go to the file as they come, then only the last 1 MiB is kept and written at the end, with a line
    between that says how much was left out. Watchers get lines until the first 4 MiB are full.
    """

    def __init__(self, path: Path, on_line: OnLine, *, head: int = HEAD_BYTES, tail: int = TAIL_BYTES) -> None:
        self.path = path
        self.on_line = on_line
        self._room = head
        self._tail_limit = tail
        self._tail: deque[bytes] = deque()
        self._tail_bytes = 0
        self._dropped = 0
        self._partial: dict[str, bytes] = {}
        self._flooded = False
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("wb")

    def __enter__(self) -> StepLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def write(self, stream: str, data: bytes) -> None:
        """Take output of ``stdout`` or ``stderr``."""
        data = self._partial.pop(stream, b"") + data
        *lines, rest = data.split(b"\n")
        kept: list[bytes] = []
        for line in lines:
            self._take(stream, line, kept, b"\n")
        while len(rest) > LINE_BYTES:
            self._take(stream, rest[:LINE_BYTES], kept, b"")
            rest = rest[LINE_BYTES:]
        if rest:
            self._partial[stream] = rest
        self._save(kept)

    def say(self, text: str) -> None:
        """Add a line of the runner's own."""
        self.write("stderr", text.encode() + b"\n")

    def close(self) -> None:
        """Write what is left."""
        kept: list[bytes] = []
        for stream, rest in self._partial.items():
            self._take(stream, rest, kept, b"")
        self._partial = {}
        self._save(kept)
        with disk_errors(self.path):
            if self._dropped:
                self._file.write(f"\n[... {self._dropped} bytes of the log are left out here ...]\n".encode())
            self._file.writelines(self._tail)
            self._tail.clear()
            self._file.close()

    def _take(self, stream: str, line: bytes, kept: list[bytes], end: bytes) -> None:
        raw = line + end
        if len(raw) <= self._room:
            self._room -= len(raw)
            kept.append(raw)
            for start in range(0, max(len(line), 1), LINE_BYTES):
                self.on_line(stream, line[start : start + LINE_BYTES].decode(errors="replace").rstrip("\r"))
            return
        self._room = 0
        if not self._flooded:
            self._flooded = True
            self.on_line("stderr", "[the log is too long: from here on only its end is kept, in the file]")
        self._tail.append(raw)
        self._tail_bytes += len(raw)
        while self._tail_bytes > self._tail_limit and len(self._tail) > 1:
            dropped = len(self._tail.popleft())
            self._tail_bytes -= dropped
            self._dropped += dropped

    def _save(self, kept: list[bytes]) -> None:
        if kept:
            with disk_errors(self.path):
                self._file.writelines(kept)
                self._file.flush()
