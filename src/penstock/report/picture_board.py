"""A composed picture: white, with text, and pictures that are laid onto it."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw

from penstock.report.picture_text import FAINT, GREEN, INK, RED, Colour, clipped, readable, width_of, wrapped, write
from penstock.report.still_pictures import MAX_BOXES, Marks, Picture

PAPER, LINE, PANEL = (255, 255, 255), (214, 217, 223), (244, 245, 247)
CHECKS = ((255, 255, 255), (218, 221, 227))
"""What lies behind something see-through."""
CHECK_PIXELS = 12
BLUE = (30, 90, 200)
KINDS: dict[str, Colour] = {"right": GREEN, "wrong": RED, "missed": RED, "plain": BLUE}
PALETTES = (None, 256, 160, 96)
"""Colours of a picture that would be too large in full colour."""


class Board:
    """A white picture that is drawn onto."""

    def __init__(self, width: int, height: int) -> None:
        self.image = Image.new("RGB", (width, height), PAPER)
        self.draw = ImageDraw.Draw(self.image)

    def bar(self, colour: Colour, height: int) -> None:
        """A bar at the top."""
        self.draw.rectangle((0, 0, self.image.width, height - 1), fill=colour)

    def text(self, at: tuple[float, float], text: str, size: int, colour: Colour = INK, *, bold: bool = False) -> None:
        """One line."""
        write(self.draw, at, text, size, colour, bold=bold)

    def lay(self, picture: Image.Image, at: tuple[int, int]) -> None:
        """A picture with a thin frame."""
        self.image.paste(picture, at)
        x, y = at
        self.draw.rectangle((x, y, x + picture.width - 1, y + picture.height - 1), outline=LINE)

    def reason(self, box: tuple[int, int, int, int], text: str) -> None:
        """In the place of a picture, why there is none; ``box`` is x, y, width, height."""
        x, y, width, height = box
        self.draw.rectangle((x, y, x + width - 1, y + height - 1), fill=PANEL, outline=LINE)
        lines = wrapped(text, 20, width - 40, 5)
        top = y + (height - 28 * len(lines)) / 2
        for number, line in enumerate(lines):
            self.text((x + 20, top + 28 * number), line, 20, FAINT)


def fitted(picture: Picture, width: int, height: int) -> Image.Image:
    """A picture scaled so that it just fits, at most 8 times as large; what is see-through lies over checks."""
    rows, columns = picture.shape[:2]
    scale = min(width / columns, height / rows, 8.0)
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    if picture.ndim == 3 and picture.shape[2] == 4:
        alpha = picture[:, :, 3:].astype(np.float32) / 255
        weighed = np.dstack([picture[:, :, :3] * alpha, alpha]).astype(np.float32)
        scaled = _scaled(weighed, size, scale)
        bgr = scaled[:, :, :3] + _checks(*size) * (1 - scaled[:, :, 3:])
        return Image.fromarray(np.asarray(np.rint(np.clip(bgr[:, :, ::-1], 0, 255)), np.uint8))
    scaled = _scaled(picture, size, scale)
    if scaled.ndim == 2:
        return Image.fromarray(np.asarray(scaled, np.uint8)).convert("RGB")
    return Image.fromarray(np.ascontiguousarray(scaled[:, :, ::-1], np.uint8))


def _scaled(picture: np.ndarray, size: tuple[int, int], scale: float) -> np.ndarray:
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)


def _checks(width: int, height: int) -> np.ndarray:
    rows, columns = np.indices((height, width)) // CHECK_PIXELS
    light, dark = (np.array(colour[::-1], np.float32) for colour in CHECKS)
    return np.where(((rows + columns) % 2 == 0)[:, :, None], light, dark)


def mark_boxes(picture: Image.Image, marks: Marks, *, labels: bool = True) -> None:
    """Draw what an answer says is where; a label that the font cannot write is left to its box's colour."""
    draw = ImageDraw.Draw(picture)
    for box in marks.boxes[:MAX_BOXES]:
        # held inside: a box far larger than the picture takes Pillow half a minute
        left, right = sorted(_held(at, picture.width) for at in (box.x, box.x + box.width))
        top, bottom = sorted(_held(at, picture.height) for at in (box.y, box.y + box.height))
        colour = KINDS[box.kind]
        draw.rectangle((left, top, right, bottom), outline=colour, width=3 if labels else 1)
        if labels and box.text and readable(box.text):
            label = clipped(box.text, 15, max(60, picture.width - left - 8))
            above = top - 20 if top >= 20 else top
            draw.rectangle((left, above, left + width_of(label, 15) + 6, above + 19), fill=colour)
            write(draw, (left + 3, above + 2), label, 15, PAPER)


def _held(share: float, size: int) -> float:
    """A place on a side of the picture, as pixels; NaN is its begin."""
    return min(max(0.0, share), 1.0) * size if not math.isnan(share) else 0.0


def ring(picture: Image.Image, spot: tuple[float, float, float, float]) -> None:
    """Mark a part: x, y, width, height as shares."""
    x, y, across, down = spot
    corners = (x * picture.width, y * picture.height, (x + across) * picture.width, (y + down) * picture.height)
    draw = ImageDraw.Draw(picture)
    draw.rectangle(corners, outline=PAPER, width=5)
    draw.rectangle(tuple(v + (1 if n < 2 else -1) for n, v in enumerate(corners)), outline=RED, width=3)


def png_within(image: Image.Image, most_bytes: int, least_width: int) -> bytes:
    """PNG of at most ``most_bytes``: in fewer colours if need be, then smaller, not below ``least_width`` pixels."""
    content = b""
    widths = [image.width, *(width for width in (800, 700, 600) if least_width <= width < image.width)]
    for width in widths:
        scaled = image
        if width < image.width:
            scaled = image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)
        for colours in PALETTES:
            content = _png(scaled, colours)
            if len(content) <= most_bytes:
                return content
    return content


def _png(image: Image.Image, colours: int | None) -> bytes:
    out = io.BytesIO()
    fewer = (
        image if colours is None else image.quantize(colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    )
    fewer.save(out, "PNG", optimize=True)
    return out.getvalue()


def rows_of(
    words: Sequence[tuple[str, Colour]], size: int, width: float, most: int
) -> list[list[tuple[str, Colour, float]]]:
    """Words side by side in at most ``most`` rows, each with its left end; what finds no room is left out."""
    rows: list[list[tuple[str, Colour, float]]] = []
    left = width
    for text, colour in words:
        shown = clipped(text, size, width)
        wide = width_of(shown, size)
        if left + wide > width:
            if len(rows) == most:
                break
            rows.append([])
            left = 0.0
        rows[-1].append((shown, colour, left))
        left += wide + size
    return rows
