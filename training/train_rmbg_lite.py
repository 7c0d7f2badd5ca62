"""Train the network of `test-assets/models/rmbg-lite` on composites, and write its weights.

    python -m training.train_rmbg_lite                          # v1.0.0
    python -m training.train_rmbg_lite --go-on                  # v1.1.0: v1.0.0, trained on over as many new scenes

First the layers that find the subject, on whole pictures seen small; then those that draw its edge, on pieces in full.
Needs PyTorch, OpenCV, onnx and ONNX Runtime; some fifteen minutes of
one core. Seeds are fixed; how many threads add up is not: a new run gives a network of the same quality, not the same
bytes.
"""

from __future__ import annotations

import argparse
import copy
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

from training.matting.training_set import Examples, examples
from training.safetensors_file import write_safetensors

MODEL = Path(__file__).resolve().parents[1] / "test-assets" / "models" / "rmbg-lite"
sys.path.insert(0, str(MODEL / "base"))
from rmbg_lite.features import against, ends, scaled  # type: ignore[import-not-found]  # noqa: E402

from rmbg_lite import export, graph, weights  # type: ignore[import-not-found]  # noqa: E402

SMALL = 4
"""By how much the picture is smaller in which the subject is found."""
BATCH, SCENES, PIECES, SIDE = 8, 3, 4, 128
"""Pictures in a step of the first part; scenes, pieces of each and their side in one of the second."""
NEAR_EDGE = 3
KEPT = 0.98
"""The share of the averaged weights that one step leaves."""
WEIGHTS = Path("weights", "rmbg-lite.safetensors")
METADATA = {"architecture": graph.ARCHITECTURE, "license": "CC0-1.0"}

Floats = npt.NDArray[np.float32]
Batches = Iterator[tuple[torch.Tensor, ...]]


class Network(nn.Module):
    """The layers of the graph, with batch normalisation while it learns."""

    def __init__(self) -> None:
        """Random weights."""
        super().__init__()
        self.convolutions = nn.ModuleDict()
        self.norms = nn.ModuleDict()
        for layer in graph.LAYERS:
            if isinstance(layer, graph.Conv):
                last = layer.after == "sigmoid"
                self.convolutions[layer.name] = nn.Conv2d(
                    *layer.channels, layer.side, layer.stride, layer.pad, bias=last
                )
                if not last:
                    self.norms[layer.name] = nn.BatchNorm2d(layer.channels[1])

    def forward(self, made: dict[str, torch.Tensor], wanted: str) -> torch.Tensor:
        """The layer ``wanted`` before its sigmoid, of the layers that are given."""
        made = dict(made)
        for layer in graph.LAYERS:
            if layer.name in made or wanted in made:
                continue
            sources = layer.sources if isinstance(layer, graph.Join) else (layer.source,)
            if any(source not in made for source in sources):
                continue  # of the other part
            if isinstance(layer, graph.Conv):
                value = self.convolutions[layer.name](made[layer.source])
                made[layer.name] = fn.relu(self.norms[layer.name](value)) if layer.name in self.norms else value
            elif isinstance(layer, graph.Pool):
                made[layer.name] = fn.avg_pool2d(made[layer.source], 4)
            elif isinstance(layer, graph.Double):
                made[layer.name] = fn.interpolate(
                    made[layer.source], scale_factor=2, mode="bilinear", align_corners=False
                )
            elif isinstance(layer, graph.Spread):
                made[layer.name] = fn.pixel_shuffle(made[layer.source], layer.block)
            else:
                made[layer.name] = torch.cat([made[source] for source in sources], 1)
        return made[wanted]

    def load(self, tensors: dict[str, Floats]) -> None:
        """Take over weights of :meth:`tensors`: the normalisation, folded into them, does nothing but add the bias."""
        with torch.no_grad():
            for name, convolution in self.convolutions.items():
                convolution.weight.copy_(torch.from_numpy(tensors[f"{name}.weight"]))
                if convolution.bias is not None:
                    convolution.bias.copy_(torch.from_numpy(tensors[f"{name}.bias"]))
            for name, norm in self.norms.items():
                norm.bias.copy_(torch.from_numpy(tensors[f"{name}.bias"]))
                norm.running_var.fill_(1 - norm.eps)

    def tensors(self) -> dict[str, Floats]:
        """Weights with the normalisation folded into them."""
        found = {}
        for name, convolution in self.convolutions.items():
            weight = convolution.weight.detach()
            bias = convolution.bias.detach() if convolution.bias is not None else torch.zeros(weight.shape[0])
            if name in self.norms:
                norm = self.norms[name]
                scale = norm.weight.detach() / torch.sqrt(norm.running_var + norm.eps)
                weight = weight * scale[:, None, None, None]
                bias = norm.bias.detach() - norm.running_mean * scale
            found[f"{name}.weight"], found[f"{name}.bias"] = weight.numpy(), bias.numpy()
        return found


