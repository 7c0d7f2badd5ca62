"""ONNX Runtime: float32 on a CPU, the arithmetic that values are in unless something else is asked for."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy.typing as npt
import onnxruntime

from penstock.extractors.backend import Tensor, load_failed, size
from penstock.foundation.errors import WorldError

CPU = "CPUExecutionProvider"


class OnnxRuntime:
    """Loads networks onto the CPU."""

    def load(self, data: bytes, *, where: str, threads: int | None) -> SessionNetwork:
        """As :meth:`penstock.extractors.backend.Backend.load`."""
        return SessionNetwork(open_session(data, where, threads, CPU, {}))


class SessionNetwork:
    """A network in a session of ONNX Runtime, whose ``run`` is safe to call from several threads."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.inputs: Mapping[str, Tensor] = _tensors(session.get_inputs())
        self.outputs: Mapping[str, Tensor] = _tensors(session.get_outputs())

    def run(self, feeds: Mapping[str, npt.NDArray[Any]], outputs: Sequence[str]) -> list[npt.NDArray[Any]]:
        """As :meth:`penstock.extractors.backend.Network.run`."""
        return list(self._session.run(list(outputs), dict(feeds)))


def open_session(data: bytes, where: str, threads: int | None, provider: str, settings: Mapping[str, str]) -> Any:
    """A session on a provider, what it cannot compute on the CPU.

    Raises:
        UsageError: ONNX Runtime cannot load the file.
        WorldError: the provider is not there.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or len(os.sched_getaffinity(0))
    options.inter_op_num_threads = 1
    # Threads that spin while they wait are no faster on large convolutions, and starve the neighbours.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4
    missing = WorldError(
        f"ONNX Runtime has no {provider} here", where=where, todo="Install onnxruntime-gpu, or score on the CPU."
    )
    if provider not in onnxruntime.get_available_providers():
        raise missing
    providers = [(provider, dict(settings))] + ([(CPU, {})] if provider != CPU else [])
    try:
        session = onnxruntime.InferenceSession(data, options, providers=providers)
    except Exception as error:  # ONNX Runtime's exceptions share no public base class
        raise load_failed("ONNX Runtime", error, where) from error
    if session.get_providers()[0] != provider:  # it falls back silently where the library is there but no card
        raise missing
    return session


def _tensors(values: Sequence[Any]) -> dict[str, Tensor]:
    return {value.name: Tensor(value.type, tuple(map(size, value.shape))) for value in values}
