"""Make the suite of `test-assets/models/recognition-lite`: `suite.yaml`, `synonyms.yaml` and pictures.

    python -m training.make_recognition_lite_suite --out DIR

168 pictures of 320 x 240 to 640 x 480, some 5 MB, in about five seconds of one core; a seed gives the same bytes each
time. What is in a picture is known exactly, for it is drawn.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml

from training.recognition import texts
from training.recognition.scenes import SIZES, Asked, Pixels, Scene, scene
from training.recognition.things import LABELS

SEED = 17
COUNTS = {"plain": 24, "latin": 24, "chinese": 36, "small": 24, "low-light": 24, "crowded": 24, "night-sign": 12}
"""Kind of picture → how many cases."""
SMOKE = ("plain-01", "latin-01", "chinese-01")
"""The cases of the verify track."""
CHINESE_NAME = {"chinese-01": "路牌-出口"}
"""Case → what its file is called instead: names of other scripts must do."""
QUALITY = 92
SYNONYMS = {
    "cat": ["猫", "小猫"], "cup": ["杯子", "马克杯"], "car": ["汽车", "轿车"], "tree": ["树", "树木"],
    "house": ["房子", "房屋"], "star": ["星星", "五角星"], "umbrella": ["雨伞", "伞"], "fish": ["鱼", "小鱼"],
    "lamp": ["台灯", "灯"], "book": ["书", "书本"], "ball": ["球", "皮球"], "bird": ["鸟", "小鸟"],
    "sign": ["牌子", "指示牌"],
}  # fmt: skip
ENGLISH = {"cup": ["mug"], "car": ["automobile"], "ball": ["beach ball"], "sign": ["signboard"]}
ORIGIN = """# The suite

Made by `training/make_recognition_lite_suite.py` of Penstock, seed {seed}, and dedicated to the public domain
(CC0-1.0). The characters of its signs are of Noto Sans CJK SC (SIL Open Font License 1.1): see
`test-assets/glyphs/ORIGIN.md` of Penstock.
"""


@dataclass(frozen=True)
class Made:
    """A case: its name, its kind, and what its picture shows."""

    name: str
    kind: str
    scene: Scene

    @property
    def language(self) -> str:
        """Of the case's labels: Chinese where the sign is."""
        return "zh" if self.kind in ("chinese", "night-sign") else "en"

    @property
    def file(self) -> str:
        """The picture's path in the suite."""
        return f"images/{CHINESE_NAME.get(self.name, self.name)}.jpg"

    @property
    def slices(self) -> list[str]:
        """The groups that rules speak of."""
        found = {"latin": ["signs"], "chinese": ["signs", "chinese"], "night-sign": ["signs", "chinese", "low-light"]}
        smaller = self.scene.image.shape[1] < 640
        own = found.get(self.kind, [self.kind] if self.kind != "plain" else [])
        return [*own, *["under-640x480"] * smaller, *["smoke"] * (self.name in SMOKE)]


def asked(kind: str, number: int, rng: np.random.Generator) -> Asked:
    """What a picture of this kind shall show."""
    some = int(rng.integers(1, 4))
    match kind:
        case "latin":
            return Asked(things=some - 1, texts=(texts.LATIN[number % len(texts.LATIN)],))
        case "chinese":
            words = (*texts.CHINESE, *texts.MIXED)
            said = "出口" if number == 0 else words[(number * 11) % len(words)]
            return Asked(things=some - 1, texts=(said,))
        case "night-sign":
            return Asked(things=1, texts=(texts.CHINESE[(number * 7 + 3) % len(texts.CHINESE)],), dark=True)
        case "small":
            return Asked(things=some, share=(0.12, 0.18))
        case "low-light":
            return Asked(things=some, dark=True)
        case "crowded":
            signs = (texts.LATIN[number % len(texts.LATIN)],) if number % 3 == 0 else ()
            return Asked(things=4 - len(signs), texts=signs, share=(0.3, 0.5), overlap=0.2)
        case _:
            return Asked(things=some)


def make_case(kind: str, number: int, seed: int) -> Made:
    """Draw one case. A picture where not everything found room is drawn anew."""
    order = list(COUNTS).index(kind)
    for attempt in range(20):
        rng = np.random.default_rng([seed, order, number, attempt])
        wanted = asked(kind, number, rng)
        size = SIZES[4] if kind == "small" and number % 3 else SIZES[(number + order) % len(SIZES)]
        made = scene(rng, size, wanted)
        if len(made.objects) == wanted.things + len(wanted.texts):
            return Made(f"{kind}-{number + 1:02}", kind, made)
    raise RuntimeError(f"{kind} {number + 1} finds no room for its things")


def cases(each: int | None = None) -> list[tuple[str, int]]:
    """Kind and number in the kind of every case; at most ``each`` of a kind."""
    return [
        (kind, number)
        for kind, count in COUNTS.items()
        for number in range(count if each is None else min(each, count))
    ]


def jpeg(image: Pixels) -> bytes:
    """A JPEG of RGB values."""
    stored = np.ascontiguousarray(image[..., ::-1])
    return bytes(cv2.imencode(".jpg", stored, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1])


def entry(made: Made) -> dict[str, Any]:
    """The case in `suite.yaml`."""
    labels = list(dict.fromkeys(label for label, _ in made.scene.objects))
    said = {label: SYNONYMS[label][0] if made.language == "zh" else label for label in LABELS}
    absent = [label for label in LABELS if label not in labels and said[label] not in made.scene.text]
    first = (len(made.scene.objects) * 5 + len(made.name) + made.scene.image.shape[1] // 80) % len(absent)
    return {
        "name": made.name,
        "inputs": {"image": made.file},
        "labels": [said[label] for label in labels],
        "objects": [{"label": said[label], "box": list(box)} for label, box in made.scene.objects],
        "description": {"required": [said[label] for label in labels], "forbidden": [said[absent[first]]]},
        "text": made.scene.text,
        "language": made.language,
        "synonyms": "synonyms.yaml",
        "slices": made.slices,
    }


def make(out: Path, *, each: int | None = None, seed: int = SEED) -> list[str]:
    """Write the whole suite below ``out``; returns the names of its cases."""
    cv2.setNumThreads(1)
    (out / "images").mkdir(parents=True, exist_ok=True)
    entries = []
    for kind, number in cases(each):
        made = make_case(kind, number, seed)
        (out / made.file).write_bytes(jpeg(made.scene.image))
        entries.append(entry(made))
    whole = {"version": 1, "family": "recognition", "cases": entries}
    head = "# Made by training/make_recognition_lite_suite.py.\n"
    write_yaml(out / "suite.yaml", head, whole)
    write_yaml(out / "synonyms.yaml", head, {"zh": SYNONYMS, "en": {label: ENGLISH.get(label, []) for label in LABELS}})
    (out / "ORIGIN.md").write_text(ORIGIN.format(seed=seed), encoding="utf-8")
    return [case["name"] for case in entries]


def write_yaml(path: Path, head: str, value: dict[str, Any]) -> None:
    """YAML with Chinese as it is."""
    text = yaml.safe_dump(value, sort_keys=False, default_flow_style=None, width=118, allow_unicode=True)
    path.write_text(head + text, encoding="utf-8")


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
