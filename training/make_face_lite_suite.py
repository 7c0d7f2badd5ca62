"""Make the suite of `test-assets/models/face-lite`: `suite.yaml` and photographs of drawn people.

    python -m training.make_face_lite_suite --out DIR

48 people with four photographs each (1,128 pairs of people: enough for a false accept rate of 1 in 100), 14 of each
kind that recognition should not be asked about, and pairs; 2 MB, in about ten seconds of two cores. A seed gives the
same pixels each time. Nobody in it is among those that the model learned from.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml

from training.faces.drawing import Pixels, photo
from training.faces.look import look
from training.faces.oddities import ODD, empty
from training.faces.person import Person, person

SEED = 7
"""The training's is another: :data:`training.faces.training_set.SEED`."""
PEOPLE, PHOTOS, LARGE, ODD_EACH = 48, 4, 24, 14
LARGE_SIZE = (600, 800)
SAME, DIFFERENT, ODD_PAIRS, AGAIN = 32, 32, 2, 3
"""Pairs; ODD_PAIRS of each odd kind that shows a face; AGAIN photographs are there twice."""
NO_FACE = "no-face"
CHINESE = "照片/身份证-张伟.jpg"
SMOKE = ("person-01-1", "person-02-1", "blur-01", "same-01")
"""The cases of the verify track."""
QUALITY = 92
HARD = (0.6, 0.9)
"""How plainly odd the odd ones of the suite are."""
ORIGIN = """# The suite

Made by `training/make_face_lite_suite.py` of Penstock, seed {seed}. Everybody in it is drawn; nobody is depicted.
Dedicated to the public domain (CC0-1.0).
"""


@dataclass(frozen=True)
class Image:
    """One photograph: ``kind`` is empty for a good one, ``number`` counts those of the kind or of the person."""

    name: str
    file: str
    who: int | None = None
    kind: str = ""
    number: int = 0
    large: bool = False
    slices: list[str] = field(default_factory=list)

    @property
    def identity(self) -> dict[str, str]:
        """As a case says it."""
        return {} if self.who is None else {"identity": f"person-{self.who + 1:02}"}


def someone(number: int, seed: int = SEED) -> Person:
    """A person of the suite."""
    return person(np.random.default_rng([seed, 0, number]))


def images(people: int = PEOPLE, odd_each: int = ODD_EACH, large: int = LARGE) -> list[Image]:
    """What is to be drawn."""
    found = []
    for who in range(people):
        for number in range(PHOTOS):
            name = f"person-{who + 1:02}-{number + 1}"
            found.append(Image(name, CHINESE if name == "person-01-2" else f"photos/{name}.jpg", who, "", number))
    for who in range(min(large, people)):
        name = f"person-{who + 1:02}-large"
        found.append(Image(name, f"photos/{name}.jpg", who, "", PHOTOS, large=True))
    for order, kind in enumerate([*ODD, NO_FACE]):
        for number in range(odd_each):
            name = f"{kind}-{number + 1:02}"
            shown = None if kind == NO_FACE else (5 * number + order) % people
            found.append(Image(name, f"photos/{name}.jpg", shown, kind, number))
    return found


def draw(out: Path, image: Image, seed: int) -> Image:
    """Write one photograph; returns it with its slices."""
    cv2.setNumThreads(1)
    slices = ["large" if image.large else "under-640x480", *[image.kind] * bool(image.kind)]
    if image.who is None:
        picture = empty(np.random.default_rng([seed, 3, image.number]))
    elif image.kind:
        rng = np.random.default_rng([seed, 2, list(ODD).index(image.kind), image.number])
        picture = ODD[image.kind](someone(image.who, seed), rng, float(rng.uniform(*HARD))).image
    else:
        rng = np.random.default_rng([seed, 1, image.who, image.number])
        how = look(rng)
        picture = photo(someone(image.who, seed), how, rng, LARGE_SIZE if image.large else (160, 160)).image
        slices += [*someone(image.who, seed).slices, *how.slices]
    path = out / image.file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(jpeg(picture))
    return Image(image.name, image.file, image.who, image.kind, image.number, image.large, slices)


