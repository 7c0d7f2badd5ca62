"""OpenVINO on a CPU: float32, and bfloat16 where the CPU computes in it (AMX, AVX-512 BF16)."""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from penstock.contract.arithmetic import Precision
from penstock.extractors.backend import Tensor, load_failed
from penstock.foundation.errors import UsageError, WorldError

# OpenVINO reports each import to its maker, unless its package for that cannot be imported. A gate reports to nobody.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
import openvino  # noqa: E402

_TYPES = {"f32": "tensor(float)", "u8": "tensor(uint8)"}
"""OpenVINO's words for types in ONNX Runtime's; others stay, and fit no interface."""


class OpenVino:
    """Loads networks onto the CPU in one precision."""

    def __init__(self, precision: Precision) -> None:
        self._precision = precision

    def load(self, data: bytes, *, where: str, threads: int | None) -> CompiledNetwork:
        """As :meth:`penstock.extractors.backend.Backend.load`."""
        cores = len(os.sched_getaffinity(0))
        settings = {
            "INFERENCE_PRECISION_HINT": self._precision,
            "INFERENCE_NUM_THREADS": cores,
            # so many runs at a time as leave each its threads: other runs wait
            "NUM_STREAMS": max(1, cores // (threads or cores)),
            # a container does not own the cores that it would pin its threads to
            "ENABLE_CPU_PINNING": False,
        }
        core = openvino.Core()
        try:
            model = core.read_model(io.BytesIO(data))
            # names as the file has them: a compiled model gives one value the names of several
            inputs, outputs = ([_name(port) for port in ports] for ports in (model.inputs, model.outputs))
            compiled = core.compile_model(model, "CPU", settings)
        except Exception as error:  # OpenVINO raises RuntimeError for all
            raise load_failed("OpenVINO", error, where) from error
        computes = compiled.get_property("INFERENCE_PRECISION_HINT").to_string()
        if computes != self._precision:  # it falls back silently
            raise WorldError(
                f"OpenVINO computes in {computes} here, not in {self._precision}",
                where=where,
                todo="Compute in f32, or use a CPU with AMX or AVX-512 BF16.",
            )
        return CompiledNetwork(compiled, inputs, outputs)


class CompiledNetwork:
    """A compiled model. A request for inference serves one run at a time, so every thread has one of its own."""

    def __init__(self, compiled: Any, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        self._compiled = compiled
        self._own = threading.local()
        self._index = {name: index for index, name in enumerate(outputs)}
        self.inputs: Mapping[str, Tensor] = _tensors(inputs, compiled.inputs)
        self.outputs: Mapping[str, Tensor] = _tensors(outputs, compiled.outputs)

    def run(self, feeds: Mapping[str, npt.NDArray[Any]], outputs: Sequence[str]) -> list[npt.NDArray[Any]]:
        """As :meth:`penstock.extractors.backend.Network.run`.

        Raises:
            UsageError: an input has another type: OpenVINO would convert it.
        """
        for name, array in feeds.items():
            if (want := self.inputs[name].type) != _TYPES.get(openvino.Type(array.dtype).to_string(), ""):
                raise UsageError(f"the input '{name}' is {array.dtype}, the network takes {want}")
        request = getattr(self._own, "request", None)
        if request is None:
            request = self._own.request = self._compiled.create_infer_request()
        request.infer(dict(feeds))
        return [np.array(request.get_output_tensor(self._index[name]).data) for name in outputs]


def _name(port: Any) -> str:
    """The name in the file, of an input or of an output."""
    return str(port.node.friendly_name).removesuffix("/sink_port_0")


def _tensors(names: Sequence[str], ports: Sequence[Any]) -> dict[str, Tensor]:
    """The ports by the file's names, in whose order they come."""
    return {
        name: Tensor(_type(port), tuple(map(_size, port.partial_shape)))
        for name, port in zip(names, ports, strict=True)
    }


def _type(port: Any) -> str:
    name = port.element_type.to_string()
    return _TYPES.get(name, f"tensor({name})")


def _size(dimension: Any) -> Any:
    return dimension.get_length() if dimension.is_static else "open"
