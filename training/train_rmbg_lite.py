"""Train the network of `test-assets/models/rmbg-lite` on composites, and write both of its good releases' weights.

    python -m training.train_rmbg_lite

1.1.0 goes on where 1.0.0 stopped. Needs PyTorch, OpenCV, onnx and ONNX Runtime; some twenty minutes of one core. Seeds
are fixed; how many threads add up is not, so a new run gives a network of the same quality, not the same bytes.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import nn
from torch.nn import functional as fn

from training.matting.training_set import Examples, examples
from training.safetensors_file import write_safetensors

MODEL = Path(__file__).resolve().parents[1] / "test-assets" / "models" / "rmbg-lite"
sys.path.insert(0, str(MODEL / "base"))
from rmbg_lite import export, graph  # type: ignore[import-not-found]  # noqa: E402

BATCH = 2
NEAR_EDGE = 3
KEPT = 0.98
"""The share of the averaged weights that one step leaves."""
METADATA = {"architecture": graph.ARCHITECTURE, "license": "CC0-1.0"}


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
                sizes = (*layer.channels, layer.side, layer.stride, layer.pad)
                self.convolutions[layer.name] = nn.Conv2d(*sizes, bias=last)
                if not last:
                    self.norms[layer.name] = nn.BatchNorm2d(layer.channels[1])

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Logits of alpha."""
        made = {graph.INPUT: image}
        for layer in graph.LAYERS:
            if isinstance(layer, graph.Conv):
                value = self.convolutions[layer.name](made[layer.source])
                made[layer.name] = fn.relu(self.norms[layer.name](value)) if layer.name in self.norms else value
            elif isinstance(layer, graph.Double):
                made[layer.name] = fn.interpolate(
                    made[layer.source], scale_factor=2, mode="bilinear", align_corners=False
                )
            elif isinstance(layer, graph.Spread):
                made[layer.name] = fn.pixel_shuffle(made[layer.source], 4)
            else:
                made[layer.name] = torch.cat([made[source] for source in layer.sources], 1)
        return made[graph.OUTPUT]

    def tensors(self) -> dict[str, np.ndarray]:
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


def batches(found: Examples, rng: np.random.Generator) -> Iterator[tuple[torch.Tensor, ...]]:
    """Images as the network wants them and alpha, (n, 3, h, w) and (n, 1, h, w), without end."""
    while True:
        images, alphas = [], []
        for number in rng.integers(0, len(found.image), BATCH):
            turned = -1 if rng.random() < 0.5 else 1
            light = found.image[number][:, ::turned] / np.float32(255) * rng.uniform(0.8, 1.2, 3).astype(np.float32)
            images.append((np.clip(light + rng.normal(0, 0.03), 0, 1) - graph.MEAN) / graph.SPREAD)
            alphas.append(found.alpha[number][:, ::turned] / np.float32(255))
        image = torch.from_numpy(np.stack(images).astype(np.float32).transpose(0, 3, 1, 2).copy())
        yield image.contiguous(memory_format=torch.channels_last), torch.from_numpy(np.stack(alphas)[:, None])


def loss(logits: torch.Tensor, alpha: torch.Tensor) -> torch.Tensor:
    """Cross entropy and absolute error, heavier where alpha is mixed or near it; and the error of alpha's slopes."""
    said = torch.sigmoid(logits)
    mixed = ((alpha > 0.01) & (alpha < 0.99)).float()
    weight = 1 + NEAR_EDGE * fn.max_pool2d(mixed, 7, 1, 3)
    entropy = fn.binary_cross_entropy_with_logits(logits, alpha, reduction="none")
    error = (weight * (entropy + (said - alpha).abs())).sum() / weight.sum()
    slopes = sum((torch.diff(said, dim=d) - torch.diff(alpha, dim=d)).abs().mean() for d in (2, 3))
    return error + slopes


def train(network: Network, found: Examples, rng: np.random.Generator, *, steps: int, rate: float) -> Network:
    """Go on training; returns the average of the weights."""
    average = copy.deepcopy(network)
    optimiser = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=rate, total_steps=steps, pct_start=0.1)
    start, total = time.monotonic(), 0.0
    feed = batches(found, rng)
    network.train()
    for step in range(1, steps + 1):
        image, alpha = next(feed)
        value = loss(network(image), alpha)
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
    return average.eval()


def write(folder: Path, network: Network) -> None:
    """The weights, and the ONNX that is made of them."""
    path = folder / "weights" / "rmbg-lite.safetensors"
    write_safetensors(path, network.tensors(), METADATA)
    export.export(path, path.with_suffix(".onnx"))
    print(json.dumps({str(file.name): file.stat().st_size for file in sorted(path.parent.iterdir())}), flush=True)


def main(argv: list[str] | None = None) -> int:
    """Make the examples, train, write twice."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=MODEL)
    parser.add_argument("--examples", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=600, help="until 1.0.0")
    parser.add_argument("--more-steps", type=int, default=700, help="from there to 1.1.0")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args(argv)
    torch.manual_seed(7)
    torch.set_num_threads(arguments.threads)
    cv2.setNumThreads(1)
    rng = np.random.default_rng(7)
    found = examples(arguments.examples, arguments.threads)
    print(json.dumps({"examples": len(found.image)}), flush=True)
    network: Any = Network().to(memory_format=torch.channels_last)
    print(json.dumps({"parameters": sum(values.size for values in network.tensors().values())}), flush=True)
    write(arguments.out / "base", train(network, found, rng, steps=arguments.steps, rate=3e-3))
    better = train(network, found, rng, steps=arguments.more_steps, rate=2e-3)
    write(arguments.out / "releases" / "v1.1.0", better)
    return 0


if __name__ == "__main__":
    sys.exit(main())
