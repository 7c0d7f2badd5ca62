"""The backend for an arithmetic: imported when it is asked for, since an installation has those that it needs."""

from __future__ import annotations

from penstock.contract.arithmetic import Arithmetic
from penstock.extractors.backend import Backend, one_line
from penstock.foundation.errors import UsageError


def backend_for(arithmetic: Arithmetic) -> Backend:
    """The backend that computes so.

    Raises:
        UsageError: it is not installed.
    """
    if arithmetic == "f32":
        from penstock.extractors.onnxruntime_backend import OnnxRuntime

        return OnnxRuntime()
    if arithmetic == "f32-cuda":
        from penstock.extractors.cuda_backend import Cuda

        return Cuda()
    try:
        from penstock.extractors.openvino_backend import OpenVino
    except ImportError as error:
        raise UsageError(
            f"OpenVINO cannot be imported: {one_line(error)}",
            where=arithmetic,
            todo="Install penstock[openvino], or compute in f32.",
        ) from error
    return OpenVino("bf16" if arithmetic == "bf16-openvino" else "f32")
