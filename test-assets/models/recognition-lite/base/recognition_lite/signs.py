"""Finding signs: plates of one colour with a line of characters on them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from recognition_lite.calibration import confidence
from recognition_lite.objects import Box, overlap
from recognition_lite.picture import Pixels
from recognition_lite.text import Reader

LOOKED_AT = 240
"""The height at which plates are looked for, in pixels."""
STEPS = 20
"""Levels of grey at which the picture is cut in two."""
FLAT = (0.85, 9.0)
"""Width of a plate, in heights."""
HIGH = (18, 80)
"""Height of a plate, in pixels of LOOKED_AT."""
FILLED = 0.86
"""What a plate fills of the rectangle around it, at least."""
SAME = 0.5
TRIED = 12
SLOPE, SHIFT, LEAST = 2.6, 3.0, 0.5
"""From how likely a sign's characters are to how likely it is one; what is less sure is none."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Sign:
    """Where a sign is, what it says, and how likely it is one."""

    box: Box
    text: str
    confidence: float


def find_signs(image: Pixels, reader: Reader) -> list[Sign]:
    """Every sign in uint8 ``(h, w, 3)``, RGB, from top to bottom."""
    found: list[Sign] = []
    for box in plates(image)[:TRIED]:
        if any(overlap(box, other.box) > 0.1 for other in found):
            continue
        line = reader.read(image, box)
        sure = confidence(line.likely, SLOPE, SHIFT) if line.text else 0.0
        if sure >= LEAST:
            found.append(Sign(box, line.text, sure))
    return sorted(found, key=lambda sign: (sign.box[1], sign.box[0]))


def plates(image: Pixels) -> list[Box]:
    """Boxes that may be plates: what is found at most levels comes first, of what is nested the larger."""
    scale = LOOKED_AT / image.shape[0]
    size = (round(image.shape[1] * scale), LOOKED_AT)
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    grey = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), (3, 3), 0)
    low, high = np.percentile(grey, (1, 99))
    found: list[tuple[Box, int]] = []
    for level in np.linspace(low, high, STEPS + 2)[1:-1]:
        for mask in (grey > level, grey < level):
            for box in rectangles(mask):
                at = next((number for number, (other, _) in enumerate(found) if overlap(box, other) > SAME), None)
                if at is None:
                    found.append((box, 1))
                else:
                    other, times = found[at]
                    found[at] = (max(box, other, key=lambda each: each[2] * each[3]), times + 1)
    found.sort(key=lambda one: -one[1])
    return [(x / scale, y / scale, width / scale, height / scale) for (x, y, width, height), _ in found]


def rectangles(mask: Mask) -> list[Box]:
    """The parts of a mask that are nearly upright rectangles of a plate's size; what is in them does not matter."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    found: list[Box] = []
    for contour in contours:
        if len(contour) < 4:
            continue
        x, y, width, height = cv2.boundingRect(contour)
        inside = x > 0 and y > 0 and x + width < mask.shape[1] and y + height < mask.shape[0]
        if not inside or not HIGH[0] <= height <= HIGH[1] or not FLAT[0] <= width / height <= FLAT[1]:
            continue
        _, sides, _ = cv2.minAreaRect(contour)
        if cv2.contourArea(contour) >= FILLED * max(1.0, sides[0] * sides[1]):
            found.append((float(x), float(y), float(width), float(height)))
    return found
