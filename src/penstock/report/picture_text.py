"""Text on a picture, in the one font that is there on every machine: the one inside Pillow.

It has ASCII and few signs more, so others are written with these letters; what has no such form is left out: ``…``.
With a font of the system the same run would look, and hash, differently on two machines.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import TYPE_CHECKING

from PIL import ImageFont

from penstock.foundation.errors import printable

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

Colour = tuple[int, int, int]

INK, FAINT, RED, GREEN, AMBER = (28, 30, 36), (104, 110, 122), (190, 30, 30), (24, 122, 60), (172, 104, 0)
"""On white each has a contrast of at least 4.5 to 1."""
_FORMS = {
    "≤": "<=",
    "≥": ">=",
    "→": "->",
    "–": "-",
    "—": "-",
    "−": "-",
    "×": "x",
    "‘": "'",
    "’": "'",
    "“": '"',
    "”": '"',
    "ß": "ss",
    "æ": "ae",
    "Æ": "AE",
    "ø": "o",
    "Ø": "O",
    "ł": "l",
    "Ł": "L",
    "\u00a0": " ",
    "\u202f": " ",
    "\u200b": "",
}
MAX_CHARACTERS = 600
"""Of one text: what a picture has room for."""
_MISSING = "\ufffd"


@functools.cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """The font, ``size`` pixels high."""
    found = ImageFont.load_default(size)
    if not isinstance(found, ImageFont.FreeTypeFont):  # Pillow without FreeType, which no wheel is
        raise RuntimeError("this Pillow has no FreeType")
    return found


@functools.cache
def _has(character: str) -> bool:
    small = font(12)
    return character == " " or bytes(small.getmask(character)) != bytes(small.getmask("\uffff"))


def drawable(text: str) -> str:
    """One line of text in letters that the font has."""
    return re.sub(f"{_MISSING}(?:[ {_MISSING}]*{_MISSING})?", "…", _in_its_letters(text))


def _in_its_letters(text: str) -> str:
    found = []
    for character in printable(" ".join(text[:MAX_CHARACTERS].split())):
        if character in _FORMS or _has(character):
            found.append(_FORMS.get(character, character))
            continue
        plain = unicodedata.normalize("NFKD", character)[0]  # the letter without its accents
        is_latin = unicodedata.name(character, "").startswith("LATIN")
        found.append(plain if is_latin and _has(plain) else _MISSING)
    return "".join(found)


def readable(text: str) -> bool:
    """Whether :func:`drawable` loses nothing that a reader needs."""
    return _MISSING not in _in_its_letters(text)


def width_of(text: str, size: int) -> float:
    """Of a line as it is drawn, in pixels."""
    return font(size).getlength(drawable(text))


def clipped(text: str, size: int, width: float) -> str:
    """``text``, or its longest beginning that is at most ``width`` pixels wide, with an ellipsis."""
    line = drawable(text)
    if font(size).getlength(line) <= width:
        return line
    while line and font(size).getlength(f"{line}…") > width:
        line = line[:-1]
    return f"{line.rstrip()}…"


def wrapped(text: str, size: int, width: float, most: int) -> list[str]:
    """At most ``most`` lines, broken between words; the last one is clipped."""
    lines: list[str] = []
    words = drawable(text).split()
    while words and len(lines) < most - 1:
        count = 1
        while count < len(words) and font(size).getlength(" ".join(words[: count + 1])) <= width:
            count += 1
        lines.append(clipped(" ".join(words[:count]), size, width))
        words = words[count:]
    return [*lines, clipped(" ".join(words), size, width)] if words else lines


def write(
    draw: ImageDraw, at: tuple[float, float], text: str, size: int, colour: Colour = INK, *, bold: bool = False
) -> None:
    """Draw one line; ``at`` is its left end and its top."""
    draw.text(at, drawable(text), fill=colour, font=font(size), stroke_width=0.5 if bold else 0, stroke_fill=colour)
