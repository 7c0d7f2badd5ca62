"""Reading a sign: its ink, where its characters may be cut, and what they are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from recognition_lite.cuts import INK, SIDE, Span, candidates
from recognition_lite.network import Floats, Network
from recognition_lite.picture import Pixels

SEEN = 16
"""Pixels of the square that the network sees a character in."""
GAP = 0.47
"""A gap between characters that is wider, in heights of the line, is a space."""


@dataclass(frozen=True)
class Line:
    """What a line says, and how likely each of its characters is: the mean of the logarithms."""

    text: str
    likely: float


class Reader:
    """The network of characters."""

    def __init__(self, path: Path) -> None:
        """Raises ValueError where the file is broken."""
        self._network = Network(path, "glyphs")
        self._characters: str = self._network.facts["characters"]

    def read(self, image: Pixels, box: tuple[float, float, float, float]) -> Line:
        """What the sign in ``box`` (x, y, width, height) says."""
        line = line_of(ink_of(cropped(image, box)))
        spans = [] if line is None else candidates(line)
        if line is None or not spans:
            return Line("", -10.0)
        (said,) = self._network.run(np.stack([square(line, span) for span in spans])[:, None])
        logits = said[:, :, 0, 0]
        return best(spans, logits - logsumexp(logits), self._characters)


def logsumexp(logits: Floats) -> Floats:
    """Of each row."""
    top = logits.max(axis=1, keepdims=True)
    return np.asarray(top + np.log(np.exp(logits - top).sum(axis=1, keepdims=True)), np.float32)


def cropped(image: Pixels, box: tuple[float, float, float, float]) -> Floats:
    """The sign and a little around it, grey, float32 ``(h, w)``, 0..255."""
    x, y, width, height = box
    around = 0.05 * height + 1
    top, left = (max(0, round(at - around)) for at in (y, x))
    part = image[top : round(y + height + around), left : round(x + width + around)]
    return cv2.cvtColor(np.ascontiguousarray(part), cv2.COLOR_RGB2GRAY).astype(np.float32)


def ink_of(grey: Floats) -> Floats:
    """How much each pixel is of the letters' colour, float32 ``(h, w)``, 0..1, without the plate's rim."""
    height, width = grey.shape
    middle = grey[height // 5 : max(height // 5 + 1, height - height // 5), width // 20 : max(1, width - width // 20)]
    low, plate, high = np.percentile(middle, (3, 50, 97))
    letters = low if plate - low > high - plate else high
    ink = np.clip((grey - plate) / (letters - plate if abs(letters - plate) > 1 else 1), 0, 1).astype(np.float32)
    count, parts, facts, _ = cv2.connectedComponentsWithStats((ink > INK).astype(np.uint8))
    for part in range(1, count):
        left, top, wide, high_part, area = facts[part].tolist()
        at_edge = left == 0 or top == 0 or left + wide == width or top + high_part == height
        of_rim = high_part > 0.66 * height or abs(top + high_part / 2 - height / 2) > 0.32 * height
        if at_edge or of_rim or area < 3:
            ink[cv2.dilate((parts == part).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0] = 0
    return ink


def line_of(ink: Floats) -> Floats | None:
    """The line of text upright and SIDE pixels high, float32 ``(SIDE, w)``, 0..1."""
    points = cv2.findNonZero((ink > INK).astype(np.uint8))
    if points is None or len(points) < 8:
        return None
    _, (wide, high), angle = cv2.minAreaRect(points)
    turned = angle if wide >= high else angle - 90
    if max(wide, high) > 2.5 * min(wide, high) and abs(turned) < 5:
        height, width = ink.shape
        ink = cv2.warpAffine(ink, cv2.getRotationMatrix2D((width / 2, height / 2), turned, 1), (width, height))
    rows, columns = (np.flatnonzero((ink > INK).any(axis=axis)) for axis in (1, 0))
    if len(rows) < 5 or not len(columns):
        return None
    part = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    width = max(2, round(part.shape[1] * SIDE / part.shape[0]))
    flags = cv2.INTER_AREA if part.shape[0] > SIDE else cv2.INTER_CUBIC
    return np.clip(cv2.resize(part, (width, SIDE), interpolation=flags), 0, 1)


def square(line: Floats, span: Span) -> Floats:
    """A span of the line in the middle of SEEN x SEEN pixels, float32, 0..1; one that is wider is pressed together."""
    part = line[:, span[0] : span[1]]
    if part.shape[1] < SIDE:
        beside = SIDE - part.shape[1]
        part = np.pad(part, ((0, 0), (beside // 2, beside - beside // 2)))
    return np.asarray(cv2.resize(part, (SEEN, SEEN), interpolation=cv2.INTER_AREA), np.float32)


def best(spans: list[Span], likely: Floats, characters: str) -> Line:
    """The most likely text: the cuts whose characters are likely, each weighted with its width.

    likely: ``(spans, 1 + characters)``, logarithms; the first is of what is no one character.
    """
    starts = sorted({start for start, _ in spans})
    after: dict[int, tuple[float, int, str]] = {}
    for start in reversed(starts):
        for (first, stop), row in zip(spans, likely, strict=True):
            if first != start:
                continue
            character = int(np.argmax(row[1:]))
            value, wide, rest = float(row[1 + character]) * (stop - first), stop - first, ""
            following = next((other for other in starts if other >= stop), None)
            if following is not None:
                more, wider, rest = after[following]
                value, wide = value + more, wide + wider
                rest = (" " if following - stop > GAP * SIDE else "") + rest
            if start not in after or value > after[start][0]:
                after[start] = (value, wide, characters[character] + rest)
    value, wide, said = after[starts[0]]
    return Line(said, value / wide)
