"""Make `test-assets/portraits/`: drawn people that no training saw, and the one real portrait.

    python -m training.make_portraits --out test-assets/portraits [--astronaut skimage/data/astronaut.png]

`--astronaut` is the file of that name in the scikit-image package; without it the portrait that is there stays.
"""

from __future__ import annotations

import argparse
import hashlib
import os
from pathlib import Path

import cv2
import numpy as np

from training.talker import CANVAS, Face, portrait

SEEDS = (900_001, 900_004, 900_005, 900_007, 900_011)
"""Training draws its faces from other seeds (below 900 000)."""

ASTRONAUT_CROP = (96, 20, 256)
"""Left, top and side, in pixels, of what is cut out of the photograph."""


def main(argv: list[str] | None = None) -> int:
    """Write the portraits and ORIGIN.md; returns 0, or 1 when a face cannot be found in one of them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("test-assets/portraits"))
    parser.add_argument("--astronaut", type=Path)
    arguments = parser.parse_args(argv)
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS, start=1):
        person = Face.random(np.random.default_rng(seed))
        cv2.imwrite(os.fspath(out / f"drawn-{number:02d}.png"), portrait(person))
    if arguments.astronaut is not None:
        photograph = cv2.imread(os.fspath(arguments.astronaut))
        if photograph is None:
            parser.error(f"{arguments.astronaut} is not an image")
        left, top, side = ASTRONAUT_CROP
        cut = photograph[top : top + side, left : left + side]
        grown = cv2.resize(cut, (CANVAS, CANVAS), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(os.fspath(out / "astronaut.png"), grown)
    detector = cv2.CascadeClassifier(
        os.fspath(Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml")
    )
    missed = False
    rows = []
    for path in sorted(out.glob("*.png")):
        image = np.asarray(cv2.imread(os.fspath(path)))
        boxes = detector.detectMultiScale(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), 1.1, 5, minSize=(120, 120))
        missed |= len(boxes) != 1
        box = ", ".join(str(int(v)) for v in boxes[0]) if len(boxes) else "none"
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        rows.append(f"| {path.name} | {image.shape[1]} x {image.shape[0]} | {box} | `{digest}` |")
        print(path.name, "faces:", [[int(v) for v in found] for found in boxes])
    (out / "ORIGIN.md").write_text(_ORIGIN + "\n".join(rows) + "\n", encoding="utf-8")
    return 1 if missed else 0


_ORIGIN = """# Portraits

- `drawn-01.png` to `drawn-05.png`: drawn by `training/face.py`; nobody is depicted. Dedicated to the public domain
  (CC0-1.0).
- `astronaut.png`: the astronaut Eileen Collins, portrait by NASA, from the "Great Images in NASA" collection
  (<https://flic.kr/p/r9qvLn>). Works of NASA are in the public domain in the United States (17 U.S.C. 105). Taken from
  the file `skimage/data/astronaut.png` of scikit-image 0.26.0, whose documentation (`skimage.data.astronaut`) says "no
  known copyright restrictions, released into the public domain"; cut to the head (256 x 256 pixels from (96, 20))
  and enlarged to 512 x 512 with bicubic interpolation. NASA does not endorse this project.

    python -m training.make_portraits --out test-assets/portraits --astronaut PATH/TO/skimage/data/astronaut.png

The face box is what OpenCV's frontal-face cascade finds (x, y, width, height).

| file | size | face | SHA-256, first 16 |
|---|---|---|---|
"""

if __name__ == "__main__":
    raise SystemExit(main())
