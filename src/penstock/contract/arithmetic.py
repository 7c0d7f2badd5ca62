"""How a network was computed, and how that stands in an extractor's label.

A value that was measured through a network means something only together with the network *and* with how it was
computed: bf16 moves features by some 1e-4. So the label is ``name@sha256:digest``, followed by ``+`` and the arithmetic
where that is another than ``f32``, ONNX Runtime in float32 on a CPU, which every label of older versions means.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

Arithmetic = Literal["f32", "f32-openvino", "f32-cuda", "bf16-openvino"]
"""Precision and, where it is not ONNX Runtime on a CPU, what computed."""
Precision = Literal["f32", "bf16"]
PrecisionChoice = Literal["f32", "bf16", "auto"]
Device = Literal["cpu", "cuda"]

DEFAULT: Arithmetic = "f32"


def extractor_label(name: str, digest: str, arithmetic: Arithmetic) -> str:
    """``name@sha256:digest``, with ``+arithmetic`` where it is not ``f32``."""
    suffix = "" if arithmetic == DEFAULT else f"+{arithmetic}"
    return f"{name}@sha256:{digest}{suffix}"


def digest_in(label: str) -> str:
    """The SHA-256 in a label, whatever computed."""
    return label.partition("@sha256:")[2].partition("+")[0]


def arithmetic_in(label: str) -> str:
    """The arithmetic in a label; one that this version does not know stays as it is written."""
    return label.partition("@sha256:")[2].partition("+")[2] or DEFAULT


def without_arithmetic(label: str) -> str:
    """``name@sha256:digest``: which network, however it was computed."""
    name, at, rest = label.partition("@sha256:")
    return f"{name}{at}{rest.partition('+')[0]}"


def arithmetic_by_role(labels: Mapping[str, str]) -> str:
    """The arithmetic of each network of a run: ``frechet=f32,lipsync=f32``; empty where there are none.

    Args:
        labels: role → label.
    """
    return ",".join(f"{role}={arithmetic_in(label)}" for role, label in sorted(labels.items()))


def computed_otherwise(stored: str, labels: Mapping[str, str]) -> list[str]:
    """Roles, in order, whose network was computed in another arithmetic than what is stored.

    Args:
        stored: what :func:`arithmetic_by_role` said of the stored values.
        labels: role → label, of this run. A role that only one side has is passed over.
    """
    before = {role: name for role, _, name in (pair.partition("=") for pair in stored.split(",") if pair)}
    return sorted(role for role in before.keys() & labels.keys() if arithmetic_in(labels[role]) != before[role])


def known_arithmetic(text: str) -> Arithmetic | None:
    """``text`` as an arithmetic of this version, or ``None``."""
    return next((one for one in get_args(Arithmetic) if one == text), None)