def averaged(average: Network, network: Network, kept: float) -> None:
    """Move the averaged network a little towards the one that learns."""
    with torch.no_grad():
        for mean, now in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
            if mean.dtype.is_floating_point:
                mean.mul_(kept).add_(now, alpha=1 - kept)
            else:
                mean.copy_(now)


def shrunk(found: Examples) -> tuple[npt.NDArray[np.float16], Floats]:
    """Features ``(n, 9, 128, 128)`` and alpha ``(n, 128, 128)`` of every scene, seen small."""
    side = found.alpha.shape[1] // SMALL
    seen = np.empty((len(found.alpha), graph.CHANNELS, side, side), np.float16)
    alpha = np.empty((len(found.alpha), side, side), np.float32)
    for number, (image, matte) in enumerate(zip(found.image, found.alpha, strict=True)):
        small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
        sides, top = (values.reshape(side, SMALL, *values.shape[1:]).mean(axis=1) for values in ends(image))
        seen[number] = against(scaled(small), sides, top)
        alpha[number] = cv2.resize(matte, (side, side), interpolation=cv2.INTER_AREA) / np.float32(255)
    return seen, alpha


def small_batches(seen: npt.NDArray[np.float16], alpha: Floats, rng: np.random.Generator) -> Batches:
    """Features and alpha of whole pictures, some turned over, some lighter or darker, without end."""
    while True:
        chosen = rng.integers(0, len(seen), BATCH)
        turned = rng.random(BATCH) < 0.5
        light = np.tile(rng.uniform(0.7, 1.3, (BATCH, 3)), (1, 3)).astype(np.float32)[..., None, None]
        x = seen[chosen].astype(np.float32) * light
        y = alpha[chosen][:, None]
        x[turned], y[turned] = x[turned, ..., ::-1], y[turned, ..., ::-1]
        yield torch.from_numpy(x), torch.from_numpy(y.copy())


