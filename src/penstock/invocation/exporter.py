"""Running a model's exporter: confined as the model is, for a limited time, its log kept, its file examined."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.models import Isolation
from penstock.contract.export import OUTPUT, Export
from penstock.contract.placeholders import filled
from penstock.foundation.errors import WorldError
from penstock.foundation.files import sha256_of
from penstock.foundation.handles import Folder
from penstock.invocation.environment import PythonEnvironment, own_environment
from penstock.invocation.log import BoundedLog
from penstock.invocation.model_process import ModelProcess, describe_exit
from penstock.invocation.sandbox import ImageFiles, Sandbox
from penstock.invocation.scratch import CALL, Scratch


@dataclass(frozen=True)
class Exported:
    """What came of it."""

    argv: list[str]
    seconds: float
    isolation: Isolation
    fault: str | None = None
    """Why there is no file."""
    sha256: str = ""
    bytes: int = 0


def run_exporter(
    export: Export,
    source_dir: Path,
    scratch_dir: Path,
    log_file: Path,
    *,
    environment: dict[str, str],
    hidden: tuple[Path, ...] = (),
    image: ImageFiles | None = None,
    python: PythonEnvironment | None = None,
) -> Exported:
    """Run the exporter once. What it does wrong is a fault, not an exception; when this returns, none of it is alive.

    The file that it writes is read here, and goes with the scratch directory: what is released is the file among the
    contract's weights.

    Args:
        export: the contract's.
        source_dir: the model's repository, its working directory unless ``image`` names another.
        scratch_dir: the only directory in which it may write; emptied before and removed after.
        log_file: what it says, bounded (see :mod:`penstock.invocation.log`).
        environment: ``call.env`` of the contract.
        hidden: files that it may not read.
        image: it is that of the image in which this process runs.
        python: what it runs on without an image; ``None``: what Penstock itself does.

    Raises:
        WorldError: the disk is full; what it left cannot be removed.
    """
    name = OUTPUT + Path(export.weights).suffix
    scratch = Scratch(scratch_dir)
    sandbox = Sandbox(
        source=(image.directory if image else source_dir).resolve(),
        scratch=scratch.path,
        hidden=tuple(path.resolve() for path in hidden),
        image=image,
        environment=environment,
        python=python,
    )
    known = {OUTPUT: str(scratch.path / CALL / name)}
    argv = [filled(text, known, case=None, where=f"export.argv[{place}]") for place, text in enumerate(export.argv)]
    with contextlib.closing(scratch), BoundedLog(log_file) as log, scratch.call() as folder:
        log.note(f"confined by: {sandbox.isolation}")
        if image is None:
            log.note(f"python: {python or own_environment()}")
        log.note(f"export: {' '.join(argv)}")
        begin = time.monotonic()
        fault = _fault_of(argv, sandbox, log, export.timeout_s)
        seconds = round(time.monotonic() - begin, 3)
        digest, size = "", 0
        if fault is None:
            digest, size, fault = _examined(folder, name)
        if fault is not None:
            fault = f"{fault}; the end of its log: {log.end()}"
    return Exported(argv, seconds, sandbox.isolation, fault, digest, size)


def _fault_of(argv: list[str], sandbox: Sandbox, log: BoundedLog, timeout_s: float) -> str | None:
    try:
        with ModelProcess(argv, sandbox, log) as process:
            ended = process.wait(timeout_s)
    except WorldError as error:
        if error.full_disk:
            raise
        return error.what.replace("the model", "the exporter", 1)
    if ended is None:
        return f"the exporter did not end within {timeout_s:g} s"
    return f"the exporter {describe_exit(ended.code)}" if ended.code != 0 else None


def _examined(folder: Folder, name: str) -> tuple[str, int, str | None]:
    """SHA-256 and size of the file that it left, or what is wrong with it. It must be a regular file, of one name."""
    try:
        os.fchmod(folder.descriptor, 0o700)  # it may have closed it
        file = folder.open(name)
    except FileNotFoundError:
        return "", 0, "the exporter wrote no file"
    except OSError:
        return "", 0, "what the exporter left is not a regular file that can be read"
    with file:
        facts = os.fstat(file.fileno())
        if facts.st_nlink != 1:
            return "", 0, "the exporter's file is not one of its own: it has another name"
        if facts.st_size == 0:
            return "", 0, "the exporter's file is empty"
        return sha256_of(file), facts.st_size, None
