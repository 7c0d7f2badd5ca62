"""Make the suite of `test-assets/models/rapidocr`: signs and screenshots with Chinese and English text.

    python -m training.make_rapidocr_suite --out DIR

80 pictures of 320 x 240 to 800 x 600, 2 MB, in two seconds of one core; a seed gives the same bytes each time. What is
written in a picture is known exactly, for it is drawn.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from training.make_recognition_lite_suite import jpeg, write_yaml
from training.recognition import glyphs, texts
from training.recognition.scenes import SIZES, Asked, scene

SEED = 29
COUNTS = {"sign-latin": 12, "sign-chinese": 16, "sign-night": 12, "screen-latin": 20, "screen-chinese": 20}
"""Kind of picture → how many cases."""
SMOKE = ("sign-latin-01", "screen-chinese-01")
"""The cases of the verify track."""
SCREENS = ((640, 480), (800, 600))
LARGE, SMALL = (18, 26), (11, 14)
"""Pixels of an em on a screenshot, from and to; the second of every other one."""
ORIGIN = """# The suite

Made by `training/make_rapidocr_suite.py` of Penstock, seed {seed}, and dedicated to the public domain (CC0-1.0). Its
characters are of Noto Sans CJK SC (SIL Open Font License 1.1): see `test-assets/glyphs/ORIGIN.md` of Penstock.
"""

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Shown:
    """A picture, uint8 ``(h, w, 3)``, RGB, and its lines in the order of reading."""

    image: Pixels
    lines: list[str]
    small: bool = False


def sign(kind: str, number: int, rng: np.random.Generator) -> Shown:
    """One or two signs in a scene with a thing."""
    words = list(texts.LATIN) if kind == "sign-latin" else [*texts.CHINESE, *texts.MIXED]
    said = tuple(words[(number * 7 + 11 * part) % len(words)] for part in range(1 + number % 2))
    made = scene(rng, SIZES[number % len(SIZES)], Asked(things=1, texts=said, dark=kind == "sign-night"))
    return Shown(made.image, [made.text])


def screenshot(kind: str, number: int, rng: np.random.Generator) -> Shown:
    """A window: a bar with its title, then rows of one to three texts, the first of some on a button."""
    width, height = SCREENS[number % len(SCREENS)]
    small = number % 2 == 1
    em = int(rng.integers(*(SMALL if small else LARGE), endpoint=True))
    dark = rng.random() < 0.4
    paper, ink = (rng.uniform(18, 50, 3), rng.uniform(200, 245, 3)) if dark else (np.full(3, 250.0), np.full(3, 30.0))
    bar = rng.uniform(30, 200, 3)
    canvas = np.empty((height, width, 3), np.float32)
    canvas[:] = paper
    canvas[: 2 * em + 8] = bar
    words = list(rng.permutation(texts.LATIN if kind == "screen-latin" else (*texts.CHINESE, *texts.MIXED)))
    lines: list[str] = []

    def write(text: str, x: int, y: int, colour: npt.NDArray[np.float64]) -> None:
        draw_line(canvas, text, (x, y), em, colour)
        lines.append(text)

    write(words.pop(), 2 * em, 4, contrasting(bar))
    columns = int(rng.integers(1, 4))
    for row in range(min(8, (height - 5 * em) // (3 * em))):
        y = 4 * em + 3 * em * row
        for column in range(columns):
            x = 2 * em + column * (width - 3 * em) // columns
            button = column == 0 and row % 3 == 2
            if button:
                canvas[y - 2 : y + 2 * em, x - em // 2 : x + 6 * em] = bar
            write(words.pop() if words else "OK", x, y, contrasting(bar) if button else ink)
    return Shown(np.clip(np.round(canvas), 0, 255).astype(np.uint8), lines, small)


def contrasting(colour: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Black or white, whichever can be read on it."""
    return np.full(3, 255.0 if colour.mean() < 130 else 10.0)


def draw_line(
    canvas: npt.NDArray[np.float32], text: str, at: tuple[int, int], em: int, colour: npt.NDArray[np.float64]
) -> None:
    """Write a line whose cell begins at x, y."""
    line, _ = glyphs.line(text, "regular")
    scale = em / glyphs.facts()["em"]
    size = (round(line.shape[1] * scale), round(line.shape[0] * scale))
    line = np.clip(cv2.resize(line, size, interpolation=cv2.INTER_AREA), 0, 1)
    x, y = at
    line = line[:, : canvas.shape[1] - x]
    under = canvas[y : y + line.shape[0], x : x + line.shape[1]]
    under += (colour - under) * line[..., None]


def make_case(kind: str, number: int, seed: int = SEED) -> Shown:
    """Draw one case."""
    rng = np.random.default_rng([seed, list(COUNTS).index(kind), number])
    return (sign if kind.startswith("sign") else screenshot)(kind, number, rng)


def entry(name: str, kind: str, shown: Shown) -> dict[str, Any]:
    """The case in `suite.yaml`."""
    groups = {
        "signs": kind.startswith("sign"),
        "screenshots": kind.startswith("screen"),
        "chinese": kind != "sign-latin" and kind != "screen-latin",
        "low-light": kind == "sign-night",
        "small-text": shown.small,
        "smoke": name in SMOKE,
    }
    return {
        "name": name,
        "inputs": {"image": f"images/{name}.jpg"},
        "labels": ["text"],
        "text": " ".join(shown.lines),
        "slices": [group for group, holds in groups.items() if holds],
    }


def make(out: Path, *, each: int | None = None, seed: int = SEED) -> list[str]:
    """Write the whole suite below ``out``; returns the names of its cases."""
    cv2.setNumThreads(1)
    (out / "images").mkdir(parents=True, exist_ok=True)
    entries = []
    for kind, count in COUNTS.items():
        for number in range(count if each is None else min(each, count)):
            name, shown = f"{kind}-{number + 1:02}", make_case(kind, number, seed)
            (out / f"images/{name}.jpg").write_bytes(jpeg(shown.image))
            entries.append(entry(name, kind, shown))
    whole = {"version": 1, "family": "recognition", "cases": entries}
    write_yaml(out / "suite.yaml", "# Made by training/make_rapidocr_suite.py.\n", whole)
    (out / "ORIGIN.md").write_text(ORIGIN.format(seed=seed), encoding="utf-8")
    return [case["name"] for case in entries]


def main(argv: list[str] | None = None) -> int:
    """Make the suite; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--each", type=int, help="at most this many cases of a kind")
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args(argv)
    print(f"{len(make(arguments.out, each=arguments.each, seed=arguments.seed))} cases")
    return 0


if __name__ == "__main__":
    sys.exit(main())
