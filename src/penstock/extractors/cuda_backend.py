"""ONNX Runtime on an NVIDIA card, in float32. It needs onnxruntime-gpu in the place of onnxruntime."""

from __future__ import annotations

import onnxruntime

from penstock.extractors.onnxruntime_backend import SessionNetwork, open_session

PROVIDER = "CUDAExecutionProvider"
SETTINGS = {
    # TensorFloat-32 keeps 10 bits of the mantissa, fewer than "f32" says
    "use_tf32": "0",
    # the search for the fastest algorithm depends on what else the card does, and the last digits on the algorithm
    "cudnn_conv_algo_search": "HEURISTIC",
}


class Cuda:
    """Loads networks onto the card."""

    def load(self, data: bytes, *, where: str, threads: int | None) -> SessionNetwork:
        """As :meth:`penstock.extractors.backend.Backend.load`."""
        onnxruntime.preload_dlls()  # CUDA's libraries are Python packages, which the loader does not search
        return SessionNetwork(open_session(data, where, threads, PROVIDER, SETTINGS))
