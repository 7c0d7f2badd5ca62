"""The networks: ONNX on one thread, the same answer every time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

MEAN, SPREAD = 0.5, 0.25

Floats = npt.NDArray[np.float32]


def scaled(picture: npt.NDArray[np.uint8]) -> Floats:
    """What a network sees, float32 ``(1, 3, h, w)``, of uint8 ``(h, w, 3)``."""
    values = (picture.astype(np.float32) / 255 - MEAN) / SPREAD
    return np.ascontiguousarray(values.transpose(2, 0, 1)[None], np.float32)


class Network:
    """A network with one input, ``image``; several threads may run it at once."""

    def __init__(self, path: Path) -> None:
        """Load it. Raises ValueError where the file is broken, OSError where there is none."""
        content = path.read_bytes()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(
                content, options, providers=["CUDAExecutionProvider", "CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime's own classes have no common base
            raise ValueError(f"{path} cannot be loaded: {error}") from error

    def run(self, image: Floats) -> list[Floats]:
        """Its outputs."""
        return [np.asarray(found, np.float32) for found in self._session.run(None, {"image": image})]