def jpeg(picture: Pixels) -> bytes:
    """A JPEG of RGB values."""
    return bytes(cv2.imencode(".jpg", np.ascontiguousarray(picture[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1])


def single(image: Image) -> dict[str, Any]:
    """The case of one photograph."""
    case: dict[str, Any] = {"name": image.name, "inputs": {"image": image.file}, **image.identity}
    if image.kind:
        case["ood"] = image.kind
    if image.kind == NO_FACE:
        case["expect"] = {"status": 422}
    return {**case, "slices": [*image.slices, *["smoke"] * (image.name in SMOKE)]}


def again(made: list[Image]) -> list[dict[str, Any]]:
    """Photographs that were there before: the answer must be the same. Nobody is named, so that none counts twice."""
    return [
        {"name": f"again-{k + 1:02}", "inputs": {"image": image.file}, "slices": image.slices}
        for k, image in enumerate(made[:AGAIN])
    ]


def pair(name: str, first: Image, second: Image) -> dict[str, Any]:
    """The case of two photographs."""
    said = [image.identity["identity"] for image in (first, second)]
    slices = list(dict.fromkeys([*first.slices, *second.slices]))
    found = {"name": name, "inputs": {"first": first.file, "second": second.file}, "same": said[0] == said[1]}
    odd = {"ood": second.kind} if second.kind else {}
    return {**found, "identities": said, **odd, "slices": ["pair", *slices, *["smoke"] * (name in SMOKE)]}


def pairs(made: Iterable[Image]) -> list[dict[str, Any]]:
    """Same, different, and with one side that recognition should not be asked about."""
    of = {(image.who, image.number): image for image in made if not image.kind and not image.large}
    people = len({who for who, _ in of})
    found = [
        pair(f"same-{k + 1:02}", of[k % people, 0], of[k % people, 1 + k % (PHOTOS - 1)])
        for k in range(min(SAME, people))
    ]
    found += [
        pair(f"different-{k + 1:02}", of[k % people, 2], of[(k + 1 + k % 7) % people, 3])
        for k in range(min(DIFFERENT, people))
    ]
    for image in made:
        if image.kind and image.who is not None and image.number < ODD_PAIRS:
            found.append(pair(f"{image.name}-pair", of[image.who, 0], image))
    return found


def suite(made: list[Image]) -> str:
    """The text of `suite.yaml`."""
    whole = {"version": 1, "family": "face", "cases": [*map(single, made), *again(made), *pairs(made)]}
    head = "# Made by training/make_face_lite_suite.py.\n"
    return head + yaml.safe_dump(whole, sort_keys=False, default_flow_style=None, width=118, allow_unicode=True)


def make(out: Path, wanted: list[Image] | None = None, *, seed: int = SEED, processes: int = 2) -> list[Image]:
    """Write the whole suite below ``out``; returns its photographs."""
    out.mkdir(parents=True, exist_ok=True)
    drawn = [(out, image, seed) for image in (images() if wanted is None else wanted)]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        made = pool.starmap(draw, drawn, chunksize=8)
    (out / "ORIGIN.md").write_text(ORIGIN.format(seed=seed), encoding="utf-8")
    (out / "suite.yaml").write_text(suite(made), encoding="utf-8")
    return made


def main(argv: list[str] | None = None) -> int:
    """Make the suite and say how large it is."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--people", type=int, default=PEOPLE, help="how many people")
    parser.add_argument("--odd-each", type=int, default=ODD_EACH, help="how many photographs of each odd kind")
    parser.add_argument("--large", type=int, default=LARGE, help="how many people with a large photograph as well")
    arguments = parser.parse_args(argv)
    wanted = images(arguments.people, arguments.odd_each, arguments.large)
    made = make(arguments.out, wanted, seed=arguments.seed)
    size = sum(path.stat().st_size for path in arguments.out.rglob("*") if path.is_file())
    print(f"{len(made)} photographs, {size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
