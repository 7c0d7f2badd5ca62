"""Running another program (git, buildah, skopeo): bounded output, a time limit, and nothing left behind."""

from __future__ import annotations

import contextlib
import logging
import subprocess
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from penstock.foundation.errors import WorldError, printable

log = logging.getLogger(__name__)

MAX_OUTPUT_BYTES = 64 << 20
TAIL_LINES = 60
MAX_LINE_CHARACTERS = 2000
GRACE_S = 3.0


@dataclass(frozen=True)
class Finished:
    """A program that has ended."""

    code: int
    output: bytes
    """What it wrote to standard output."""
    tail: str
    """The last lines of its standard error (of both streams if they were joined), safe to print."""

    @property
    def last_line(self) -> str:
        """Of ``tail``, cut to its end."""
        return cut_to_end((self.tail.splitlines() or [""])[-1])


def cut_to_end(line: str) -> str:
    """The end of a program's error: what went wrong stands last."""
    return line.strip() if len(line) <= 200 else "…" + line.strip()[-200:]


def run(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout_s: float = 600.0,
    join: bool = False,
    log_file: Path | None = None,
) -> Finished:
    """Run ``argv`` without a shell and without a standard input, and wait for it.

    Args:
        argv: the program and its arguments.
        cwd: where it runs.
        env: its whole environment; ``None`` passes ours on.
        timeout_s: after this it is ended, with all that it started.
        join: both streams are read as lines into ``tail`` (for programs whose log matters, not their output).
        log_file: with ``join``: every line is written here as well.

    Raises:
        WorldError: the program is not there, ran too long, or wrote more than 64 MiB to standard output.
    """
    name = Path(argv[0]).name
    try:
        process = subprocess.Popen(
            argv,
            cwd=cwd,
            env=None if env is None else dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if join else subprocess.PIPE,
        )
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise WorldError(f"cannot start '{name}': {reason}", todo=f"Install {name} or put it on PATH.") from None
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    collected = _Collected()
    assert process.stdout is not None  # noqa: S101 (both are PIPE)
    if join:
        readers = [threading.Thread(target=_read_lines, args=(process.stdout, tail, log_file), daemon=True)]
    else:
        assert process.stderr is not None  # noqa: S101
        readers = [
            threading.Thread(target=_read_all, args=(process.stdout, collected, process), daemon=True),
            threading.Thread(target=_read_lines, args=(process.stderr, tail, None), daemon=True),
        ]
    for reader in readers:
        reader.start()
    try:
        code = process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        end(process)
        raise WorldError(
            f"'{name}' did not finish within {timeout_s:g} s and was ended", todo="Raise the time limit or look why."
        ) from None
    except BaseException:
        end(process)
        raise
    for reader in readers:
        reader.join(GRACE_S)
    if collected.too_much:
        raise WorldError(f"'{name}' wrote more than {MAX_OUTPUT_BYTES >> 20} MiB and was ended")
    return Finished(code, bytes(collected.data), printable("\n".join(tail)))


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process and everything that it started: first asked, then forced."""
    import psutil

    with contextlib.suppress(psutil.NoSuchProcess):
        parent = psutil.Process(process.pid)
        family = [*parent.children(recursive=True), parent]
        for member in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.terminate()
        _, alive = psutil.wait_procs(family, timeout=GRACE_S)
        for member in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
    process.wait()


class _Collected:
    def __init__(self) -> None:
        self.data = bytearray()
        self.too_much = False


def _read_all(stream: IO[bytes], collected: _Collected, process: subprocess.Popen[bytes]) -> None:
    while chunk := stream.read(1 << 16):
        if len(collected.data) + len(chunk) > MAX_OUTPUT_BYTES:
            collected.too_much = True
            process.kill()
            return
        collected.data += chunk


def _read_lines(stream: IO[bytes], tail: deque[str], log_file: Path | None) -> None:
    with contextlib.ExitStack() as stack:
        copy = stack.enter_context(log_file.open("ab")) if log_file is not None else None
        # A limit on each read, so that one endless line cannot fill the memory.
        while line := stream.readline(1 << 16):
            if copy is not None:
                with contextlib.suppress(OSError):  # a full disk must not stop us from draining the pipe
                    copy.write(line)
            text = line.decode("utf-8", "replace").rstrip()
            if text:
                tail.append(text[:MAX_LINE_CHARACTERS])
                log.debug("%s", text[:MAX_LINE_CHARACTERS])
