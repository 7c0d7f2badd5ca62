"""How often the extractor `lip-opening` takes closed lips for open ones and open ones for closed.

    PYTHONPATH=src python -m training.evaluate_lip_opening

Three sets of pictures whose openings are known, none of them seen in training: drawn people by the renderer that it was
trained on (other people); portraits of sonic-lite's suite, parted by that model's own animator, another program; and
a photograph, the astronaut of scikit-image, warped. Prints a Markdown table: precision and recall of "closed" at
`penstock.metrics.lip_closure.CLOSED`, and how often an opening of a tenth, two and three tenths is seen as open.
"""

from __future__ import annotations

import argparse
import sys
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from penstock.extractors.lips import LipOpening, open_lips
from penstock.metrics.face import Box, crop_with_box
from penstock.metrics.lip_closure import CLOSED
from training.face import CANVAS, Face, Image
from training.lip_data import openings, random_track
from training.make_sonic_lite_suite import ASTRONAUT_FACE, MODEL, face_box
from training.talker import render

ASSETS = Path(__file__).resolve().parents[1] / "test-assets"
FIRST_SEED = 100_000
"""Of people whom training has not seen."""
STEPS = (0.04, 0.08, 0.12)
"""Openings, as shares of the mouth's width, from which on it is asked how often they are seen as open."""
ASTRONAUT_MOUTH = (253.0, 248.0, 38.0)
"""Middle and half width of the mouth in `portraits/astronaut.png`, pixels of 512."""
Floats = npt.NDArray[np.float32]


def drawn_people(people: int, frames: int) -> tuple[Image, Floats]:
    """Crops of new people of the training's renderer, and their openings."""
    crops, wanted = [], []
    for seed in range(FIRST_SEED, FIRST_SEED + people):
        rng = np.random.default_rng(seed)
        face = Face.random(rng)
        track = random_track(frames, rng)
        crops.append(render(face, track, rng))
        wanted.append(openings(face, track))
    return np.concatenate(crops), np.concatenate(wanted)


def animated_portraits(frames: int, names: tuple[str, ...]) -> tuple[Image, Floats]:
    """Crops of portraits that sonic-lite has parted, and their openings."""
    sys.path.insert(0, str(MODEL))
    from sonic_lite import animate, motion, portrait  # type: ignore[import-not-found]

    crops: list[Image] = []
    wanted: list[Floats] = []
    for seed, name in enumerate(names):
        rng = np.random.default_rng(seed)
        track = random_track(frames, rng)
        image = portrait.decode((ASSETS / "portraits" / f"{name}.png").read_bytes(), 256)
        animator = animate.Animator(image, portrait.FaceLocator().locate(image), 0.18)
        head = motion.sway(frames, rng).astype(np.float32)
        seen = animator.frames(motion.Motion(track, np.ones(frames, np.float32), head))
        x, y, width, height = (side * 256 for side in face_box(name))
        crops += crop_with_box(seen, Box(x, y, x + width, y + height))
        gap = track[:, 0] * animate._GAP + 0.10 * track[:, 2] * np.minimum(1.0, 6 * track[:, 0])
        wanted.append((gap / 2).astype(np.float32))
    return np.stack(crops), np.concatenate(wanted)


def warped_photograph(frames: int) -> tuple[Image, Floats]:
    """Crops of the astronaut, her lips parted by the training's warp, and their openings."""
    image = cv2.imread(str(ASSETS / "portraits" / "astronaut.png"))
    if image.shape[0] != CANVAS:
        image = cv2.resize(image, (CANVAS, CANVAS), interpolation=cv2.INTER_AREA)
    rng = np.random.default_rng(FIRST_SEED)
    face = Face.from_image(np.asarray(image, np.uint8), ASTRONAUT_FACE, ASTRONAUT_MOUTH)
    track = random_track(frames, rng)
    return render(face, track, rng, jitter=0.3), openings(face, track)


def row(name: str, network: LipOpening, crops: Image, wanted: Floats) -> str:
    """A line of the table."""
    found = np.concatenate([network.openings(crops[at : at + 32]) for at in range(0, len(crops), 32)])
    closed, said = wanted == 0, found <= CLOSED
    cells = [f"{len(crops)}", f"{np.mean(closed[said]):.3f}" if said.any() else "–", f"{np.mean(said[closed]):.3f}"]
    for least, most in zip(STEPS, (*STEPS[1:], np.inf), strict=True):
        among = (wanted >= least) & (wanted < most)
        cells.append(f"{np.mean(~said[among]):.3f} of {among.sum()}")
    apart = np.abs(found - wanted)[wanted < 0.3]
    return f"| {name} | {' | '.join(cells)} | {np.median(apart):.3f} |"


def main(argv: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, default=ASSETS / "extractors" / "lip-opening.onnx")
    parser.add_argument("--people", type=int, default=60)
    arguments = parser.parse_args(argv)
    cv2.setNumThreads(1)
    network = open_lips(arguments.model, threads=1)
    ranges = " | ".join(f"open, {a:g} to {b:g}" for a, b in pairwise(STEPS))
    print(f"| pictures | n | closed: precision | recall | {ranges} | open, from {STEPS[-1]:g} | median error |")
    print("|---|---|---|---|---|---|---|---|")
    print(row("drawn people, new", network, *drawn_people(arguments.people, 24)))
    print(row("sonic-lite's animator", network, *animated_portraits(150, tuple(f"drawn-0{n}" for n in range(1, 6)))))
    print(row("photograph, sonic-lite's animator", network, *animated_portraits(150, ("astronaut",))))
    print(row("photograph, warped", network, *warped_photograph(150)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
