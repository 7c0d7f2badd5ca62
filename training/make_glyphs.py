"""Draw the characters of signs once, as `test-assets/glyphs`: two sheets of pictures and `glyphs.json`.

    python -m training.make_glyphs --font NotoSansCJK-VF.otf.ttc

It needs Pillow, and the font: what is drawn with these sheets does not depend on the fonts of a machine.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from training.recognition.texts import CHARACTERS

GLYPHS = Path(__file__).resolve().parents[1] / "test-assets" / "glyphs"
CELL, EM, BASELINE, COLUMNS = 48, 40, 37, 16
"""Pixels of a cell's side, of the font's em, and from a cell's top to its baseline; cells in a row."""
WEIGHTS = {"regular": 400, "bold": 800}
FACE = 2
"""Simplified Chinese in Noto's collection."""


def sheet(font: ImageFont.FreeTypeFont) -> Image.Image:
    """Every character in its cell, from the left, white on black."""
    found = Image.new("L", (CELL * COLUMNS, CELL * -(-len(CHARACTERS) // COLUMNS)))
    draw = ImageDraw.Draw(found)
    for number, character in enumerate(CHARACTERS):
        row, column = divmod(number, COLUMNS)
        draw.text((column * CELL + 2, row * CELL + BASELINE), character, fill=255, font=font, anchor="ls")
    return found


def main() -> int:
    """Write the sheets and what they hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--font", type=Path, required=True)
    arguments = parser.parse_args()
    GLYPHS.mkdir(parents=True, exist_ok=True)
    advances = {}
    for name, weight in WEIGHTS.items():
        font = ImageFont.truetype(arguments.font, EM, index=FACE)
        font.set_variation_by_axes([weight])
        sheet(font).save(GLYPHS / f"{name}.png", optimize=True)
        advances[name] = [round(font.getlength(character), 2) for character in CHARACTERS]
    facts = {"characters": CHARACTERS, "cell": CELL, "em": EM, "columns": COLUMNS, "left": 2, "advances": advances}
    (GLYPHS / "glyphs.json").write_text(json.dumps(facts, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
