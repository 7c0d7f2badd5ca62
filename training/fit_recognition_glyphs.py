"""Fit the network of characters of `test-assets/models/recognition-lite`.

    python -m training.fit_recognition_glyphs            # v1.0.0
    python -m training.fit_recognition_glyphs --more     # v1.1.0

Random features and ridge regression (G.-B. Huang et al., Extreme Learning Machine, 2006): solved, not trained, in a few
seconds. It needs onnx.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

MODEL = Path(__file__).resolve().parents[1] / "test-assets" / "models" / "recognition-lite"
sys.path.insert(0, str(MODEL / "base"))

from recognition_lite import cuts, text  # noqa: E402 (the model's own code: what it will see)
from training.recognition import glyphs, texts  # noqa: E402
from training.recognition.network_file import Layer, write_network  # noqa: E402
from training.recognition.ridge import solved  # noqa: E402

FEWER, MORE = (300, 4000), (1500, 16_000)
"""Random features, and characters that they are fitted on: of v1.0.0, of v1.1.0."""
HELD_OUT = 3000
RIDGE = 2.0
"""For a thousand characters."""

Floats = npt.NDArray[np.float32]


def examples(rng: np.random.Generator, count: int) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Characters as the reader cuts them, ``(n, SEEN, SEEN)``, and their numbers; 0: it is no one character."""
    squares: list[Floats] = []
    numbers: list[int] = []
    while len(squares) < count:
        said = texts.random_text(rng)
        ink, spans = glyphs.line(said, "bold" if rng.random() < 0.5 else "regular", rng.uniform(0.02, 0.1))
        line = text.line_of(np.pad(roughened(rng, ink), 2))
        if line is None:
            continue
        stretch = line.shape[1] / (spans[-1][1] - spans[0][0])
        places = [(round((a - spans[0][0]) * stretch), round((b - spans[0][0]) * stretch)) for a, b in spans]
        for (start, stop), character in zip(places, said.replace(" ", ""), strict=True):
            less, more = rng.integers(-1, 2, 2)
            cut = (max(0, start + int(less)), min(line.shape[1], stop + int(more)))
            if cut[1] - cut[0] >= 2:
                squares.append(text.square(line, cut))
                numbers.append(1 + texts.CHARACTERS.index(character))
        for cut in wrong_cuts(rng, places):
            squares.append(text.square(line, cut))
            numbers.append(0)
    return np.stack(squares[:count]), np.array(numbers[:count])


def roughened(rng: np.random.Generator, ink: Floats) -> Floats:
    """Ink at a sign's size, not quite upright, blurred and noisy."""
    scale = float(rng.uniform(0.3, 1.2))
    height, width = ink.shape
    lean = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-0.6, 0.6), 1)
    turned = cv2.warpAffine(ink, lean, (width, height))
    size = (max(4, round(width * scale)), max(4, round(height * scale)))
    small = cv2.resize(turned, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    if rng.random() < 0.5:
        small = cv2.GaussianBlur(small, (3, 3), float(rng.uniform(0.4, 0.9)))
    noise = rng.standard_normal(small.shape, np.float32) * np.float32(rng.uniform(0, 0.12))
    return np.clip(small * np.float32(rng.uniform(0.9, 1.1)) + noise * (small > 0.02), 0, 1)


def wrong_cuts(rng: np.random.Generator, places: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """A half of a character, or two as one."""
    found = []
    for (start, stop), following in zip(places, [*places[1:], None], strict=True):
        chance = rng.random()
        if chance < 0.25 and stop - start > 0.6 * cuts.SIDE:
            middle = round(start + (stop - start) * rng.uniform(0.35, 0.65))
            found.append((start, middle) if rng.random() < 0.5 else (middle, stop))
        elif chance > 0.7 and following is not None and following[1] - start <= cuts.WIDEST * cuts.SIDE:
            found.append((start, following[1]))
        elif following is not None and chance > 0.5:
            at = round(start + (stop - start) * 0.55)
            if following[0] + 4 - at <= cuts.WIDEST * cuts.SIDE:
                found.append((at, min(following[1], following[0] + round(0.5 * (following[1] - following[0])))))
    return [cut for cut in found if cut[1] - cut[0] >= 3]


def sharpness(scores: Floats, numbers: npt.NDArray[np.int64]) -> float:
    """The factor of the scores that makes the softmax of what is true likeliest."""

    def cost(factor: float) -> float:
        scaled = factor * scores
        return float((np.log(np.exp(scaled).sum(1)) - scaled[np.arange(len(numbers)), numbers]).mean())

    return min((float(factor) for factor in np.arange(2, 30, 0.5)), key=cost)


def main(argv: list[str] | None = None) -> int:
    """Draw, solve, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=MODEL)
    parser.add_argument("--more", action="store_true", help="v1.1.0")
    arguments = parser.parse_args(argv)
    more: bool = arguments.more
    count, learned_from = MORE if more else FEWER
    cv2.setNumThreads(1)
    rng = np.random.default_rng(31)
    squares, numbers = examples(rng, learned_from + HELD_OUT)
    flat = squares.reshape(len(squares), -1)
    weight = rng.standard_normal((count, flat.shape[1])).astype(np.float32) / np.float32(4)
    bias = (rng.uniform(-0.6, 0.6, count) - weight @ flat.mean(axis=0)).astype(np.float32)
    features = np.maximum(flat @ weight.T + bias, 0)
    wanted = np.eye(1 + len(texts.CHARACTERS), dtype=np.float32)[numbers]
    learned = solved(features[:learned_from], wanted[:learned_from], RIDGE * learned_from / 1000)
    scores = features[learned_from:] @ learned
    factor = sharpness(scores, numbers[learned_from:])
    tensors = {
        "features.weight": weight.reshape(count, 1, text.SEEN, text.SEEN),
        "features.bias": bias,
        "said.weight": np.ascontiguousarray(factor * learned.T)[..., None, None],
        "said.bias": np.zeros(learned.shape[1], np.float32),
    }
    layers = (
        Layer("features", "seen", (1, count), side=text.SEEN, pad=0),
        Layer("said", "features", (count, learned.shape[1]), side=1, relu=False),
    )
    path = arguments.out / ("releases/v1.1.0" if more else "base") / "weights" / "glyphs.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_network(path, "glyphs", layers, ("said",), tensors, {"characters": texts.CHARACTERS})
    right = float((scores.argmax(axis=1) == numbers[learned_from:]).mean())
    print(json.dumps({"right": round(right, 4), "factor": factor, "bytes": path.stat().st_size}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
