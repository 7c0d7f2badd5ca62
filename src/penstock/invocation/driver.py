"""What every way of calling a model has in common, and the choice of one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from penstock.bundle.models import Refusal
from penstock.contract.models import Case, Contract
from penstock.contract.policy import Level
from penstock.invocation.environment import PythonEnvironment, own_environment
from penstock.invocation.log import BoundedLog
from penstock.invocation.sandbox import ImageFiles, Sandbox
from penstock.invocation.scratch import Scratch


@dataclass(frozen=True)
class CallResult:
    """What one call of a model came to. ``error`` says why it is not ``ok``."""

    status: Literal["ok", "failed", "timeout"]
    latency_s: float | None = None
    """Seconds from the request (or the start of the program) to the whole answer (or the program's end)."""
    http_status: int | None = None
    exit_code: int | None = None
    """Exit code of the process, minus the signal's number if a signal ended it; ``None`` while it lives."""
    peak_memory_mib: float | None = None
    gpu_memory_mib: float | None = None
    error: str | None = None
    refusal: Refusal | None = None
    """Of a call that the case expects to be refused: what came of that."""
    broken_off: bool = False
    """No whole answer came: the time was over, the connection broke or the model ended. Where several calls were under
    way, any of them may be the reason."""


class Model(Protocol):
    """A model that can be called."""

    @property
    def warm(self) -> bool:
        """Whether it has answered a call since it was started, so that no start-up cost is in the next latency."""

    def revive(self) -> int:
        """Start it again if it is gone, and return how often it was started: after each start, warm-up calls are due.

        A start that fails is what the next call reports.
        """

    def call(
        self, case: Case, inputs: dict[str, Path], output: Path, timeout_s: float, *, name: str = ""
    ) -> CallResult:
        """Put one case to it. On ``ok``, ``output`` is a regular, non-empty file of at most 1 GiB; else there is none,
        nor after a refusal that the case expects.

        A model that fails is a result, not an exception. ``name`` says which of the contract's ``calls`` is made. A
        service may be called from several threads.

        Raises:
            WorldError: our side failed (a full disk).
        """

    def others_took(self, gpu_mib: float) -> None:
        """Say that another model has taken so much GPU memory since this one was started, or given it back (< 0)."""

    def close(self) -> None:
        """End it and all its processes."""


@contextlib.contextmanager
def start(
    contract: Contract,
    source_dir: Path,
    scratch_dir: Path,
    log_file: Path,
    *,
    readable: tuple[Path, ...] = (),
    image: ImageFiles | None = None,
    python: PythonEnvironment | None = None,
    level: Level | None = None,
    ready_timeout_s: float | None = None,
) -> Iterator[Model]:
    """Start the model that ``contract`` describes; when the block is left, none of its processes is alive.

    Args:
        contract: its ``call`` says how the model is started and called.
        source_dir: the model's repository, its working directory unless ``image`` names another.
        scratch_dir: the only directory in which it may write; emptied before and removed after.
        log_file: what the model writes to standard output and error, bounded (see :mod:`penstock.invocation.log`).
        readable: files and directories beside ``source_dir`` that it may read: the suite's inputs.
        image: the model is that of the image in which this process runs.
        python: what a model without an image runs on; ``None``: what Penstock itself does.
        level: how far it is confined; ``None``: as far as this machine can.
        ready_timeout_s: instead of the contract's.

    Raises:
        WorldError: it could not be started or never got ready; the message holds the end of its log.
    """
    scratch = Scratch(scratch_dir)
    sandbox = Sandbox(
        source=(image.directory if image else source_dir).resolve(),
        scratch=scratch.path,
        readable=tuple(path.resolve() for path in readable),
        image=image,
        network=tuple(contract.call.network),
        environment=dict(contract.call.env),
        python=python,
        level=level,
    )
    with contextlib.closing(scratch), BoundedLog(log_file) as log:
        log.note(f"confined by: {sandbox.isolation}")
        if image is None:
            used = python or own_environment()
            log.note(f"python: {used}")
        model = _make(contract, sandbox, scratch, log, ready_timeout_s)
        try:
            yield model
        finally:
            model.close()


def _make(
    contract: Contract, sandbox: Sandbox, scratch: Scratch, log: BoundedLog, ready_timeout_s: float | None
) -> Model:
    if contract.call.http is None:
        from penstock.invocation.command import CommandModel

        return CommandModel(contract, sandbox, scratch, log)
    from penstock.invocation.http import HttpModel

    return HttpModel(contract, contract.call.http, sandbox, scratch, log, ready_timeout_s=ready_timeout_s)
