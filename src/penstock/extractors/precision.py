"""Which arithmetic a machine measures in."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar, get_args

from penstock.contract.arithmetic import DEFAULT, Arithmetic, Device, Precision, PrecisionChoice, known_arithmetic
from penstock.foundation.errors import UsageError

log = logging.getLogger(__name__)

PRECISIONS: tuple[Precision, ...] = get_args(Precision)
Choice = TypeVar("Choice", bound=str)

NO_OPENVINO = "OpenVINO is not installed (penstock[openvino])"
_CPUINFO = Path("/proc/cpuinfo")
_BF16_FLAGS = {"amx_bf16", "avx512_bf16"}
"""OpenVINO computes in bfloat16 with either: Intel Xeon from 2023 on has both, AMD EPYC from 2022 on the second."""


def choose_arithmetic(precision: PrecisionChoice, *, device: Device = "cpu", like: str = "") -> Arithmetic:
    """The arithmetic to measure in.

    ``auto`` takes the one that the values will be compared with, and never another because the machine happens to be
    faster: a release, its noise and its history would no longer be comparable from one machine to the next. Where this
    machine cannot compute so, a line in the log says why, and it is ``f32``.

    Args:
        precision: what was asked for.
        device: what computes.
        like: what ``auto`` follows: the policy's or the current release's arithmetic; empty: there is none.

    Raises:
        UsageError: ``bf16`` where this machine has none, or on a card.
    """
    if device == "cuda":
        if precision == "bf16":
            raise UsageError("bf16 is computed on a CPU, not on a card", todo="Use f32, or the device 'cpu'.")
        return "f32-cuda"
    if precision == "f32" or (precision == "auto" and like in ("", DEFAULT)):
        return DEFAULT
    if precision == "bf16":
        if reason := why_no_bf16():
            raise UsageError(f"this machine computes no bf16: {reason}", todo="Use f32 or auto.")
        return "bf16-openvino"
    wanted, why = known_arithmetic(like), cannot_follow(like)
    if wanted is not None and not why:
        return wanted
    log.warning("measured in f32, what it is compared with in %s, which this machine cannot compute: %s", like, why)
    return DEFAULT


def cannot_follow(like: str) -> str:
    """Why this machine's CPU does not compute in an arithmetic that ``auto`` is to follow; empty if it does."""
    if like in ("", DEFAULT):
        return ""
    wanted = known_arithmetic(like)
    if wanted == "bf16-openvino":
        return why_no_bf16()
    if wanted == "f32-openvino":
        return "" if _has_openvino() else NO_OPENVINO
    return "it is not there"


def one_of(choices: Sequence[Choice], text: str, *, where: str) -> Choice:
    """The choice that an option or a parameter names.

    Raises:
        UsageError: it names none.
    """
    for choice in choices:
        if choice == text:
            return choice
    raise UsageError(f"'{text[:40]}' is not known", where=where, todo=f"Use {' or '.join(choices)}.")


def why_no_bf16() -> str:
    """Why this machine cannot compute in bf16; empty if it can."""
    if not _processor_flags() & _BF16_FLAGS:
        return "its CPU has neither AMX nor AVX-512 BF16"
    return "" if _has_openvino() else NO_OPENVINO


def _has_openvino() -> bool:
    return find_spec("openvino") is not None


def _processor_flags() -> set[str]:
    """The first processor's flags; none where the system does not say."""
    try:
        lines = _CPUINFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        return set()
    return next((set(line.partition(":")[2].split()) for line in lines if line.startswith("flags")), set())
