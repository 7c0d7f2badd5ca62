"""Train the networks of `test-assets/models/face-lite` on drawn people, and write them as ONNX.

    python -m training.train_face_lite                # v1.0.0: the finder, and the face network on half of the people
    python -m training.train_face_lite --go-on STATE  # v1.1.0: trained on, on all people and all odd kinds

The first writes STATE (`--state`), which the second goes on from: what it has learned of a person's place among the
vectors stays where it is, so that stored galleries can still be used. Needs PyTorch, OpenCV and onnx; some ten minutes
of one core each, and five to draw. Seeds are fixed; how threads add up is not: a new run gives networks of
the same quality, not the same bytes.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional as fn

from training.faces import networks
from training.faces.training_set import GOOD, NOBODY, Examples, examples

MODEL = Path(__file__).resolve().parents[1] / "test-assets" / "models" / "face-lite"
sys.path.insert(0, str(MODEL / "base"))
from face_lite.network import MEAN, SPREAD  # type: ignore[import-not-found]  # noqa: E402

from face_lite import align, finder  # type: ignore[import-not-found]  # noqa: E402

PEOPLE, GOOD_EACH, ODD_EACH = 900, 6, 2
FIRST_PEOPLE = 450
FIRST_KINDS = (GOOD, "blur", "low-light", "mask", "screen")
"""What v1.0.0 learned the quality from; v1.1.0 saw the other kinds, too."""
BATCH = 64
SCALE, MARGIN = 24.0, 0.3
"""Of the cosines that people are told apart by (CosFace)."""
MILD = 0.5
"""Up to this severity an odd photograph says who it is."""
FADE = 1.25
"""So fast does quality fall with severity."""
WEIGHTS = ("weights/face-lite.onnx", "weights/finder.onnx")

Floats = npt.NDArray[np.float32]


def tensor(images: list[npt.NDArray[np.uint8]]) -> torch.Tensor:
    """What the networks see."""
    values = (np.stack(images).astype(np.float32) / 255 - MEAN) / SPREAD
    return torch.from_numpy(np.ascontiguousarray(values.transpose(0, 3, 1, 2), np.float32))


def crops(found: Examples, chosen: npt.NDArray[np.int64], rng: np.random.Generator) -> torch.Tensor:
    """Aligned faces, not quite as they should be, lighter or darker."""
    made = []
    for index in chosen:
        moved = found.landmarks[index] + rng.normal(size=(3, 2)) * 0.018 * found.boxes[index, 3]
        crop = align.aligned(found.images[index], moved)
        made.append(cv2.convertScaleAbs(crop, alpha=float(rng.uniform(0.9, 1.1)), beta=float(rng.uniform(-6, 6))))
    return tensor(made)


def scene(found: Examples, rng: np.random.Generator) -> tuple[npt.NDArray[np.uint8], Floats]:
    """A picture of 96 x 96 with one face, up to four, or none; and what the finder's cells should say, (11, 12, 12)."""
    side = finder.SIDE
    canvas = np.full((side, side, 3), finder.GREY, np.uint8)
    cells = np.zeros((11, finder.CELLS, finder.CELLS), np.float32)
    if rng.random() < 0.6:
        size = int(rng.integers(70, side + 1)) if rng.random() < 0.5 else side
        places = [((side - size) // 2 if rng.random() < 0.5 else 0, 0, size)]
    else:
        places = [(x, y, side // 2) for x in (0, side // 2) for y in (0, side // 2)]
    for left, top, size in places:
        index = int(rng.integers(len(found.who)))
        while found.kinds[index] == "several-faces":
            index = int(rng.integers(len(found.who)))
        small = cv2.resize(found.images[index], (size, size), interpolation=cv2.INTER_AREA)
        canvas[top : top + size, left : left + size] = small
        if found.who[index] == NOBODY:
            continue
        factor = size / found.images.shape[1]
        x, y, wide, high = found.boxes[index] * factor
        middle = np.array([left + x + wide / 2, top + y + high / 2]) / finder.CELL
        column, row = np.clip(middle.astype(int), 0, finder.CELLS - 1)
        corner = np.array([column + 0.5, row + 0.5])
        marks = (found.landmarks[index] * factor + (left, top)) / finder.CELL - corner
        cells[:, row, column] = [
            1,
            *(middle - corner),
            *np.log([wide / finder.CELL, high / finder.CELL]),
            *marks.ravel(),
        ]
    return canvas, cells


def train_finder(found: Examples, steps: int) -> networks.FinderNetwork:
    """Learn where faces are."""
    torch.manual_seed(1)
    rng, network = np.random.default_rng(1), networks.FinderNetwork()
    optimiser, schedule = learning(network.parameters(), 4e-3, steps)
    for step in range(steps):
        made = [scene(found, rng) for _ in range(BATCH)]
        wanted = torch.from_numpy(np.stack([cells for _, cells in made]))
        said = network(tensor([image for image, _ in made]))
        here = wanted[:, 0]
        near = fn.max_pool2d(here[:, None], 3, 1, 1)[:, 0] - here  # beside the middle either answer will do
        weight = (1 + 4 * here) * (1 - 0.9 * near)
        sure = (weight * fn.binary_cross_entropy_with_logits(said[:, 0], here, reduction="none")).sum() / BATCH
        off = (fn.smooth_l1_loss(said[:, 1:], wanted[:, 1:], reduction="none", beta=0.2) * here[:, None]).sum()
        advance(optimiser, schedule, sure + off / here.sum().clamp(min=1), step, "finder")
    return network.eval()


def train_face(
    found: Examples, kinds: tuple[str, ...], people: int, steps: int, rate: float, state: dict[str, torch.Tensor] | None
) -> tuple[networks.FaceNetwork, torch.Tensor]:
    """Learn who somebody is, and how good a photograph is; returns the network, and each person's place.

    state: of an earlier network, whose people keep their places.
    """
    torch.manual_seed(2)
    rng, network = np.random.default_rng(2), networks.FaceNetwork()
    places = nn.Parameter(torch.randn(people, networks.FEATURE) * 0.05)
    kept = 0
    if state is not None:
        kept = len(state["places"])
        places.data[:kept] = state["places"]
        network.load_state_dict({name: value for name, value in state.items() if name != "places"})
    usable = (found.who < people) & (found.who != NOBODY) & (found.kinds != "several-faces")
    told = np.flatnonzero(usable & (found.severity < MILD))
    judged = np.flatnonzero(usable & np.isin(found.kinds, kinds) & (found.severity > 0))
    optimiser, schedule = learning([*network.parameters(), places], rate, steps)
    for step in range(steps):
        chosen = np.concatenate([rng.choice(told, BATCH * 3 // 4), rng.choice(judged, BATCH // 4)])
        features, certainty = network(crops(found, chosen, rng))
        anchors = torch.cat([places[:kept].detach(), places[kept:]])
        cosines = fn.normalize(features) @ fn.normalize(anchors).T
        who = torch.from_numpy(found.who[chosen])
        told_apart = fn.cross_entropy(SCALE * (cosines - MARGIN * fn.one_hot(who, people)), who, reduction="none")
        clear = torch.from_numpy((found.severity[chosen] < MILD).astype(np.float32))
        known = torch.from_numpy(np.isin(found.kinds[chosen], kinds).astype(np.float32))
        quality = torch.from_numpy(np.clip(1 - FADE * found.severity[chosen], 0, 1).astype(np.float32))
        judgement = fn.binary_cross_entropy_with_logits(certainty[:, 0], quality, reduction="none")
        loss = (clear * told_apart).sum() / clear.sum() + 1.5 * (known * judgement).sum() / known.sum()
        advance(optimiser, schedule, loss, step, "face")
    return network.eval(), places.detach()


def learning(parameters: object, rate: float, steps: int) -> tuple[torch.optim.Optimizer, object]:
    """AdamW whose rate rises and falls once."""
    optimiser = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.02)  # type: ignore[arg-type]
    return optimiser, torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps, pct_start=0.2)


def advance(optimiser: torch.optim.Optimizer, schedule: object, loss: torch.Tensor, step: int, what: str) -> None:
    """One step down."""
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()
    schedule.step()  # type: ignore[attr-defined]
    if step % 50 == 0:
        print(f"{what} {step:5} {loss.item():.3f} {time.strftime('%H:%M:%S')}", flush=True)


def main(argv: list[str] | None = None) -> int:
    """Train and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, help="where the weights go; by default the release's place")
    parser.add_argument("--state", type=Path, default=Path("face-lite.pt"))
    parser.add_argument("--go-on", type=Path, metavar="STATE")
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--finder-steps", type=int, default=700)
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    found = examples(PEOPLE, GOOD_EACH, ODD_EACH)
    face_file, finder_file = WEIGHTS
    if arguments.go_on:
        out = arguments.out or MODEL / "releases" / "v1.1.0"
        kinds = tuple(sorted(set(found.kinds.tolist())))
        state = torch.load(arguments.go_on)
        network, _ = train_face(found, kinds, PEOPLE, arguments.steps, 2e-3, state)
    else:
        out = arguments.out or MODEL / "base"
        networks.save_finder(train_finder(found, arguments.finder_steps), out / finder_file)
        network, places = train_face(found, FIRST_KINDS, FIRST_PEOPLE, arguments.steps, 4e-3, None)
        torch.save({**network.state_dict(), "places": places}, arguments.state)
    networks.save_face(network, out / face_file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