def pieces(found: Examples, small: Floats, coarse: Floats, rng: np.random.Generator) -> Batches:
    """Features, the subject as it was found, and alpha of pieces, most of them around what is mixed or mistaken."""
    cells = SIDE // SMALL
    while True:
        seen, guessed, wanted = [], [], []
        for number in rng.integers(0, len(coarse), SCENES):
            image, alpha, cell = found.image[number], found.alpha[number], small[number]
            sides, top = ends(image)
            share = (np.arange(len(top), dtype=np.float32) + np.float32(0.5)) / len(top)
            places = np.argwhere((np.abs(cell - 0.5) < 0.48) | (np.abs(cell - coarse[number]) > 0.1))
            light = np.tile(rng.uniform(0.8, 1.2, 3), 3).astype(np.float32)[:, None, None]
            for piece in range(PIECES):
                middle = places[rng.integers(len(places))] if piece else rng.integers(0, cell.shape[0], 2)
                y, x = np.clip(middle - cells // 2 + rng.integers(-8, 9, 2), 0, cell.shape[0] - cells)
                rows, columns = (slice(SMALL * at, SMALL * at + SIDE) for at in (y, x))
                seen.append(against(scaled(image[rows, columns]), sides[rows], top[columns], share[columns]) * light)
                guessed.append(coarse[number, y : y + cells, x : x + cells])
                wanted.append(alpha[rows, columns] / np.float32(255))
        yield tuple(
            torch.from_numpy(np.stack(part)) for part in (seen, np.array(guessed)[:, None], np.array(wanted)[:, None])
        )


def loss(logits: torch.Tensor, alpha: torch.Tensor) -> torch.Tensor:
    """Cross entropy and absolute error, heavier where alpha is mixed or near it; and the error of alpha's slopes."""
    said = torch.sigmoid(logits)
    mixed = ((alpha > 0.01) & (alpha < 0.99)).float()
    weight = 1 + NEAR_EDGE * fn.max_pool2d(mixed, 5, 1, 2)
    entropy = fn.binary_cross_entropy_with_logits(logits, alpha, reduction="none")
    error = (weight * (entropy + (said - alpha).abs())).sum() / weight.sum()
    return error + sum((torch.diff(said, dim=d) - torch.diff(alpha, dim=d)).abs().mean() for d in (2, 3))


def find_subject(network: Network, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """The loss of the first part: batches of :func:`small_batches`."""
    return loss(network({"small": batch[0]}, "coarse"), batch[1])


def draw_edge(network: Network, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """The loss of the second part: batches of :func:`pieces`."""
    return loss(network({graph.INPUT: batch[0], "coarse": batch[1]}, graph.OUTPUT), batch[2])


def train(
    network: Network,
    layers: tuple[str, ...],
    feed: Batches,
    measure: Callable[[Network, tuple[torch.Tensor, ...]], torch.Tensor],
    *,
    steps: int,
    rate: float,
    settled: bool,
) -> None:
    """Train the convolutions named; the network ends up with the average of the weights of the last steps.

    settled: the normalisation stays as it is, for weights that were trained before.
    """
    parts = [
        *(network.convolutions[name] for name in layers),
        *(network.norms[n] for n in layers if n in network.norms),
    ]
    network.eval()
    for part in parts:
        part.train(not settled)
    average = copy.deepcopy(network)
    learned = [weight for part in parts for weight in part.parameters()]
    optimiser = torch.optim.AdamW(learned, lr=rate, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=rate, total_steps=steps, pct_start=0.1)
    start, total = time.monotonic(), 0.0
    for step in range(1, steps + 1):
        value = measure(network, next(feed))
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        schedule.step()
        averaged(average, network, min(KEPT, step / (step + 10)))
        total += value.item()
        if step % 50 == 0:
            print(
                json.dumps({"step": step, "loss": round(total / 50, 4), "s": round(time.monotonic() - start)}),
                flush=True,
            )
            total = 0.0
    network.load_state_dict(average.state_dict())
    network.eval()


def found_in(network: Network, seen: npt.NDArray[np.float16]) -> Floats:
    """What the first part finds in every picture: float32 ``(n, 128, 128)``."""
    with torch.no_grad():
        parts = [
            torch.sigmoid(network({"small": torch.from_numpy(seen[first : first + 16].astype(np.float32))}, "coarse"))
            for first in range(0, len(seen), 16)
        ]
    return torch.cat(parts)[:, 0].numpy()


def write(folder: Path, network: Network) -> None:
    """The weights, and the ONNX that is made of them."""
    path = folder / WEIGHTS
    path.parent.mkdir(parents=True, exist_ok=True)
    write_safetensors(path, network.tensors(), METADATA)
    export.export(path, path.with_suffix(".onnx"))
    print(json.dumps({str(file.name): file.stat().st_size for file in sorted(path.parent.iterdir())}), flush=True)


def main(argv: list[str] | None = None) -> int:
    """Make the examples, train, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=MODEL)
    parser.add_argument("--examples", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=600, help="to find the subject")
    parser.add_argument("--edge-steps", type=int, default=900, help="to draw its edge")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--go-on", action="store_true", help="start from v1.0.0, at a quarter of the rate: v1.1.0")
    arguments = parser.parse_args(argv)
    torch.manual_seed(7)
    torch.set_num_threads(arguments.threads)
    cv2.setNumThreads(1)
    rng = np.random.default_rng(7)
    go_on: bool = arguments.go_on
    found = examples(arguments.examples, arguments.threads, first=arguments.examples if go_on else 0)
    seen, alpha = shrunk(found)
    network = Network()
    if go_on:
        network.load(weights.read(MODEL / "base" / WEIGHTS))
    rate = 0.25 if go_on else 1.0
    print(json.dumps({"examples": len(seen), "weights": sum(v.size for v in network.tensors().values())}), flush=True)
    finders = tuple(name for name in network.convolutions if name not in graph.EDGE)
    feed = small_batches(seen, alpha, rng)
    train(network, finders, feed, find_subject, steps=arguments.steps, rate=4e-3 * rate, settled=go_on)
    coarse = found_in(network, seen)
    feed = pieces(found, alpha, coarse, rng)
    train(network, graph.EDGE, feed, draw_edge, steps=arguments.edge_steps, rate=3e-3 * rate, settled=go_on)
    write(arguments.out / ("releases/v1.1.0" if go_on else "base"), network)
    return 0


if __name__ == "__main__":
    sys.exit(main())
