"""Train the network of objects of `test-assets/models/recognition-lite` on drawn pictures.

    python -m training.train_recognition_lite --cache DIR            # v1.0.0
    python -m training.train_recognition_lite --cache DIR --go-on    # v1.1.0: v1.0.0's, trained on over new pictures

Seeds are fixed; a machine with other threads gives a network of the same quality, not the same bytes. The network of
characters is fitted by `training.fit_recognition_glyphs`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional as fn

MODEL = Path(__file__).resolve().parents[1] / "test-assets" / "models" / "recognition-lite"
sys.path.insert(0, str(MODEL / "base"))

from recognition_lite.objects import STRIDE, Finder, Found, overlap  # noqa: E402

from recognition_lite import picture  # noqa: E402 (the model's own code: what it will see)
from training.recognition import scenes  # noqa: E402
from training.recognition.network_file import Layer, write_network  # noqa: E402
from training.recognition.things import LABELS  # noqa: E402

OBJECT_LAYERS = (
    Layer("one", "seen", (3, 32), side=4, stride=4, pad=0),
    Layer("two", "one", (32, 48), stride=2),
    Layer("three", "two", (48, 48)),
    Layer("four", "three", (48, 48), dilation=2),
    Layer("five", "four", (48, 48), dilation=3),
    Layer("heat", "five", (48, len(LABELS)), side=1, relu=False),
    Layer("edges", "five", (48, 4), side=1, relu=False),
)
SPLIT = 0.15
"""Cells within this of a box's side from its middle belong to it."""
BATCH, RATE = 8, 4e-3
CALIBRATED_ON = 200
"""Pictures that confidences are fitted on."""
LEAST = 0.3
"""What is less sure than this is not answered."""

Floats = npt.NDArray[np.float32]
Batches = Iterator[tuple[torch.Tensor, ...]]


class Network(nn.Module):
    """A list of layers; each but the last ones is normalised while it learns."""

    def __init__(self, layers: tuple[Layer, ...], outputs: tuple[str, ...]) -> None:
        """outputs: the layers that are answers."""
        super().__init__()
        self.layers, self.outputs = layers, outputs
        self.convolutions = nn.ModuleDict()
        self.norms = nn.ModuleDict()
        for layer in layers:
            self.convolutions[layer.name] = nn.Conv2d(
                *layer.channels, layer.side, layer.stride, layer.padding, layer.dilation
            )
            if layer.relu:
                self.norms[layer.name] = nn.BatchNorm2d(layer.channels[1])

    def forward(self, seen: torch.Tensor) -> list[torch.Tensor]:
        """The outputs."""
        found = {"seen": seen}
        for layer in self.layers:
            value = self.convolutions[layer.name](found[layer.source])
            found[layer.name] = fn.relu(self.norms[layer.name](value)) if layer.relu else value
        return [found[name] for name in self.outputs]

    def tensors(self) -> dict[str, Floats]:
        """Weights and biases with the normalisation in them."""
        found = {}
        for layer in self.layers:
            convolution = self.convolutions[layer.name]
            weight, bias = convolution.weight.detach(), convolution.bias.detach()
            if layer.relu:
                norm = self.norms[layer.name]
                gain = norm.weight.detach() / torch.sqrt(norm.running_var + norm.eps)
                weight = weight * gain[:, None, None, None]
                bias = (bias - norm.running_mean) * gain + norm.bias.detach()
            found[f"{layer.name}.weight"], found[f"{layer.name}.bias"] = weight.numpy(), bias.numpy()
        return found


def examples(count: int, first: int) -> tuple[npt.NDArray[np.float16], Floats, npt.NDArray[np.uint8], Floats]:
    """Pictures as the network sees them; heat, whether a cell is of a box, and its sides, of each."""
    rows, columns = picture.HEIGHT // STRIDE, picture.WIDTH // STRIDE
    seen = np.empty((count, 3, picture.HEIGHT, picture.WIDTH), np.float16)
    heat = np.zeros((count, len(LABELS), rows, columns), np.float32)
    inside = np.zeros((count, rows, columns), np.uint8)
    edges = np.zeros((count, 4, rows, columns), np.float32)
    y, x = np.mgrid[:rows, :columns].astype(np.float32) + np.float32(0.5)
    for number in range(count):
        rng = np.random.default_rng([23, first + number])
        size = scenes.SIZES[0] if rng.random() < 0.8 else scenes.SIZES[int(rng.integers(len(scenes.SIZES)))]
        made = scenes.random_scene(rng, size)
        seen[number] = picture.to_network(made.image)[0]
        scale = picture.scale_of(size[1], size[0]) / STRIDE
        for label, box in sorted(made.objects, key=lambda one: -one[1][2] * one[1][3]):
            left, top, width, height = (side * scale for side in box)
            middle = (left + width / 2, top + height / 2)
            spread = [max(0.5, 0.12 * side) for side in (width, height)]
            bump = np.exp(-(((x - middle[0]) / spread[0]) ** 2 + ((y - middle[1]) / spread[1]) ** 2) / 2)
            at = int(middle[1]), int(middle[0])
            bump[at] = 1
            np.maximum(heat[number, LABELS.index(label)], bump, out=heat[number, LABELS.index(label)])
            near = (abs(x - middle[0]) <= SPLIT * width) & (abs(y - middle[1]) <= SPLIT * height)
            near[at] = True
            inside[number][near] = 1
            sides = np.stack([x - left, y - top, left + width - x, top + height - y])
            edges[number][:, near] = np.log(np.maximum(sides, 0.06))[:, near]
    return seen, heat, inside, edges


