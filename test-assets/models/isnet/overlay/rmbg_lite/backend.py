"""Computing the network with ONNX Runtime."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

import numpy as np
import onnxruntime

from rmbg_lite.weights import Floats


class Backend(Protocol):
    """Something that computes the network."""

    def run(self, features: Floats) -> Floats:
        """Alpha, float32 ``(1024, 1024)``, 0..1, of float32 ``(1, 3, 1024, 1024)``."""
        ...


class OnnxBackend:
    """IS-Net as ONNX, on all cores."""

    def __init__(self, path: Path) -> None:
        """Load ``path``. Raises ValueError where it cannot be loaded."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = len(os.sched_getaffinity(0))
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's own classes have no common base
            raise ValueError(f"{path} cannot be loaded: {error}") from error
        self._output = self._session.get_outputs()[0].name

    def run(self, features: Floats) -> Floats:
        """As :class:`Backend` says."""
        return np.asarray(self._session.run([self._output], {"input": features})[0][0, 0], np.float32)
