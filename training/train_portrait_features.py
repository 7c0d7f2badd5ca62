"""Train ``portrait-features``, the small stand-in for Inception (``python -m training.train_portrait_features``).

A small convolutional network learns, from drawn talkers only, who it sees, how the mouth is shaped, what colours there
are, and how strongly the picture is spoiled (`training.degradations`). Its 64 features, from which all of that can be
read linearly, move with the content and the quality of a portrait; so a Fréchet distance on them does too. It stands in
for the published network where that cannot be had, and is named for what it is. Needs torch and onnx.

Prints, and writes to ``--report`` as JSON, how the Fréchet distance rises with each degradation on people whom the
network has not seen.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn import functional

from penstock.metrics.frechet import frechet_distance
from training.degradations import KINDS, Image
from training.talker import Face, render

NAME = "portrait-features"
SIDE = 128
FEATURES = 64
WIDTHS = ((3, 24, 2), (24, 32, 2), (32, 48, 1), (48, 64, 2), (64, 96, 1), (96, 128, 2))
"""Input channels, output channels, stride of each 3 × 3 convolution."""
POOLED_LAYERS = (0, 2, 5)
"""Layers whose mean (over the picture) goes into the features: early ones know noise and blur, the last one faces."""
COLOUR_GRID = 4
STRENGTHS = (0.0, 0.1, 0.25, 0.5, 1.0)
OPSET = 18

Arrays = npt.NDArray[Any]


class PortraitFeatures(nn.Module):
    """The network; ``forward`` takes float (n, 3, 128, 128) in -1 to 1 (RGB), gives features (n, 64)."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(i, o, 3, stride=s, padding=1, bias=False) for i, o, s in WIDTHS)
        self.norms = nn.ModuleList(nn.BatchNorm2d(o) for _, o, _ in WIDTHS)
        self.features = nn.Linear(sum(WIDTHS[layer][1] for layer in POOLED_LAYERS), FEATURES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pooled = []
        for layer, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            x = functional.relu(norm(conv(x)))
            if layer in POOLED_LAYERS:
                pooled.append(x.mean(dim=(2, 3)))
        answer: torch.Tensor = self.features(torch.cat(pooled, dim=1))
        return answer


class Heads(nn.Module):
    """What the features must tell, linearly: the person, the mouth, the colours, the degradations."""

    def __init__(self, people: int) -> None:
        super().__init__()
        self.person = nn.Linear(FEATURES, people)
        self.mouth = nn.Linear(FEATURES, 3)
        self.colours = nn.Linear(FEATURES, 3 * COLOUR_GRID**2)
        self.strengths = nn.Linear(FEATURES, len(KINDS))

    def loss(self, features: torch.Tensor, targets: dict[str, torch.Tensor]) -> torch.Tensor:
        """The sum of the four losses."""
        total = 0.25 * functional.cross_entropy(self.person(features), targets["person"], label_smoothing=0.1)
        total = total + functional.mse_loss(self.mouth(features), targets["mouth"])
        total = total + 4 * functional.mse_loss(self.colours(features), targets["colours"])
        return total + 12 * functional.mse_loss(self.strengths(features), targets["strengths"])


class Frames:
    """Frames of drawn talkers (uint8, BGR, of several sizes) with person and mouth shape."""

    def __init__(self, people: int, frames_a_person: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.images: list[Image] = []
        self.person = np.repeat(np.arange(people), frames_a_person)
        self.mouth = np.concatenate([_track(rng, frames_a_person) for _ in range(people)])
        for index in range(people):
            face, size = Face.random(rng), int(rng.choice([128, 192, 224, 256, 320]))
            track = self.mouth[index * frames_a_person : (index + 1) * frames_a_person]
            self.images += list(render(face, track, rng, size=size))

    def batch(self, rng: np.random.Generator, size: int) -> tuple[Arrays, dict[str, Arrays]]:
        """Spoiled frames, uint8 (size, 128, 128, 3) RGB, and what is to be read from them."""
        chosen = rng.integers(0, len(self.images), size)
        strengths = np.zeros((size, len(KINDS)), np.float32)
        pictures, colours = [], []
        for row, index in enumerate(chosen):
            image = self.images[index]
            for kind in rng.choice(len(KINDS), size=int(rng.choice([0, 1, 1, 2])), replace=False):
                strength = strengths[row, kind] = rng.uniform()
                image = list(KINDS.values())[kind](image, float(strength), rng)
            pictures.append(_reduced(image))
            colours.append(cv2.resize(image, (COLOUR_GRID, COLOUR_GRID), interpolation=cv2.INTER_AREA).reshape(-1))
        targets: dict[str, Arrays] = {
            "person": self.person[chosen],
            "mouth": self.mouth[chosen],
            "colours": np.stack(colours).astype(np.float32) / 128 - 1,
            "strengths": strengths,
        }
        return np.stack(pictures), targets


def _track(rng: np.random.Generator, count: int) -> npt.NDArray[np.float32]:
    """Mouth shapes that have nothing to do with each other: open 0..1, width -1..1, round 0..1."""
    return (rng.uniform((0, -1, 0), (1, 1, 1), size=(count, 3)) * rng.uniform(0, 1, (count, 1))).astype(np.float32)


def _reduced(image: Image) -> Image:
    """As the graph does it: bilinear without averaging, so that noise and fine blur are not smoothed away first."""
    return np.asarray(cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)[..., ::-1])


def _tensor(pictures: Arrays) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float().sub_(128).div_(128)


def _batches(frames: Frames, seed: int, steps: int, size: int) -> Iterator[tuple[Arrays, dict[str, Arrays]]]:
    """The batches of a training, each from its own seed, made one ahead of their use."""
    with ThreadPoolExecutor(1) as pool:
        futures = [pool.submit(frames.batch, np.random.default_rng((seed, 0)), size)]
        for step in range(1, steps + 1):
            ready = futures.pop()
            if step < steps:
                futures.append(pool.submit(frames.batch, np.random.default_rng((seed, step)), size))
            yield ready.result()


def train(frames: Frames, people: int, *, seed: int, steps: int, size: int) -> PortraitFeatures:
    """Train the network; features are scaled so that undegraded frames vary by 1 in each on average."""
    torch.manual_seed(seed)
    network, heads = PortraitFeatures(), Heads(people)
    parameters = [*network.parameters(), *heads.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=3e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 6e-3, total_steps=steps, pct_start=0.2)
    start, smooth = time.monotonic(), 0.0
    for step, (pictures, targets) in enumerate(_batches(frames, seed, steps, size)):
        optimiser.zero_grad()
        wanted = {key: torch.from_numpy(value) for key, value in targets.items()}
        loss = heads.loss(network(_tensor(pictures)), wanted)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        schedule.step()
        smooth = loss.item() if step == 0 else 0.95 * smooth + 0.05 * loss.item()
        if step % 50 == 49 or step == steps - 1:
            print(f"step {step + 1}/{steps} loss {smooth:.3f} ({time.monotonic() - start:.0f} s)", flush=True)
    network.eval()
    with torch.no_grad():
        clean = _tensor(np.stack([_reduced(image) for image in frames.images[:: max(1, len(frames.images) // 500)]]))
        spread = float(torch.cat([network(part) for part in clean.split(64)]).var(dim=0).mean().sqrt())
        network.features.weight /= spread
        network.features.bias /= spread
    return network


def export(network: PortraitFeatures) -> onnx.ModelProto:
    """The network in ONNX: ``images`` uint8 (n, H, W, 3) RGB → ``features`` float32 (n, 64)."""
    tensors = [
        numpy_helper.from_array(np.array([SIDE, SIDE], np.int64), "input_size"),
        numpy_helper.from_array(np.array(128, np.float32), "input_middle"),
        numpy_helper.from_array(np.array(1 / 128, np.float32), "input_scale"),
    ]
    nodes = [
        helper.make_node("Cast", ["images"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["pixels"], ["channels"], perm=[0, 3, 1, 2]),
        helper.make_node("Resize", ["channels", "", "", "input_size"], ["sized"], mode="linear", axes=[2, 3]),
        helper.make_node("Sub", ["sized", "input_middle"], ["centred"]),
        helper.make_node("Mul", ["centred", "input_scale"], ["layer_-1"]),
    ]
    for layer, (conv, norm) in enumerate(zip(network.convs, network.norms, strict=True)):
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        weight, bias = conv.weight * scale[:, None, None, None], norm.bias - norm.running_mean * scale
        tensors.append(numpy_helper.from_array(weight.detach().numpy(), f"weight_{layer}"))
        tensors.append(numpy_helper.from_array(bias.detach().numpy(), f"bias_{layer}"))
        inputs, stride = [f"layer_{layer - 1}", f"weight_{layer}", f"bias_{layer}"], WIDTHS[layer][2]
        nodes.append(helper.make_node("Conv", inputs, [f"sum_{layer}"], strides=[stride] * 2, pads=[1] * 4))
        nodes.append(helper.make_node("Relu", [f"sum_{layer}"], [f"layer_{layer}"]))
    nodes += [helper.make_node("GlobalAveragePool", [f"layer_{n}"], [f"mean_{n}"]) for n in POOLED_LAYERS]
    nodes.append(helper.make_node("Concat", [f"mean_{layer}" for layer in POOLED_LAYERS], ["means"], axis=1))
    nodes.append(helper.make_node("Flatten", ["means"], ["pooled"], axis=1))
    nodes.append(helper.make_node("Gemm", ["pooled", "weight_f", "bias_f"], ["features"], transB=1))
    tensors.append(numpy_helper.from_array(network.features.weight.detach().numpy(), "weight_f"))
    tensors.append(numpy_helper.from_array(network.features.bias.detach().numpy(), "bias_f"))
    images = helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", "height", "width", 3])
    features = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", FEATURES])
    model = helper.make_model(
        helper.make_graph(nodes, NAME, [images], [features], tensors),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=8,
        producer_name="penstock",
    )
    note = "stand-in trained on drawn synthetic portraits; not comparable with Inception"
    helper.set_model_props(
        model,
        {"penstock.kind": "image-features", "penstock.name": NAME, "penstock.note": note, "license": "Apache-2.0"},
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def evaluate(model: bytes, *, seed: int, people: int = 16, frames_a_person: int = 10) -> dict[str, Any]:
    """Fréchet distances of clean frames of unseen people to the same frames spoiled; images a second on one core."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    frames = Frames(people, frames_a_person, seed)

    def features(images: list[Image]) -> npt.NDArray[np.float32]:
        rows = [session.run(["features"], {"images": image[None, ..., ::-1]})[0] for image in images]
        return np.concatenate(rows)

    clean = features(frames.images)
    distances = {}
    for kind, spoil in KINDS.items():
        rng = np.random.default_rng(seed)
        spoiled = ([spoil(image, strength, rng) for image in frames.images] for strength in STRENGTHS)
        distances[kind] = [round(frechet_distance(clean, features(images)), 4) for images in spoiled]
    picture = np.zeros((8, 256, 256, 3), np.uint8)
    times = []
    for _ in range(20):
        start = time.perf_counter()
        session.run(["features"], {"images": picture})
        times.append(time.perf_counter() - start)
    return {"strengths": STRENGTHS, "frechet": distances, "images_per_s": round(8 / float(np.median(times)))}


def main() -> int:
    """Train, export, evaluate; 1 if a distance does not rise with the strength of a degradation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("test-assets/extractors/portrait-features.onnx"))
    parser.add_argument("--report", type=Path, help="write the figures to this JSON file")
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--steps", type=int, default=450)
    parser.add_argument("--batch", type=int, default=32)
    options = parser.parse_args()

    torch.set_num_threads(2)
    cv2.setNumThreads(1)
    start = time.monotonic()
    frames = Frames(options.people, 12, options.seed)
    print(f"{len(frames.images)} frames of {options.people} people ({time.monotonic() - start:.0f} s)", flush=True)
    network = train(frames, options.people, seed=options.seed, steps=options.steps, size=options.batch)
    data = export(network).SerializeToString()
    trained_s = round(time.monotonic() - start)
    figures = evaluate(data, seed=options.seed + 1_000_000)
    rising = all(row == sorted(row) for row in figures["frechet"].values())
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    figures |= {"training_s": trained_s, "bytes": len(data), "sha256": digest, "rising": rising}
    text = json.dumps(figures, indent=2)
    print(text)
    if options.report:
        options.report.write_text(text + "\n", encoding="utf-8")
    return 0 if rising else 1


if __name__ == "__main__":
    sys.exit(main())
