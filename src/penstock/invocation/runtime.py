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
PROGRAMS = {
    Path("bin") / "penstock-infer": "penstock_tasks.infer.entrypoint",
    Path("bin") / "penstock-serve": "penstock_tasks.browse.serve",
    Path("bin") / "penstock-backends": "penstock_tasks.export.backends",
    Path("bin") / "penstock-drive": "penstock_tasks.load.drive",
}
"""What runs in the model's image → its module: the step *infer*, the service beside the step *browse*, and what comes
before the steps *export* and *load* in their pods."""
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
        if not _ID.fullmatch(identity) or not _is_whole(packed):
            raise WorldError("the driver's runtime is broken", where=str(packed), todo="Build the image 'plan' again.")
        _put(cache / "runtime" / identity, lambda folder: _copy(packed, folder))
        return identity
    start = f"#!/bin/sh\nexec {shlex.quote(sys.executable)} -P -m"
    launchers = {program: f'{start} {module} "$@"\n' for program, module in PROGRAMS.items()}
    identity = f"local-{__version__}-{hashlib.sha256(''.join(launchers.values()).encode()).hexdigest()[:12]}"
    _put(cache / "runtime" / identity, lambda folder: _write_launchers(folder, launchers))
    return identity


def _is_whole(folder: Path) -> bool:
    return all((folder / program).is_file() for program in PROGRAMS)


def _put(target: Path, fill: Callable[[Path], None]) -> None:
    """Fill a new directory and give it its name: what has the name is whole."""
    if _is_whole(target):
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
        if not _is_whole(target):
            raise WorldError("the driver's runtime is not whole", where=str(target), todo="Remove the directory.")


def _copy(packed: Path, folder: Path) -> None:
    try:
        shutil.copytree(packed, folder, symlinks=True, dirs_exist_ok=True)
    except shutil.Error as error:
        (_, _, reason), *_ = error.args[0]
        raise WorldError("the driver's runtime cannot be copied", where=str(folder), todo=str(reason)) from error


def _write_launchers(folder: Path, launchers: dict[Path, str]) -> None:
    for program, text in launchers.items():
        (folder / program).parent.mkdir(parents=True, exist_ok=True)
        (folder / program).write_text(text, encoding="utf-8")
        (folder / program).chmod(0o755)
