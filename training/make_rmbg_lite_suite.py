"""Make the suite of `test-assets/models/rmbg-lite`: `suite.yaml`, photos, mattes and foregrounds.

    python -m training.make_rmbg_lite_suite --out DIR

140 scenes of 512 x 512, some 35 MB, in about two minutes of two cores; it is made anew where it is needed, and a
seed gives the same pixels each time. Every case has an exact matte and exact foreground colours, for its photo is made
of them. There are no trimaps: what is wrong far from the edge (a speck, a shadow taken for the subject) counts too.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import yaml

from training.matting.layers import Pixels
from training.matting.scenes import KINDS

SEED = 11
COUNTS = {
    "hair": 18, "light-hair": 8, "fur": 8, "hair-complex": 10, "hair-low-contrast": 10, "complex": 12,
    "low-contrast": 12, "shadow-keep": 20, "shadow-drop": 20, "glass": 11, "cloth": 11,
}  # fmt: skip
"""Kind of scene → how many cases: 54 in the slice `hair`, 40 in `shadow` (20 that is kept, 20 that is
dropped), 22 in each of the others that the owners watch."""
SMOKE = ("hair-01", "shadow-keep-01", "glass-01")
"""The cases of the verify track."""
ORIGIN = """# The suite

Made by `training/make_rmbg_lite_suite.py` of Penstock, seed {seed}. Where the photographs come from stands in
`ORIGIN.md` of Penstock's `test-assets/photographs` and `test-assets/portraits`; they are free of rights or dedicated to
the public domain. What is drawn is dedicated to the public domain (CC0-1.0).
"""


@dataclass(frozen=True)
class Made:
    """What `suite.yaml` says of a case."""

    name: str
    slices: list[str]
    shadow: str


def cases(each: int | None = None, only: Mapping[str, int] | None = None) -> list[tuple[str, int, int]]:
    """Kind, number of the kind and number in the kind of every case.

    each: at most so many of a kind. only: other counts than :data:`COUNTS`; of a kind that is not named there is none.
    """
    return [
        (kind, list(KINDS).index(kind), number)
        for kind, count in (COUNTS if only is None else only).items()
        for number in range(count if each is None else min(each, count))
    ]


def counted(text: str) -> tuple[str, int]:
    """``hair=3``. Raises ValueError."""
    kind, _, count = text.partition("=")
    if kind not in COUNTS:
        raise ValueError(f"there is no kind '{kind}': {', '.join(COUNTS)}")
    return kind, int(count)


def make_case(out: Path, kind: str, order: int, number: int, seed: int) -> Made:
    """Write the pictures of one case."""
    cv2.setNumThreads(1)
    scene = KINDS[kind](np.random.default_rng([seed, order, number]))
    name = f"{kind}-{number + 1:02}"
    pictures = {"photos": scene.image, "mattes": scene.alpha, "foregrounds": scene.foreground}
    for folder, picture in pictures.items():
        (out / folder / f"{name}.png").write_bytes(png(picture))
    return Made(name, [*scene.slices, *["smoke"] * (name in SMOKE)], scene.shadow)


def png(picture: Pixels) -> bytes:
    """A PNG of grey or RGB values."""
    stored = picture if picture.ndim == 2 else np.ascontiguousarray(picture[..., ::-1])
    return bytes(cv2.imencode(".png", stored, [cv2.IMWRITE_PNG_COMPRESSION, 6])[1])


def suite(made: list[Made]) -> str:
    """The text of `suite.yaml`."""
    entries = [
        {
            "name": case.name,
            "inputs": {"image": f"photos/{case.name}.png"},
            "truth": f"mattes/{case.name}.png",
            "foreground": f"foregrounds/{case.name}.png",
            "shadow": case.shadow,
            "slices": case.slices,
        }
        for case in made
    ]
    whole = {"version": 1, "family": "matting", "cases": entries}
    head = "# Made by training/make_rmbg_lite_suite.py.\n"
    return head + yaml.safe_dump(whole, sort_keys=False, default_flow_style=None, width=118)


def make(
    out: Path, *, each: int | None = None, only: Mapping[str, int] | None = None, seed: int = SEED, processes: int = 2
) -> list[str]:
    """Write the whole suite below ``out``; returns the names of its cases."""
    for folder in ("photos", "mattes", "foregrounds"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    wanted = [(out, *case, seed) for case in cases(each, only)]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        made = pool.starmap(make_case, wanted, chunksize=2)
    (out / "ORIGIN.md").write_text(ORIGIN.format(seed=seed), encoding="utf-8")
    (out / "suite.yaml").write_text(suite(made), encoding="utf-8")
    return [case.name for case in made]


def main(argv: list[str] | None = None) -> int:
    """Make the suite and say how large it is."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--each", type=int, help="at most so many cases of a kind")
    parser.add_argument("--only", nargs="+", type=counted, metavar="KIND=N", help="so many of these kinds, no others")
    arguments = parser.parse_args(argv)
    only = dict(arguments.only) if arguments.only is not None else None
    names = make(arguments.out, each=arguments.each, only=only, seed=arguments.seed)
    size = sum(path.stat().st_size for path in arguments.out.rglob("*") if path.is_file())
    print(f"{len(names)} cases, {size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
