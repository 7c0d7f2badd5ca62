"""ONNX Runtime sessions with a name and a digest, shared by all extractors.
 A value that was measured through a network means something only together with that network. So an :class:`Extractor`
always carries the label ``name@sha256:digest`` of the file that it was loaded from, and the bytes that were digested
are the bytes that run.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import onnxruntime

from penstock.extractors.onnx_file import inspect
from penstock.foundation.errors import UsageError, WorldError

MAX_BYTES = 256 << 20
"""The largest extractor file that is loaded (the published SyncNet has 55 MB, Inception 95 MB)."""

Device = Literal["cpu", "cuda"]
Size = int | Literal["open", "any"]

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_ADVICE_WEIGHTS = (
    "Give an extractor that 'penstock weights import' wrote, or the compact one that comes with the repository."
)
_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


@dataclass(frozen=True)
class Tensor:
    """What an extractor's input or output must be.

    ``type`` is ONNX Runtime's word, for example ``tensor(float)`` or ``tensor(uint8)``. ``shape`` holds a number where
    the size is fixed, ``"open"`` where the file must leave it open, ``"any"`` where both will do.
    """

    type: str
    shape: tuple[Size, ...]

    def __str__(self) -> str:
        return f"{self.type} ({', '.join(map(str, self.shape))})"

    def accepts(self, other: Tensor) -> bool:
        """Whether a file's input or output (its open sizes are ``"open"``) is as this one asks."""
        return (
            other.type == self.type
            and len(other.shape) == len(self.shape)
            and all(want == "any" or got in ("open", want) for got, want in zip(other.shape, self.shape, strict=True))
        )


@dataclass(frozen=True)
class Interface:
    """The kind of an extractor (``penstock.kind`` in the file's metadata) and its inputs and outputs by name."""

    kind: str
    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]


class Extractor:
    """A loaded network: ``name``, ``digest`` (64 hex digits), ``metadata``; :meth:`run` gives its outputs."""

    def __init__(self, session: Any, *, name: str, digest: str, metadata: Mapping[str, str], where: str) -> None:
        self._session = session
        self._where = where
        self.name = name
        self.digest = digest
        self.metadata = dict(metadata)

    @property
    def label(self) -> str:
        """``name@sha256:digest``, as measurements record it."""
        return f"{self.name}@sha256:{self.digest}"

    def output_shape(self, name: str) -> list[int | str | None]:
        """The declared shape of an output: numbers, or a name or None where dynamic."""
        return next(list(output.shape) for output in self._session.get_outputs() if output.name == name)

    def run(self, feeds: Mapping[str, npt.NDArray[Any]], outputs: Sequence[str]) -> list[npt.NDArray[Any]]:
        """Run the network once.

        Raises:
            UsageError: the network failed on inputs of the documented shape, or answered with NaN or infinity.
        """
        try:
            results = self._session.run(list(outputs), dict(feeds))
        except Exception as error:  # ONNX Runtime's exceptions share no public base class
            raise UsageError(
                f"the extractor failed: {_one_line(error)}",
                where=self._where,
                todo="Its graph does not keep the interface; use another.",
            ) from error
        for name, result in zip(outputs, results, strict=True):
            if not np.isfinite(result).all():
                raise UsageError(
                    f"the extractor's '{name}' holds NaN or infinity", where=self._where, todo=_ADVICE_WEIGHTS
                )
        return list(results)


def open_extractor(
    path: Path,
    interface: Interface,
    *,
    threads: int | None = None,
    device: Device = "cpu",
    max_bytes: int = MAX_BYTES,
) -> Extractor:
    """Load an extractor after checking what it is.

    Args:
        path: an ONNX file, all weights inside, standard operators only.
        interface: what it must be.
        threads: threads of one operator; by default as many as this process may use cores.
        device: ``cuda`` needs ONNX Runtime's GPU build and a card.
        max_bytes: refuse larger files.

    Raises:
        UsageError: missing, too large, not ONNX, another kind, other inputs or outputs, no name, external data or
            custom operators.
        WorldError: ``cuda`` asked for where there is none.
    """
    where = str(path)
    data = _read(path, max_bytes)
    facts = inspect(data, where=where)
    kind = facts.metadata.get("penstock.kind", "")
    if kind != interface.kind:
        found = f"its 'penstock.kind' is '{kind[:64]}'" if kind else "it has no 'penstock.kind' in its metadata"
        raise UsageError(f"this is no {interface.kind} extractor: {found}", where=where, todo=_ADVICE_WEIGHTS)
    name = facts.metadata.get("penstock.name", "")
    if not _NAME.fullmatch(name):
        raise UsageError(
            "its metadata 'penstock.name' is missing or not a plain lower-case name", where=where, todo=_ADVICE_WEIGHTS
        )
    digest = hashlib.sha256(data).hexdigest()
    session = _session(data, where, threads, device)
    _check("input", session.get_inputs(), interface.inputs, where)
    _check("output", session.get_outputs(), interface.outputs, where)
    return Extractor(session, name=name, digest=digest, metadata=facts.metadata, where=where)


def _read(path: Path, max_bytes: int) -> bytes:
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise UsageError("this is not a regular file", where=str(path), todo=_ADVICE_WEIGHTS)
            if status.st_size > max_bytes:
                raise UsageError(
                    f"the file has {status.st_size} bytes, more than the {max_bytes} that an extractor may have",
                    where=str(path),
                    todo=_ADVICE_WEIGHTS,
                )
            data = file.read(max_bytes + 1)
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise UsageError(f"the extractor cannot be read: {reason}", where=str(path), todo=_ADVICE_WEIGHTS) from error
    if data.startswith(b"version https://git-lfs"):
        raise UsageError(
            "this is a Git LFS pointer, not the file itself", where=str(path), todo="Run 'git lfs pull' there."
        )
    return data


def _session(data: bytes, where: str, threads: int | None, device: Device) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or len(os.sched_getaffinity(0))
    options.inter_op_num_threads = 1
    # Threads that spin while they wait are no faster on large convolutions, and starve the neighbours.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4
    provider = _PROVIDERS[device]
    missing = WorldError(
        f"ONNX Runtime has no {provider} here", where=where, todo="Install onnxruntime-gpu, or score on the CPU."
    )
    if provider not in onnxruntime.get_available_providers():
        raise missing
    try:
        session = onnxruntime.InferenceSession(
            data, options, providers=list(dict.fromkeys([provider, _PROVIDERS["cpu"]]))
        )
    except Exception as error:  # ONNX Runtime's exceptions share no public base class
        raise UsageError(
            f"ONNX Runtime cannot load this file: {_one_line(error)}", where=where, todo=_ADVICE_WEIGHTS
        ) from error
    if session.get_providers()[0] != provider:  # it falls back silently where the library is there but no card
        raise missing
    return session


def _check(what: str, given: Sequence[Any], wanted: Mapping[str, Tensor], where: str) -> None:
    found = {
        value.name: Tensor(value.type, tuple(size if isinstance(size, int) else "open" for size in value.shape))
        for value in given
    }
    if found.keys() != wanted.keys():
        raise UsageError(
            f"its {what}s are {_names(found)}, not {_names(wanted)}",
            where=where,
            todo=_ADVICE_WEIGHTS,
        )
    for name, tensor in wanted.items():
        if not tensor.accepts(found[name]):
            raise UsageError(f"its {what} '{name}' is {found[name]}, not {tensor}", where=where, todo=_ADVICE_WEIGHTS)


def _names(values: Mapping[str, Tensor]) -> str:
    return ", ".join(sorted(name[:64] for name in values)) or "none"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
