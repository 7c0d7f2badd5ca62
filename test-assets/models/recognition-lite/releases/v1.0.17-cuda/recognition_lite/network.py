"""A network's file, and what it says of itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

Floats = npt.NDArray[np.float32]


class Network:
    """An ONNX file; several threads may run it at a time."""

    def __init__(self, path: Path, kind: str) -> None:
        """kind: ``objects`` or ``glyphs``. Raises ValueError where the file is broken or another network's."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CUDAExecutionProvider", "CPUExecutionProvider"]
            )
        except Exception as error:
            raise ValueError(f"{path} cannot be loaded: {str(error).splitlines()[0]}") from None
        facts = dict(self._session.get_modelmeta().custom_metadata_map)
        if facts.get("kind") != f"recognition-lite/{kind}":
            raise ValueError(f"{path} holds no network of {kind}")
        self.facts: dict[str, Any] = json.loads(facts["facts"])

    def run(self, seen: Floats) -> list[Floats]:
        """The network's outputs."""
        found: list[Floats] = self._session.run(None, {"seen": seen})
        return found
