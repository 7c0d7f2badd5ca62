"""Starting a model in its sandbox, by the way of calling that its contract says."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.contract.models import Contract
from penstock.contract.policy import Level
from penstock.contract.request import http_of
from penstock.invocation.environment import PythonEnvironment, own_environment
from penstock.invocation.log import BoundedLog
from penstock.invocation.model import Model
from penstock.invocation.sandbox import ImageFiles, Sandbox
from penstock.invocation.scratch import Scratch
from penstock.invocation.service_address import ServiceAddress

if TYPE_CHECKING:
    from penstock.invocation.service_process import ServiceProcess


@contextlib.contextmanager
def start(
    contract: Contract,
    source_dir: Path,
    scratch_dir: Path,
    log_file: Path,
    *,
    readable: tuple[Path, ...] = (),
    hidden: tuple[Path, ...] = (),
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
        hidden: files below those that it may not read: what its answers are compared with.
        image: the model is that of the image in which this process runs.
        python: what a model without an image runs on; ``None``: what Penstock itself does.
        level: how far it is confined; ``None``: as far as this machine can.
        ready_timeout_s: instead of the contract's.

    Raises:
        WorldError: it could not be started or never got ready; the message holds the end of its log.
    """
    place = _Place(source_dir, scratch_dir, log_file, readable, hidden, image, python, level)
    with _surroundings(contract, place) as (sandbox, scratch, log):
        model = _make(contract, sandbox, scratch, log, ready_timeout_s)
        try:
            yield model
        finally:
            model.close()


@contextlib.contextmanager
def hold_service(
    contract: Contract,
    source_dir: Path,
    scratch_dir: Path,
    log_file: Path,
    *,
    hidden: tuple[Path, ...] = (),
    image: ImageFiles | None = None,
    python: PythonEnvironment | None = None,
) -> Iterator[ServiceProcess]:
    """The service that ``contract`` describes, not started yet; when the block is left, none of its processes is alive.

    Args: as of :func:`start`.

    Raises:
        UsageError: the contract calls no HTTP service.
    """
    from penstock.invocation.service_process import ServiceProcess

    http = http_of(contract)
    place = _Place(source_dir, scratch_dir, log_file, (), hidden, image, python, None)
    with _surroundings(contract, place) as (sandbox, scratch, log):
        service = ServiceProcess(contract, http, sandbox, scratch, log)
        with contextlib.closing(service):
            yield service


@dataclass(frozen=True)
class _Place:
    """Where a model is and writes, and what it may see: see :func:`start`."""

    source_dir: Path
    scratch_dir: Path
    log_file: Path
    readable: tuple[Path, ...]
    hidden: tuple[Path, ...]
    image: ImageFiles | None
    python: PythonEnvironment | None
    level: Level | None


@contextlib.contextmanager
def _surroundings(contract: Contract, place: _Place) -> Iterator[tuple[Sandbox, Scratch, BoundedLog]]:
    """What a model is started in."""
    scratch = Scratch(place.scratch_dir)
    sandbox = Sandbox(
        source=(place.image.directory if place.image else place.source_dir).resolve(),
        scratch=scratch.path,
        readable=tuple(path.resolve() for path in place.readable),
        hidden=tuple(path.resolve() for path in place.hidden),
        image=place.image,
        network=tuple(contract.call.network),
        environment=dict(contract.call.env),
        python=place.python,
        level=place.level,
    )
    with contextlib.closing(scratch), BoundedLog(place.log_file) as log:
        log.note(f"confined by: {sandbox.isolation}")
        if place.image is None:
            used = place.python or own_environment()
            log.note(f"python: {used}")
        yield sandbox, scratch, log


@contextlib.contextmanager
def reach(contract: Contract, address: ServiceAddress, log_file: Path) -> Iterator[Model]:
    """Call a service that runs already, as ``contract`` says; it is neither started, confined nor ended.

    Args:
        contract: its ``call.http`` says what is sent.
        address: where the service is.
        log_file: gets a line for each call.

    Raises:
        WorldError: nothing listens at the address.
    """
    from penstock.invocation.running_service import RunningService

    with BoundedLog(log_file) as log:
        log.note(f"the service at {address}, which runs already")
        model = RunningService(contract, address, log)
        with contextlib.closing(model):
            yield model


def _make(
    contract: Contract, sandbox: Sandbox, scratch: Scratch, log: BoundedLog, ready_timeout_s: float | None
) -> Model:
    if contract.call.http is None:
        from penstock.invocation.command import CommandModel

        return CommandModel(contract, sandbox, scratch, log)
    from penstock.invocation.http import HttpModel

    return HttpModel(contract, contract.call.http, sandbox, scratch, log, ready_timeout_s=ready_timeout_s)
