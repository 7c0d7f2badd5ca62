"""Train the network of `test-assets/models/sonic-lite`: from log-mel columns to the shape of the mouth.

    python -m training.train_sonic_lite --out test-assets/models/sonic-lite/base/weights/sonic-lite.safetensors

It hears espeak-ng's voices of `training.sentences` and learns the mouth tracks that `training.visemes` derives from
their phonemes; sentences and voices that are measured at the end are held out. Needs PyTorch, soundfile and
`libespeak-ng`; about four minutes of one core.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training.safetensors_file import write_safetensors
from training.sentences import Utterance, held_out_utterance, training_utterance
from training.speech import SAMPLE_RATE, speak
from training.visemes import mouth_track

MODEL = Path(__file__).resolve().parents[1] / "test-assets" / "models" / "sonic-lite" / "base"
HIDDEN = (96, 64)
METADATA = {"architecture": "sonic-lite/1", "license": "CC0-1.0"}

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Frames:
    """Windows of features, float32 (n, inputs), and what the mouth does, float32 (n, 3)."""

    inputs: Floats
    mouths: Floats


def frames_of(utterances: list[Utterance], rng: np.random.Generator) -> Frames:
    """Speak the sentences, in noise of 25 to 60 dB below the speech, and listen with the model's own ears."""
    sys.path.insert(0, str(MODEL))
    from sonic_lite import audio, framing  # type: ignore[import-not-found]

    inputs, mouths = [], []
    for utterance in utterances:
        speech = speak(utterance.text, utterance.voice, rate=utterance.rate, pitch=utterance.pitch)
        samples = speech.samples.astype(np.float32) / 32768
        loudness = float(np.sqrt(np.mean(samples**2)))
        noise = rng.normal(size=len(samples)) * loudness * 10 ** (-rng.uniform(25, 60) / 20)
        # Sentences start anywhere in a frame, not only where the synthesiser starts.
        offset = int(rng.integers(SAMPLE_RATE // 25))
        heard = (samples + noise).astype(np.float32)
        heard = np.concatenate([np.zeros(offset, np.float32), heard])
        count = len(heard) // (SAMPLE_RATE // 25)
        shift_s = offset / SAMPLE_RATE
        moved = [type(p)(p.start_s + shift_s, p.end_s + shift_s, p.symbol) for p in speech.phonemes]
        inputs.append(framing.windows(audio.features(heard, count), count))
        mouths.append(mouth_track(moved, count))
    return Frames(np.concatenate(inputs), np.concatenate(mouths))


def train(frames: Frames, *, epochs: int, seed: int) -> dict[str, Floats]:
    """Fit the network; returns its tensors by name."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    torch.set_num_threads(2)
    mean, std = frames.inputs.mean(axis=0), frames.inputs.std(axis=0) + 0.1
    x = torch.from_numpy((frames.inputs - mean) / std)
    y = torch.from_numpy(frames.mouths)
    network = nn.Sequential(
        nn.Linear(x.shape[1], HIDDEN[0]), nn.ReLU(), nn.Dropout(0.1),
        nn.Linear(HIDDEN[0], HIDDEN[1]), nn.ReLU(), nn.Linear(HIDDEN[1], 3),
    )  # fmt: skip
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=1e-2)
    steps = epochs * (len(x) // 256)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=2e-3, total_steps=steps)
    weight = torch.tensor([2.0, 1.0, 1.0])  # how far the mouth is open is what people look at
    for epoch in range(epochs):
        total = 0.0
        order = torch.randperm(len(x))
        for start in range(0, len(x) - 255, 256):
            batch = order[start : start + 256]
            noisy = x[batch] + 0.1 * torch.randn(1, x.shape[1])
            loss = (weight * (network(noisy) - y[batch]) ** 2).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item() * len(batch)
        print(json.dumps({"epoch": epoch + 1, "loss": round(total / len(x), 5)}), flush=True)
    layers: list[Any] = [layer for layer in network if isinstance(layer, nn.Linear)]
    tensors: dict[str, Floats] = {"mean": mean.astype(np.float32), "std": std.astype(np.float32)}
    for index, layer in enumerate(layers):
        tensors[f"w{index}"] = np.ascontiguousarray(layer.weight.detach().numpy().T)
        tensors[f"b{index}"] = layer.bias.detach().numpy()
    return tensors


def main(argv: list[str] | None = None) -> int:
    """Train, write, and print how well held-out speech is followed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=MODEL / "weights" / "sonic-lite.safetensors")
    parser.add_argument("--utterances", type=int, default=700)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args(argv)
    rng = np.random.default_rng(arguments.seed)
    training = frames_of([training_utterance(rng) for _ in range(arguments.utterances)], rng)
    print(json.dumps({"frames": len(training.inputs), "inputs": training.inputs.shape[1]}), flush=True)
    write_safetensors(arguments.out, train(training, epochs=arguments.epochs, seed=arguments.seed), METADATA)

    from sonic_lite.motion import MotionModel  # type: ignore[import-not-found]

    model = MotionModel(arguments.out)
    held_out = frames_of([held_out_utterance(rng) for _ in range(40)], rng)
    said = model.network(held_out.inputs)
    result = {
        name: {
            "correlation": round(float(np.corrcoef(said[:, i], held_out.mouths[:, i])[0, 1]), 3),
            "rmse": round(float(np.sqrt(np.mean((said[:, i] - held_out.mouths[:, i]) ** 2))), 3),
        }
        for i, name in enumerate(("open", "width", "round"))
    }
    print(json.dumps({"held_out": result, "bytes": arguments.out.stat().st_size}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
