"""The driver's runtime: what the step *infer* brings along, because it runs in the model's own image.

In the image of the step *plan* it lies packed at ``/opt/penstock-runtime``: a Python of its own that needs nothing of
the image that it is mounted into, made for the path at which a Task finds its workspace ``runtime``. Its file ``ID``
names it. Elsewhere (a run on one machine) the runtime is the Python that runs now.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from penstock import __version__
from penstock.foundation.errors import WorldError
from penstock.foundation.files import disk_errors

PACKED = Path("/opt/penstock-runtime")
PROGRAM = Path("bin") / "penstock-infer"
_ID = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}")


def provide_runtime(cache: Path, *, packed: Path = PACKED) -> str:
    """Have the runtime in ``cache/runtime/ID``, whole, and return its ID.

    Args:
        cache: what outlives a run.
        packed: the runtime in this step's image; it need not be there.

    Raises:
        WorldError: the packed runtime is broken, or the disk is full.
    """
    if (packed / "ID").is_file():
        identity = (packed / "ID").read_text(encoding="utf-8").strip()
        if not _ID.fullmatch(identity) or not (packed / PROGRAM).is_file():
            raise WorldError("the driver's runtime is broken", where=str(packed), todo="Build the image 'plan' again.")
        _put(cache / "runtime" / identity, lambda folder: _copy(packed, folder))
        return identity
    launcher = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -P -m penstock_tasks.infer.entrypoint "$@"\n'
    identity = f"local-{__version__}-{hashlib.sha256(launcher.encode()).hexdigest()[:12]}"
    _put(cache / "runtime" / identity, lambda folder: _write_launcher(folder / PROGRAM, launcher))
    return identity


def _put(target: Path, fill: Callable[[Path], None]) -> None:
    """Fill a new directory and give it its name: what has the name is whole."""
    if (target / PROGRAM).is_file():
        return
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".tmp-", dir=target.parent))
        try:
            fill(temporary)
            temporary.chmod(0o755)
            with contextlib.suppress(OSError):  # another run was first: what it put there is the same
                temporary.replace(target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        if not (target / PROGRAM).is_file():
            raise WorldError("the driver's runtime is not whole", where=str(target), todo="Remove the directory.")


def _copy(packed: Path, folder: Path) -> None:
    try:
        shutil.copytree(packed, folder, symlinks=True, dirs_exist_ok=True)
    except shutil.Error as error:
        (_, _, reason), *_ = error.args[0]
        raise WorldError("the driver's runtime cannot be copied", where=str(folder), todo=str(reason)) from error


def _write_launcher(program: Path, text: str) -> None:
    program.parent.mkdir(parents=True)
    program.write_text(text, encoding="utf-8")
    program.chmod(0o755)
