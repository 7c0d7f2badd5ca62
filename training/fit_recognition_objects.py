"""Fit the networks of things of `test-assets/models/recognition-lite`: where one may be, and what it is.

    python -m training.fit_recognition_objects

Ridge regression on edges (the first) and on random features of them (the second): solved, not trained, in less than a
minute. It needs onnx.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

MODEL = Path(__file__).resolve().parents[1] / "test-assets" / "models" / "recognition-lite"
sys.path.insert(0, str(MODEL / "base"))

from recognition_lite.edges import DIRECTIONS, LONGER, THING, WINDOW, Level, levels  # noqa: E402 (the model's own)
from recognition_lite.objects import Box, Finder, Window, overlap, window_at  # noqa: E402

from training.recognition import scenes  # noqa: E402
from training.recognition.network_file import Layer, write_network  # noqa: E402
from training.recognition.ridge import calibrated, solved  # noqa: E402
from training.recognition.things import DRAWN  # noqa: E402

LABELS = list(DRAWN)
PLAIN, HARD, HELD_OUT = 200, 300, 100
"""Pictures: for the first network, for the second, to fit confidences on."""
FEATURES = 1000
LEAST = 0.3
"""What is less sure than this is not answered."""

Floats = npt.NDArray[np.float32]
Seen = tuple[list[Level], list[tuple[str, Box]]]


def pictures(first: int, count: int) -> Iterator[tuple[scenes.Scene, list[tuple[str, Box]]]]:
    """Scenes, and the things in each, without signs."""
    for number in range(first, first + count):
        rng = np.random.default_rng([23, number])
        size = scenes.SIZES[int(rng.integers(len(scenes.SIZES)))]
        made = scenes.random_scene(rng, size)
        yield made, [(label, box) for label, box in made.objects if label in LABELS]


def windows_on(found: list[Level], box: Box, image: tuple[int, int]) -> list[Window]:
    """Windows with a thing in their middle, at the size that fits and where it nearly does."""
    share = max(box[2:]) / min(image)
    at = [number for number, wanted in enumerate(LONGER) if 0.68 < share / wanted < 1.48]
    windows = []
    for number in at:
        level = found[number]
        row, column = ((box[1 - k] + box[3 - k] / 2) / level.side - WINDOW / 2 for k in (0, 1))
        for down, right in ((0, 0), (0.5, 0.5), (-0.5, -0.5), (0.5, -0.5)):
            y, x = round(row + down), round(column + right)
            if -2 <= y <= level.cells.shape[1] + 2 - WINDOW and -2 <= x <= level.cells.shape[2] + 2 - WINDOW:
                windows.append(window_at(level, y, x))
    return windows


def elsewhere(rng: np.random.Generator, found: list[Level], things: list[tuple[str, Box]], count: int) -> list[Window]:
    """Windows by chance in whose middle nothing is."""
    windows = []
    for _ in range(count):
        level = found[int(rng.integers(len(found)))]
        y, x = (int(rng.integers(-2, max(-1, cells + 3 - WINDOW))) for cells in level.cells.shape[1:])
        window = window_at(level, y, x)
        if apart_from(window, things):
            windows.append(window)
    return windows


def middle(window: Window) -> Box:
    """Where a thing in the window would be."""
    side = window.side * THING / WINDOW
    return window.x + (window.side - side) / 2, window.y + (window.side - side) / 2, side, side


def apart_from(window: Window, things: list[tuple[str, Box]]) -> bool:
    """Whether none of the things is in its middle."""
    return all(overlap(middle(window), box) < 0.25 for _, box in things)


def target(window: Window, box: Box) -> list[float]:
    """As :func:`recognition_lite.objects.placed` has it."""
    x, y = (box[k] + box[2 + k] / 2 for k in (0, 1))
    sides = [float(np.log(side / window.side)) for side in box[2:]]
    return [(x - window.x) / window.side, (y - window.y) / window.side, *sides]


def flat(windows: list[Window]) -> Floats:
    """``(n, DIRECTIONS * WINDOW * WINDOW)``."""
    return np.stack([window.edges.ravel() for window in windows])


def one_hot(numbers: list[int]) -> Floats:
    """A column for each label, and one for nothing."""
    return np.eye(len(LABELS) + 1, dtype=np.float32)[numbers]


def fit_places(path: Path) -> None:
    """The network that says where something may be."""
    rng = np.random.default_rng(41)
    windows: list[Window] = []
    numbers: list[int] = []
    for made, things in pictures(0, PLAIN):
        found = levels(made.image)
        for label, box in things:
            on = windows_on(found, box, made.image.shape[:2])
            windows += on
            numbers += [LABELS.index(label)] * len(on)
        other = elsewhere(rng, found, things, 40)
        windows += other
        numbers += [len(LABELS)] * len(other)
    seen = flat(windows)
    mean = seen.mean(axis=0)
    learned = solved(seen - mean, one_hot(numbers), 0.02 * len(seen))
    bias = one_hot(numbers).mean(axis=0) - mean @ learned
    layer = Layer("said", "seen", (DIRECTIONS, len(LABELS) + 1), side=WINDOW, pad=0, relu=False)
    weight = np.ascontiguousarray(learned.T).reshape(-1, DIRECTIONS, WINDOW, WINDOW)
    tensors = {"said.weight": weight, "said.bias": bias.astype(np.float32)}
    write_network(path, "places", (layer,), ("said",), tensors, {"labels": LABELS})
    print(json.dumps({"windows": len(windows)}), flush=True)


def fit_objects(places: Path, path: Path) -> None:
    """The network that looks closely, on what the first takes for something, right or wrong."""
    rng = np.random.default_rng(43)
    count = len(LABELS)
    layers = (
        Layer("features", "seen", (DIRECTIONS, FEATURES), side=WINDOW, pad=0),
        Layer("said", "features", (FEATURES, count + 1 + 4), side=1, relu=False),
    )
    shape = (FEATURES, DIRECTIONS, WINDOW, WINDOW)
    weight = rng.standard_normal(shape).astype(np.float32) / np.float32(4)
    tensors = {
        "features.weight": weight,
        "features.bias": np.zeros(FEATURES, np.float32),
        "said.weight": np.zeros((count + 5, FEATURES, 1, 1), np.float32),
        "said.bias": np.zeros(count + 5, np.float32),
    }
    facts = {"labels": LABELS, "least": 0.0, "calibration": [1.0, 0.0]}
    write_network(path, "objects", layers, ("said",), tensors, facts)
    finder = Finder(places, path)
    windows, numbers, boxes = [], [], []
    for made, things in pictures(PLAIN, HARD):
        found = levels(made.image)
        for label, box in things:
            on = windows_on(found, box, made.image.shape[:2])
            windows += on
            numbers += [LABELS.index(label)] * len(on)
            boxes += [target(window, box) for window in on]
        other = [window for window in finder.windows(found)[:40] if apart_from(window, things)]
        windows += other
        numbers += [count] * len(other)
    seen = flat(windows)
    flat_weight = weight.reshape(FEATURES, -1)
    tensors["features.bias"] = (rng.uniform(-0.5, 0.5, FEATURES) - flat_weight @ seen.mean(axis=0)).astype(np.float32)
    features = np.maximum(seen @ flat_weight.T + tensors["features.bias"], 0)
    things_only = np.array(numbers) < count
    learned = np.concatenate(
        [
            6 * solved(features, one_hot(numbers), 0.003 * len(seen)),
            solved(features[things_only], np.array(boxes, np.float32), 0.003 * int(things_only.sum())),
        ],
        axis=1,
    )
    tensors["said.weight"] = np.ascontiguousarray(learned.T)[..., None, None]
    write_network(path, "objects", layers, ("said",), tensors, facts)
    facts |= {"least": LEAST, "calibration": calibration(Finder(places, path))}
    write_network(path, "objects", layers, ("said",), tensors, facts)
    print(json.dumps({"windows": len(windows), "calibration": facts["calibration"]}), flush=True)


def calibration(finder: Finder) -> list[float]:
    """Slope and shift of confidence, from pictures that nothing was fitted on."""
    logits, right = [], []
    for made, things in pictures(PLAIN + HARD, HELD_OUT):
        for found in finder.find(made.image):
            sure = min(max(found.confidence, 1e-9), 1 - 1e-9)
            logits.append(np.log(sure / (1 - sure)))
            right.append(any(label == found.label and overlap(found.box, box) >= 0.5 for label, box in things))
    return [round(value, 4) for value in calibrated(np.array(logits), np.array(right, float))]


def main(argv: list[str] | None = None) -> int:
    """Draw, solve, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=MODEL / "base" / "weights")
    arguments = parser.parse_args(argv)
    cv2.setNumThreads(1)
    arguments.out.mkdir(parents=True, exist_ok=True)
    places = arguments.out / "places.onnx"
    fit_places(places)
    fit_objects(places, arguments.out / "objects.onnx")
    return 0


if __name__ == "__main__":
    sys.exit(main())