def object_batches(
    made: tuple[npt.NDArray[np.float16], Floats, npt.NDArray[np.uint8], Floats], rng: np.random.Generator, batch: int
) -> Batches:
    """Pictures in another order each time, some turned round, with other colours."""
    while True:
        chosen = rng.integers(0, len(made[0]), batch)
        seen, heat, inside, edges = (part[chosen].astype(np.float32) for part in made)
        seen *= rng.uniform(0.8, 1.2, (batch, 3, 1, 1)).astype(np.float32)
        seen += rng.uniform(-0.3, 0.3, (batch, 3, 1, 1)).astype(np.float32)
        if rng.random() < 0.5:
            seen = seen[:, rng.permutation(3)]
        if rng.random() < 0.5:
            seen, heat, inside, edges = (part[..., ::-1] for part in (seen, heat, inside, edges))
            edges = edges[:, [2, 1, 0, 3]]
        yield tuple(torch.from_numpy(np.ascontiguousarray(part)) for part in (seen, heat, inside, edges))


def object_loss(network: Network, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """Focal loss of the heat (Zhou et al., Objects as Points, 2019), absolute error of the sides' logarithms."""
    seen, wanted, inside, edges = batch
    heat, sides = network(seen)
    likely = torch.sigmoid(heat).clamp(1e-5, 1 - 1e-5)
    is_middle = (wanted > 0.999).float()
    hit = -is_middle * (1 - likely) ** 2 * torch.log(likely)
    missed = -(1 - is_middle) * (1 - wanted) ** 4 * likely**2 * torch.log(1 - likely)
    off = (fn.smooth_l1_loss(sides, edges, reduction="none", beta=0.1).sum(1) * inside).sum() / inside.sum().clamp(1)
    return (hit + missed).sum() / is_middle.sum().clamp(1) + 2 * off


def train(
    network: Network,
    feed: Batches,
    measure: Callable[[Network, tuple[torch.Tensor, ...]], torch.Tensor],
    *,
    steps: int,
    rate: float,
) -> None:
    """Train, and say how it goes."""
    network.train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=rate, total_steps=steps, pct_start=0.15)
    start, total = time.monotonic(), 0.0
    for step in range(1, steps + 1):
        value = measure(network, next(feed))
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        schedule.step()
        total += value.item()
        if step % 25 == 0:
            facts = {"step": step, "loss": round(total / 25, 4), "s": round(time.monotonic() - start)}
            print(json.dumps(facts), flush=True)
            total = 0.0
    network.eval()


def write_objects(path: Path, network: Network, first: int, count: int) -> None:
    """The network of objects, its confidences fitted to how often it is right on pictures it has not seen."""
    facts = {"labels": list(LABELS), "least": 0.0, "calibration": [1.0, 0.0]}
    write_network(path, "objects", OBJECT_LAYERS, ("heat", "edges"), network.tensors(), facts)
    finder = Finder(path)
    confidences, right = [], []
    for number in range(count):
        rng = np.random.default_rng([29, first + number])
        made = scenes.random_scene(rng, scenes.SIZES[number % len(scenes.SIZES)])
        for found in finder.find(made.image):
            confidences.append(found.confidence)
            right.append(matched(found, made))
    likely = np.clip(np.array(confidences), 1e-6, 1 - 1e-6)
    slope, shift = calibrated(np.log(likely / (1 - likely)), np.array(right, float))
    facts |= {"least": LEAST, "calibration": [round(slope, 4), round(shift, 4)]}
    write_network(path, "objects", OBJECT_LAYERS, ("heat", "edges"), network.tensors(), facts)
    print(json.dumps({"calibration": facts["calibration"], "bytes": path.stat().st_size}), flush=True)


def matched(found: Found, made: scenes.Scene) -> bool:
    """Whether a thing of this label is there."""
    return any(label == found.label and overlap(found.box, box) >= 0.5 for label, box in made.objects)


def calibrated(logits: npt.NDArray[np.float64], right: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Slope and shift of the logistic curve through what was right (Platt 1999), by Newton's method."""
    at = np.array([1.0, 0.0])
    inputs = np.stack([logits, np.ones_like(logits)], axis=1)
    for _ in range(50):
        likely = 1 / (1 + np.exp(-inputs @ at))
        slope = inputs.T @ (likely - right) + 1e-3 * (at - [1, 0])
        bend = (inputs * (likely * (1 - likely))[:, None]).T @ inputs + 1e-3 * np.eye(2)
        at = at - np.linalg.solve(bend, slope)
    return float(at[0]), float(at[1])


def main(argv: list[str] | None = None) -> int:
    """Draw, train, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=MODEL)
    parser.add_argument("--cache", type=Path, required=True, help="where its state is kept, to go on from")
    parser.add_argument("--examples", type=int, default=900)
    parser.add_argument("--steps", type=int, default=700)
    parser.add_argument("--go-on", action="store_true", help="start from v1.0.0: v1.1.0")
    arguments = parser.parse_args(argv)
    torch.manual_seed(5)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    go_on: bool = arguments.go_on
    state = arguments.cache / "objects.pt"
    network = Network(OBJECT_LAYERS, ("heat", "edges"))
    with torch.no_grad():
        network.convolutions["heat"].bias.fill_(-4.0)
    if go_on:
        network.load_state_dict(torch.load(state, weights_only=True))
    made = examples(arguments.examples, arguments.examples if go_on else 0)
    feed = object_batches(made, np.random.default_rng([5, int(go_on)]), BATCH)
    train(network, feed, object_loss, steps=arguments.steps, rate=RATE / 2 if go_on else RATE)
    arguments.cache.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), arguments.cache / ("objects-further.pt" if go_on else "objects.pt"))
    path = arguments.out / ("releases/v1.1.0" if go_on else "base") / "weights" / "objects.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_objects(path, network, 0, CALIBRATED_ON)
    return 0


if __name__ == "__main__":
    sys.exit(main())
