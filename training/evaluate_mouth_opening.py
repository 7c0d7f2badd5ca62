"""How well the metric `mouth_opening` sees that a mouth opens wider than the same mouth did.

    PYTHONPATH=src python -m training.evaluate_mouth_opening

The sets of pictures are those of `training.evaluate_lip_opening`, as clips: each is shown twice, the second time with
the same mouth opened wider by a factor, and with another head, light and noise. Prints a Markdown table: the change of
the metric, in how many clips it grew, and how many suites of 24 such clips pass a margin of 30 % at the level 0.05 and
are stopped by it; the others stay inconclusive.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from penstock.extractors.lips import LipOpening, open_lips
from penstock.gating.evidence import weigh
from penstock.metrics.face import Box, crop_with_box
from penstock.metrics.mouth_opening import wide_opening
from training.evaluate_lip_opening import ASSETS, ASTRONAUT_MOUTH, FIRST_SEED
from training.face import CANVAS, Face, Image
from training.lip_data import openings, random_track
from training.make_sonic_lite_suite import ASTRONAUT_FACE, MODEL, face_box
from training.talker import render

Floats = npt.NDArray[np.float32]
Many = npt.NDArray[np.float64]
Clip = tuple[Image, float]
"""Crops, and the opening that they show in one frame of twenty."""
Show = Callable[[int, float, int], Clip]
"""Which clip, how much wider, which head, light and noise."""
FACTORS = (1.0, 1.1, 1.25, 1.5)
FRAMES, MARGIN, LEVEL, SUITE, DRAWS = 40, 0.3, 0.05, 24, 200


def drawn_person(seed: int, factor: float, draw: int) -> Clip:
    """A new person of the training's renderer."""
    rng = np.random.default_rng(FIRST_SEED + seed)
    face = Face.random(rng)
    track = wider(random_track(FRAMES, rng), factor)
    return render(face, track, np.random.default_rng([seed, draw])), wide(openings(face, track))


def animated_portrait(seed: int, factor: float, draw: int) -> Clip:
    """A drawn portrait that sonic-lite has parted."""
    return _animated(f"drawn-0{1 + seed % 5}", seed, factor, draw)


def animated_photograph(seed: int, factor: float, draw: int) -> Clip:
    """The astronaut of scikit-image, parted by sonic-lite: she smiles with her teeth."""
    return _animated("astronaut", seed, factor, draw)


def warped_photograph(seed: int, factor: float, draw: int) -> Clip:
    """The same, her lips parted by the training's warp."""
    image = cv2.imread(str(ASSETS / "portraits" / "astronaut.png"))
    if image.shape[0] != CANVAS:
        image = cv2.resize(image, (CANVAS, CANVAS), interpolation=cv2.INTER_AREA)
    face = Face.from_image(np.asarray(image, np.uint8), ASTRONAUT_FACE, ASTRONAUT_MOUTH)
    track = wider(random_track(FRAMES, np.random.default_rng(FIRST_SEED + seed)), factor)
    return render(face, track, np.random.default_rng([seed, draw]), jitter=0.3), wide(openings(face, track))


def _animated(name: str, seed: int, factor: float, draw: int) -> Clip:
    sys.path.insert(0, str(MODEL))
    from sonic_lite import animate, motion, portrait  # type: ignore[import-not-found]

    track = wider(random_track(FRAMES, np.random.default_rng(FIRST_SEED + seed)), factor)
    rng = np.random.default_rng([seed, draw])
    image = portrait.decode((ASSETS / "portraits" / f"{name}.png").read_bytes(), 256)
    animator = animate.Animator(image, portrait.FaceLocator().locate(image), 0.18)
    light = rng.uniform(0.9, 1.1, FRAMES).astype(np.float32)
    seen = animator.frames(motion.Motion(track, light, motion.sway(FRAMES, rng).astype(np.float32)))
    x, y, width, height = (side * 256 for side in face_box(name))
    gap = track[:, 0] * animate._GAP + 0.10 * track[:, 2] * np.minimum(1.0, 6 * track[:, 0])
    return np.stack(list(crop_with_box(seen, Box(x, y, x + width, y + height)))), wide((gap / 2).astype(np.float32))


def wider(track: Floats, factor: float) -> Floats:
    """The same mouth, opened wider."""
    found = track.copy()
    found[:, 0] *= 0.7 * factor  # of a whole yawn, which nobody speaks with
    return found


def wide(values: Floats) -> float:
    """The metric of openings that are known."""
    found = wide_opening(values)
    if found is None:
        raise ValueError("a clip of the evaluation is too short")
    return found


def seen(network: LipOpening, crops: Image) -> float:
    """The metric as it is measured."""
    return wide(np.concatenate([network.openings(crops[at : at + 16]) for at in range(0, len(crops), 16)]))


def suites(before: Many, after: Many) -> tuple[float, float]:
    """Shares of suites drawn from these clips that pass the margin, and that are stopped by it."""
    rng = np.random.default_rng(0)
    passed, stopped = [], []
    for _ in range(DRAWS):
        drawn = rng.integers(len(before), size=SUITE)
        evidence = weigh([float(change) for change in (after - before)[drawn]], 0.0)
        margin = MARGIN * float(before[drawn].mean())
        passed.append(evidence.not_worse_than(margin, 0.0) <= LEVEL)
        stopped.append(evidence.worse_than(margin, 0.0) <= LEVEL)
    return float(np.mean(passed)), float(np.mean(stopped))


def rows(name: str, network: LipOpening, show: Show, clips: int) -> list[str]:
    """The lines of one set."""
    base = [show(clip, 1.0, 0) for clip in range(clips)]
    before = np.array([seen(network, crops) for crops, _ in base])
    known = np.array([value for _, value in base])
    off = f"{np.median(np.abs(before - known)):.3f}"
    found = []
    for factor in FACTORS:
        later = [show(clip, factor, 1) for clip in range(clips)]
        after = np.array([seen(network, crops) for crops, _ in later])
        true = float(np.mean([value for _, value in later] - known)) / float(known.mean())
        found_change = float((after - before).mean() / before.mean())
        passed, stopped = suites(before, after)
        cells = [name, f"{known.mean():.3f}", f"{before.mean():.3f}", off, f"{factor:g}", f"{true:+.0%}"]
        cells += [f"{found_change:+.0%}", f"{np.mean(after > before):.2f}", f"{passed:.2f}", f"{stopped:.2f}"]
        found.append(f"| {' | '.join(cells)} |")
    return found


def main(argv: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, default=ASSETS / "extractors" / "lip-opening.onnx")
    parser.add_argument("--clips", type=int, default=40)
    arguments = parser.parse_args(argv)
    cv2.setNumThreads(1)
    network = open_lips(arguments.model, threads=1)
    heads = ["pictures", "known opening", "seen", "median error", "wider by", "known change", "seen change"]
    heads += ["grew in", f"passes {MARGIN:.0%}", "is stopped"]
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    sets: tuple[tuple[str, Show], ...] = (
        ("drawn people, new", drawn_person),
        ("sonic-lite's animator", animated_portrait),
        ("photograph, sonic-lite's animator", animated_photograph),
        ("photograph, warped", warped_photograph),
    )
    for name, show in sets:
        print("\n".join(rows(name, network, show, arguments.clips)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
