"""Reading published PyTorch checkpoints without running what is in them.
 A checkpoint is a pickle, and unpickling runs code. ``torch.load(weights_only=True)`` rebuilds tensors and plain
containers and refuses everything else; Penstock never loads one in any other way.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.foundation.errors import UsageError
from penstock.foundation.files import content_of, open_regular

if TYPE_CHECKING:
    import numpy.typing as npt

MAX_BYTES = 1 << 30
_MAX_KEYS = 10_000
_ADVICE_FILE = "Give the checkpoint's file (a state dict that torch.save wrote)."
_PREFIX = "module."


@dataclass(frozen=True)
class Checkpoint:
    """A state dict as numpy arrays, with the digest (64 hex digits) and the size in bytes of the file that it came
    from.
    """

    state: Mapping[str, npt.NDArray[Any]]
    sha256: str
    size: int


def read_checkpoint(path: Path, *, max_bytes: int = MAX_BYTES) -> Checkpoint:
    """Read a checkpoint: a state dict, or a dict that has one under ``state_dict`` or ``model``; PyTorch's old and new
    file format.

    A prefix ``module.`` that all keys have (a DataParallel model) is taken off.

    Raises:
        UsageError: PyTorch is not installed; the file is missing, too large, no checkpoint, holds more than tensors, or
            no state dict.
    """
    data = _read(path, max_bytes)
    torch = _torch()
    digest = hashlib.sha256(data).hexdigest()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the old file format, which the published checkpoint has
            loaded = torch.load(BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # a hostile pickle can raise anything
        reason = str(error)
        if "weights_only" in reason or "Unsupported" in reason:
            raise UsageError(
                "the checkpoint is refused: it holds more than tensors, and loading it could run code",
                where=str(path),
                todo="Give a plain state dict: torch.save(model.state_dict(), FILE).",
            ) from error
        raise UsageError(
            "this is not a PyTorch checkpoint, or a damaged one", where=str(path), todo=_ADVICE_FILE
        ) from error
    state = _state_dict(loaded, torch, str(path))
    try:
        return Checkpoint({key: tensor.detach().numpy() for key, tensor in state.items()}, digest, len(data))
    except (RuntimeError, TypeError) as error:  # sparse, quantised, bfloat16: nothing that numpy has
        raise UsageError(
            "the checkpoint holds tensors of an unusual kind", where=str(path), todo=_ADVICE_FILE
        ) from error


def _torch() -> Any:
    try:
        import torch
    except ImportError as error:
        raise UsageError(
            "importing a checkpoint needs PyTorch, which is not installed",
            where="penstock weights import",
            todo="Install it with: pip install 'penstock[import]'.",
        ) from error
    return torch


def _read(path: Path, max_bytes: int) -> bytes:
    with open_regular(path, where=str(path), todo=_ADVICE_FILE) as file:
        size = os.fstat(file.fileno()).st_size
        if not 0 < size <= max_bytes:
            what = f"the file has {size} bytes; a checkpoint has 1 to {max_bytes}"
            raise UsageError(what, where=str(path), todo=_ADVICE_FILE)
        return content_of(file, max_bytes, where=str(path))


def _state_dict(loaded: Any, torch: Any, where: str) -> dict[str, Any]:
    for key in ("state_dict", "model"):
        if isinstance(loaded, Mapping) and isinstance(loaded.get(key), Mapping):
            loaded = loaded[key]
            break
    tensors = isinstance(loaded, Mapping) and all(
        isinstance(key, str) and isinstance(value, torch.Tensor) for key, value in loaded.items()
    )
    if not tensors or not 0 < len(loaded) <= _MAX_KEYS:
        raise UsageError("the checkpoint holds no state dict (names and tensors)", where=where, todo=_ADVICE_FILE)
    if all(key.startswith(_PREFIX) for key in loaded):
        return {key.removeprefix(_PREFIX): value for key, value in loaded.items()}
    return dict(loaded)
