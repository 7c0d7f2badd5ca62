"""A model's two backends: the exporter is run, and the cases are put to the trained weights and to the exported file.

This runs in the model's own image, on the driver's runtime: nothing here may import more than that has.
:mod:`penstock.evaluation.compare_backends`, in our own, compares what came of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.directory import Bundle, write_model
from penstock.bundle.export_record import (
    EXPORTER_LOG,
    TRIED,
    Backend,
    ExporterRecord,
    TriedRecord,
    backend_bundle,
    tried_record,
)
from penstock.contract.export import Export
from penstock.contract.export_faults import compared_cases
from penstock.contract.export_switch import with_switch
from penstock.contract.models import Contract, Suite
from penstock.evaluation.infer import infer, scratch_folder, withheld_files
from penstock.foundation.errors import WorldError
from penstock.foundation.files import disk_errors
from penstock.invocation.environment import PythonEnvironment
from penstock.invocation.exporter import run_exporter
from penstock.invocation.sandbox import ImageFiles

MAX_FAULT = 700
Progress = Callable[[int, int, str], None]
"""Calls done, calls in all, what was done last."""


@dataclass(frozen=True)
class Where:
    """What the model runs in and on, see :func:`penstock.evaluation.infer.infer`."""

    image: ImageFiles | None
    python: PythonEnvironment | None
    temporary: Path | None


def try_backends(
    contract: Contract,
    export: Export,
    suite: Suite,
    source_dir: Path,
    bundle: Bundle,
    where: Where,
    *,
    only: str = "",
    on_progress: Progress,
) -> TriedRecord | None:
    """Export anew, then put every compared case to the model with its trained weights, and again with its export.

    Fills ``export/`` of the bundle: ``exporter.log``, ``trained/`` and ``exported/`` with calls, answers and logs, and
    in the end ``tried.json``; if that is there, an earlier attempt was done. An exporter that fails is a fault, and
    then nothing is put to the model; so is a model that does not start with its export.

    Args:
        contract: how the model is called.
        export: the contract's.
        suite: all cases, with the parameters that the step *plan* has found.
        source_dir: the model's repository.
        bundle: the run's.
        where: what the model runs in and on.
        only: the slice that is compared, in place of the one that ``export`` names.
        on_progress: told after each call.

    Returns:
        What was run; ``None`` if ``only`` has no case that the model must answer: then nothing is.

    Raises:
        UsageError: there is no case to compare.
        WorldError: the model does not start with its trained weights; the disk is full.
    """
    if (before := tried_record(bundle)) is not None:
        return before
    cases = compared_cases(export, suite, only=only)
    if not cases.cases:
        return None
    hidden = withheld_files(contract, suite, source_dir, source_dir, where.image)
    released = {file.path: file.sha256 for file in bundle.run().weights}
    log_file = bundle.path / EXPORTER_LOG
    with disk_errors(log_file):
        log_file.parent.mkdir(exist_ok=True)
        log_file.unlink(missing_ok=True)  # of an attempt that was broken off
    with scratch_folder(where.temporary) as work:
        made = run_exporter(
            export,
            source_dir,
            work / "scratch",
            log_file,
            environment=dict(contract.call.env),
            hidden=hidden,
            image=where.image,
            python=where.python,
        )
    exporter = ExporterRecord(
        argv=export.argv,
        seconds=made.seconds,
        fault=_cut(made.fault),
        sha256=made.sha256,
        bytes=made.bytes,
        same=bool(made.sha256) and made.sha256 == released.get(export.weights),
    )
    seconds: dict[Backend, float] = {}
    fault = None
    if made.fault is None:
        both = _Both(contract, cases, source_dir, bundle, where, hidden, on_progress)
        seconds["trained"] = both.run("trained")
        try:
            seconds["exported"] = both.run("exported")
        except WorldError as error:
            if error.full_disk:
                raise
            fault = _cut(str(error))
    record = TriedRecord(exporter=exporter, isolation=made.isolation, fault=fault, seconds=seconds)
    write_model(bundle.path / TRIED, record)
    return record


@dataclass(frozen=True)
class _Both:
    contract: Contract
    cases: Suite
    source_dir: Path
    bundle: Bundle
    where: Where
    hidden: tuple[Path, ...]
    on_progress: Progress

    def run(self, backend: Backend) -> float:
        """Put the cases to one backend; the seconds that it took, with the model's start."""
        exported = backend == "exported"
        told = with_switch(self.contract, exported)
        own = backend_bundle(self.bundle, backend)
        with disk_errors(own.path):
            own.path.mkdir(exist_ok=True)
        own.sweep()
        count = len(self.cases.cases)
        before = count if exported else 0

        def progress(done: int, _all: int, what: str) -> None:
            self.on_progress(before + done, 2 * count, f"{backend}: {what}")

        begin = time.monotonic()
        try:
            infer(
                told,
                self.cases,
                self.source_dir,
                own,
                image=self.where.image,
                python=self.where.python,
                hidden=self.hidden,
                temporary=self.where.temporary,
                on_progress=progress,
            )
        except WorldError as error:
            if not error.full_disk and self.contract.export is not None:
                error.what = (
                    f"with {self.contract.export.switch}={str(exported).lower()}: {' '.join(error.what.split())}"
                )
            raise
        return round(time.monotonic() - begin, 3)


def _cut(fault: str | None) -> str | None:
    """In one line, since it quotes the model and its exporter."""
    return " ".join(fault.split())[:MAX_FAULT] if fault is not None else None
