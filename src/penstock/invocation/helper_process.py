"""A process of our own that looks at what strangers made: it gives up what it does not need, and ends in time.

What it leaves in its folder is looked at as a stranger's: it may have been made to write anything.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import penstock
from penstock.foundation.errors import one_line
from penstock.foundation.handles import Folder, NotPlainError
from penstock.invocation.environment import own_environment
from penstock.invocation.launch import kill_tree
from penstock.invocation.sandbox import SETTINGS, SYSTEM_DIRECTORIES

SAID: Final = "said"
"""The file of the folder that has what the process printed."""
_SAID_BYTES: Final = 1 << 16


def boot_of(module: str) -> str:
    """The program that runs the function ``main`` of a module of ours."""
    return f"import sys; sys.path[:0] = sys.argv[1:]; from {module} import main; sys.exit(main())"


def run_helper(
    program: str, order: bytes, folder: Path, limit_s: float, *, variables: Mapping[str, str] | None = None
) -> bool:
    """Run a program in a process of its own, and end that with all that it started.

    Args:
        program: of Python, see :func:`boot_of`.
        order: its standard input.
        folder: its scratch, home and temporary folder.
        limit_s: when it is ended.
        variables: of its environment, beside those that it needs.

    Returns:
        Whether it had to be ended.
    """
    code = Path(penstock.__file__).parent.parent
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "TMPDIR": str(folder)}
    environment |= {"HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1", **(variables or {})}
    with (folder / SAID).open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", program, str(code)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd="/",
            start_new_session=True,
        )
    try:
        process.communicate(order, timeout=limit_s)
    except subprocess.TimeoutExpired:
        return True
    finally:
        kill_tree(process.pid)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return False


def readable_code() -> list[str]:
    """What such a process reads: the system, Python with what it imports, and Penstock itself."""
    own = own_environment()
    paths = [*SYSTEM_DIRECTORIES, *(f"/etc/{name}" for name in SETTINGS), *own.readable()]
    # where an installation for development has its packages
    return [*paths, str(Path(penstock.__file__).parent), *(entry for entry in sys.path if entry.endswith("-packages"))]


def left_file(folder: Path, name: str, limit: int) -> bytes | None:
    """A file that the process has left; ``None`` if there is none, it is no plain file, or it is too large."""
    try:
        with Folder.at(folder) as opened, opened.open(name) as file:
            content = file.read(limit + 1)
    except (OSError, NotPlainError):
        return None
    return content if len(content) <= limit else None


def last_said(folder: Path) -> str:
    """The last line that the process printed."""
    try:
        text = (folder / SAID).read_bytes()[-_SAID_BYTES:].decode(errors="replace")
    except OSError:
        return "it said nothing"
    lines = [line for line in text.splitlines() if line.strip()]
    return " ".join(one_line(lines[-1]).split())[:300] if lines else "it said nothing"
