"""What a request may say, and the error for one that may not be answered."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass


class RequestError(Exception):
    """A request that is refused: ``status`` 400 (not understood), 413 (too large), 422 (understood, not acceptable)."""

    def __init__(self, status: int, error: str, *, field: str = "") -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.field = field


@dataclass(frozen=True)
class Parameters:
    """How one video is made. ``duration`` in seconds; the scales are factors."""

    duration: float
    min_resolution: int = 1024
    expand_ratio: float = 0.18
    inference_steps: int = 25
    dynamic_scale: float = 1.1
    motion_scale: float = 1.05
    lip_sync_align: bool = True
    smooth_motion: bool = True

    @property
    def size(self) -> int:
        """Side of the square output in pixels: three quarters of ``min_resolution``, 64 to 1024."""
        return min(max(round(0.75 * self.min_resolution / 16) * 16, 64), 1024)


_RANGES: dict[str, tuple[float, float]] = {
    "duration": (0.2, 60.0),
    "min_resolution": (64, 2048),
    "expand_ratio": (0.0, 1.0),
    "inference_steps": (1, 100),
    "dynamic_scale": (0.1, 2.0),
    "motion_scale": (0.0, 2.0),
}
_WORDS = {"true": True, "1": True, "false": False, "0": False}


def parse(fields: Mapping[str, str]) -> Parameters:
    """The parameters of a form.

    Raises RequestError: 400 for an unknown, missing or unreadable field, 422 for one out of range.
    """
    if unknown := sorted(set(fields) - set(Parameters.__dataclass_fields__)):
        raise RequestError(400, f"unknown field '{unknown[0][:64]}'", field=unknown[0][:64])
    if "duration" not in fields:
        raise RequestError(400, "the field 'duration' is missing", field="duration")

    def real(name: str, default: float) -> float:
        return _number(name, fields[name], float) if name in fields else default

    def whole(name: str, default: int) -> int:
        return int(_number(name, fields[name], int)) if name in fields else default

    def flag(name: str) -> bool:
        return _flag(name, fields[name]) if name in fields else True

    return Parameters(
        duration=real("duration", 0.0),
        min_resolution=whole("min_resolution", 1024),
        expand_ratio=real("expand_ratio", 0.18),
        inference_steps=whole("inference_steps", 25),
        dynamic_scale=real("dynamic_scale", 1.1),
        motion_scale=real("motion_scale", 1.05),
        lip_sync_align=flag("lip_sync_align"),
        smooth_motion=flag("smooth_motion"),
    )


def _number(name: str, text: str, kind: Callable[[str], float]) -> float:
    try:
        value = kind(text.strip()[:40])
    except ValueError:
        what = "a whole number" if kind is int else "a number"
        raise RequestError(400, f"'{name}' must be {what}", field=name) from None
    low, high = _RANGES[name]
    if not math.isfinite(value) or not low <= value <= high:
        raise RequestError(422, f"'{name}' must be from {low:g} to {high:g}", field=name)
    return value


def _flag(name: str, text: str) -> bool:
    word = text.strip().lower()
    if word not in _WORDS:
        raise RequestError(400, f"'{name}' must be true or false", field=name)
    return _WORDS[word]
