"""Train the extractor that says how far lips are apart, and write it as ONNX.

    PYTHONPATH=src python -m training.train_lip_opening --out test-assets/extractors/lip-opening.onnx

Needs PyTorch, onnx, OpenCV and SciPy. Some six minutes of one core: two for the pictures of 700 drawn people, the rest
for the network. How far off it is on people whom it has not seen: `python -m training.evaluate_lip_opening`.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import TensorProto, helper
from torch import Tensor, nn

from penstock.foundation.files import replacing
from training.lip_data import CROP_LEFT, CROP_SIDE, CROP_TOP, INPUT_SIDE, Mouths, make_mouths
from training.syncnet_model import GraphBuilder

NAME = "lip-opening"
SOFT = 0.05
"""Openings are learned as `o / (o + SOFT)`: it is the small ones that must be told from none."""
_LAYERS = ((12, 5), (24, 3), (32, 3), (48, 3))
"""Channels and kernel of the convolutions, each of stride 2."""
_EPSILON = 4.0


class LipNetwork(nn.Module):
    """From a mouth, float32 (n, 3, 60, 60) in steps of 0 to 255, to `o / (o + SOFT)`: (n,)."""

    def __init__(self) -> None:
        """Weights at random."""
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for channels, kernel in _LAYERS:
            layers += [
                nn.Conv2d(before, channels, kernel, stride=2, padding=kernel // 2, bias=False),
                nn.BatchNorm2d(channels),
                nn.ReLU(),
            ]
            before = channels
        self.picture = nn.Sequential(*layers)
        self.first = nn.Linear(before * 4 * 4, 48)
        self.last = nn.Linear(48, 1)

    def forward(self, frames: Tensor) -> Tensor:
        """As the class says."""
        centred = frames - frames.mean(dim=(2, 3), keepdim=True)
        scaled = centred / torch.sqrt((centred * centred).mean(dim=(1, 2, 3), keepdim=True) + _EPSILON)
        hidden = torch.relu(self.first(self.picture(scaled).flatten(1)))
        return torch.sigmoid(self.last(hidden)).squeeze(1)


def _varied(pictures: npt.NDArray[np.uint8], rng: np.random.Generator) -> Tensor:
    """A batch mirrored, moved, tinted, darkened and made noisy."""
    n = len(pictures)
    seen = torch.from_numpy(pictures).permute(0, 3, 1, 2).float()
    mirrored = torch.from_numpy(rng.random(n) < 0.5)
    seen[mirrored] = seen[mirrored].flip(3)
    seen = torch.roll(seen, (int(rng.integers(-3, 4)), int(rng.integers(-3, 4))), (2, 3))
    grey = torch.from_numpy(rng.random(n) < 0.3)
    seen[grey] = seen[grey].mean(dim=1, keepdim=True)
    gamma = torch.from_numpy(rng.uniform(0.6, 1.6, (n, 1, 1, 1))).float()
    tint = torch.from_numpy(rng.uniform(0.8, 1.2, (n, 3, 1, 1))).float()
    seen = 255 * (seen / 255) ** gamma * tint
    return seen + torch.randn_like(seen) * torch.from_numpy(rng.choice([0.5, 2.0, 5.0], (n, 1, 1, 1))).float()


def train(mouths: Mouths, *, epochs: int, seed: int) -> LipNetwork:
    """Fit the network."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = LipNetwork()
    wanted = torch.from_numpy(mouths.openings / (mouths.openings + SOFT))
    batch = 128
    steps = epochs * (len(wanted) // batch)
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=3e-3, total_steps=steps)
    started = time.monotonic()
    for epoch in range(epochs):
        order, total = rng.permutation(len(wanted)), 0.0
        for start in range(0, len(wanted) - batch + 1, batch):
            at = order[start : start + batch]
            loss = ((network(_varied(mouths.pictures[at], rng)) - wanted[at]) ** 2).mean()
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            total += loss.item() * batch
        print(f"epoch {epoch + 1}: {total / len(wanted):.5f}, {time.monotonic() - started:.0f} s", flush=True)
    return network.eval()


def to_onnx(network: LipNetwork) -> onnx.ModelProto:
    """The network as ONNX (opset 17): input `frames`, output `openings`."""
    graph = GraphBuilder()
    value = graph.lower_face("frames", CROP_TOP, CROP_LEFT, CROP_SIDE, INPUT_SIDE)
    value = graph.standardised(value, _EPSILON)
    layers = list(network.picture)
    for index, (_, kernel) in enumerate(_LAYERS):
        value = graph.convolution(value, layers[3 * index], layers[3 * index + 1], pad=kernel // 2)
    value = graph.add("Flatten", value)
    for layer in (network.first, network.last):
        weight, bias = (part.detach().numpy() for part in (layer.weight, layer.bias))
        value = graph.add("Gemm", value, graph.weight(weight), graph.weight(bias), attributes={"transB": 1})
        value = graph.add("Relu" if layer is network.first else "Sigmoid", value)
    # o / (o + SOFT) turned round
    one, soft = graph.weight(np.array(1.0001, np.float32)), graph.weight(np.array(SOFT, np.float32))
    opening = graph.add("Div", graph.add("Mul", value, soft), graph.add("Sub", one, value))
    graph.add("Squeeze", opening, graph.ints(1), output="openings")
    frames = helper.make_tensor_value_info("frames", TensorProto.UINT8, ["n", 224, 224, 3])
    openings = helper.make_tensor_value_info("openings", TensorProto.FLOAT, ["n"])
    built = helper.make_model(
        helper.make_graph(graph.nodes, NAME, [frames], [openings], graph.weights),
        opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="penstock-training",
    )  # fmt: skip
    helper.set_model_props(built, {"penstock.kind": "lips", "penstock.name": NAME})
    onnx.checker.check_model(built, full_check=True)
    return built


def main(argv: list[str] | None = None) -> int:
    """Draw, train, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("test-assets/extractors/lip-opening.onnx"))
    parser.add_argument("--people", type=int, default=700)
    parser.add_argument("--frames", type=int, default=24, help="of each person")
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--cache", type=Path, help="a file: the pictures are kept in it")
    parser.add_argument("--seed", type=int, default=11)
    arguments = parser.parse_args(argv)
    cv2.setNumThreads(1)
    torch.set_num_threads(2)
    cache: Path | None = arguments.cache
    if cache is not None and cache.is_file():
        kept = np.load(cache)
        mouths = Mouths(kept["p"], kept["o"])
    else:
        made = [make_mouths(seed, arguments.frames) for seed in range(arguments.people)]
        mouths = Mouths(np.concatenate([m.pictures for m in made]), np.concatenate([m.openings for m in made]))
        if cache is not None:
            np.savez(cache, p=mouths.pictures, o=mouths.openings)
    network = train(mouths, epochs=arguments.epochs, seed=arguments.seed)
    with replacing(arguments.out) as temporary:
        temporary.write_bytes(to_onnx(network).SerializeToString())
    return 0


if __name__ == "__main__":
    sys.exit(main())
