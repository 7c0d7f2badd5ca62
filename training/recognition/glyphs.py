"""Lines of text from the sheets of `test-assets/glyphs`."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

GLYPHS = Path(__file__).resolve().parents[2] / "test-assets" / "glyphs"
SPACE = 0.45
"""Width of a space, in ems."""
INKED = 0.2

Floats = npt.NDArray[np.float32]
Weight = Literal["regular", "bold"]


@cache
def facts() -> dict[str, Any]:
    """`glyphs.json`."""
    found: dict[str, Any] = json.loads((GLYPHS / "glyphs.json").read_text(encoding="utf-8"))
    return found


@cache
def cells(weight: Weight) -> dict[str, tuple[Floats, float]]:
    """Character → its cell, float32 ``(cell, cell)``, 0..1, and its advance in pixels."""
    sheet = cv2.imread(str(GLYPHS / f"{weight}.png"), cv2.IMREAD_GRAYSCALE)
    if sheet is None:
        raise FileNotFoundError(f"{GLYPHS / weight}.png is missing")
    side, columns = facts()["cell"], facts()["columns"]
    found = {}
    for number, (character, advance) in enumerate(zip(facts()["characters"], facts()["advances"][weight], strict=True)):
        y, x = (side * at for at in divmod(number, columns))
        found[character] = (sheet[y : y + side, x : x + side].astype(np.float32) / 255, float(advance))
    return found


def line(text: str, weight: Weight, spacing: float = 0.06) -> tuple[Floats, list[tuple[int, int]]]:
    """The text's ink at 40 pixels an em, float32 ``(48, w)``, 0..1, and where each character is in it, without spaces.

    spacing: between characters, in ems.
    """
    of = cells(weight)
    side, em = facts()["cell"], facts()["em"]
    steps = [(em * SPACE if character == " " else of[character][1]) + em * spacing for character in text]
    ink = np.zeros((side, round(sum(steps)) + side), np.float32)
    at, spans = 0.0, []
    for character, step in zip(text, steps, strict=True):
        if character != " ":
            start = round(at)
            part = ink[:, start : start + side]
            cell = of[character][0][:, : part.shape[1]]
            np.maximum(part, cell, out=part)
            columns = np.flatnonzero(cell.max(axis=0) > INKED)
            spans.append((start + int(columns[0]), start + int(columns[-1]) + 1))
        at += step
    first, last = max(0, spans[0][0] - 3), spans[-1][1] + 3
    return np.ascontiguousarray(ink[:, first:last]), [(start - first, stop - first) for start, stop in spans]
