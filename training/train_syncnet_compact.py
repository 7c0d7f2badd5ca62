"""Train the compact SyncNet on synthetic talkers and write it as ONNX.

    python -m training.train_syncnet_compact --cache DIR --out test-assets/extractors/syncnet-compact.onnx

Needs PyTorch, onnx, OpenCV, PyAV, SciPy, libespeak-ng, and `src` on the Python path. Takes minutes on two cores; the
clips are made once and kept in the cache directory.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import time
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from penstock.foundation.files import replacing
from training.face import Image
from training.syncnet_data import CLIP_FRAMES, INPUT_SIDE, make_clip
from training.syncnet_model import CODE, CompactSyncNet, to_onnx

REACH = 15
"""Shifts that LSE-D looks at, to each side, in frames."""
TYPICAL_DISTANCE = 10.0
"""Mean distance of unrelated windows that the features are scaled to while training."""


def _one(arguments: tuple[Path, int, int]) -> int:
    cache, index, seed = arguments
    cv2.setNumThreads(1)
    clip = make_clip(seed)
    np.load(cache / "good.npy", mmap_mode="r+")[index] = clip.good
    np.load(cache / "bad.npy", mmap_mode="r+")[index] = clip.bad
    np.savez(cache / f"{index:05d}.npz", mfcc=clip.mfcc, track=clip.track, margin=clip.margin)
    return index


def make_clips(cache: Path, clips: int, first_seed: int, processes: int) -> None:
    """Fill the cache directory with `clips` clips, unless it is full already."""
    done = cache / "complete"
    wanted = f"{clips} {first_seed}"
    if done.exists() and done.read_text(encoding="utf-8") == wanted:
        return
    cache.mkdir(parents=True, exist_ok=True)
    shape = (clips, CLIP_FRAMES, INPUT_SIDE, INPUT_SIDE, 3)
    for name in ("good", "bad"):
        np.lib.format.open_memmap(cache / f"{name}.npy", "w+", np.uint8, shape).flush()
    jobs = [(cache, index, first_seed + index) for index in range(clips)]
    started = time.monotonic()
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for count, _ in enumerate(pool.imap_unordered(_one, jobs), start=1):
            if count % 50 == 0 or count == clips:
                print(f"clips {count}/{clips}, {time.monotonic() - started:.0f} s", flush=True)
    done.write_text(wanted, encoding="utf-8")


class Clips:
    """The cached clips, and batches of them with random light, colour, place and mirroring."""

    def __init__(self, cache: Path, clips: int) -> None:
        self.good = np.load(cache / "good.npy")
        self.bad = np.load(cache / "bad.npy")
        rest = [np.load(cache / f"{index:05d}.npz") for index in range(clips)]
        self.mfcc = torch.from_numpy(np.stack([one["mfcc"] for one in rest]))
        self.track = torch.from_numpy(np.stack([one["track"] for one in rest]))
        self.margin = torch.tensor([float(one["margin"]) for one in rest])

    def batch(self, at: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Frames (1.5 * clips * n, 3, 40, 40), mfcc, track and margin of the clips `at`.

        First the good versions of all clips, then the bad ones of the first half of them.
        """
        half = len(at) // 2
        pairs = [(self.good[k], self.bad[k]) if i < half else (self.good[k],) for i, k in enumerate(at)]
        views = [_varied(versions, rng) for versions in pairs]
        stacked = np.concatenate([view[0] for view in views] + [view[1] for view in views[:half]])
        frames = torch.from_numpy(stacked).permute(0, 3, 1, 2)
        mfcc = self.mfcc[at].clone()
        # Loudness, and how it is recorded: a gain moves c0, a coloured room moves the others a little.
        mfcc[:, 0] += torch.from_numpy(rng.uniform(-2.5, 2.0, (len(at), 1))).float()
        mfcc += torch.from_numpy(rng.normal(0, 2.0, (len(at), 13, 1)) * (np.arange(13) > 0)[None, :, None]).float()
        mfcc += torch.randn_like(mfcc) * 0.8
        return frames, mfcc, self.track[at], self.margin[at]


def _varied(versions: tuple[Image, ...], rng: np.random.Generator) -> list[npt.NDArray[np.float32]]:
    """The versions of a clip, mirrored, moved, tinted, darkened and made noisy in the same way."""
    rows = np.clip(np.arange(INPUT_SIDE) + int(rng.integers(-3, 4)), 0, INPUT_SIDE - 1)
    columns = np.clip(np.arange(INPUT_SIDE) + int(rng.integers(-3, 4)), 0, INPUT_SIDE - 1)
    if rng.random() < 0.5:
        columns = columns[::-1]
    # One table of 256 levels a colour: contrast, brightness, gamma and tint at once.
    levels = (np.arange(256) / 255.0)[:, None] ** rng.uniform(0.65, 1.5)
    table = levels * 255 * rng.uniform(0.6, 1.3) * rng.uniform(0.85, 1.15, 3) + rng.uniform(-25, 25)
    table = np.clip(table, 0, 255).astype(np.float32)
    grey = rng.random() < 0.25
    grain = rng.normal(0, float(rng.choice([0.3, 1.5, 4.0])), (2, INPUT_SIDE, INPUT_SIDE, 3)).astype(np.float32)
    views = []
    for frames in versions:
        cut = frames[:, rows[:, None], columns[None, :]]
        seen: npt.NDArray[np.float32] = np.stack(
            [table[:, channel][cut[..., channel]] for channel in range(3)], axis=-1
        )
        if grey:
            seen[:] = seen.mean(axis=-1, keepdims=True)
        seen[::2] += grain[0]
        seen[1::2] += grain[1]
        views.append(seen)
    return views


def shifted_distances(video: Tensor, sound: Tensor) -> Tensor:
    """(clips, windows, features) twice to (clips, windows - 30, 31): picture to the sound that is s - 15 later."""
    windows = min(video.shape[1], sound.shape[1])
    video, sound = video[:, :windows], sound[:, :windows]
    near = sound.unfold(1, 2 * REACH + 1, 1)  # (clips, windows - 30, features, 31)
    inner = video[:, REACH : windows - REACH, :, None]
    return torch.sqrt(((inner - near) ** 2).sum(dim=2) + 1e-6)


def losses(model: CompactSyncNet, frames: Tensor, mfcc: Tensor, track: Tensor, margin: Tensor) -> dict[str, Tensor]:
    """The terms of the loss, by name."""
    clips = len(mfcc)
    with torch.autocast("cpu", dtype=torch.bfloat16):  # some processors do this several times faster
        codes = model.codes(frames)
    codes = codes.float()
    shape = model.shape(codes[: clips * CLIP_FRAMES]).reshape(clips, CLIP_FRAMES, 3)
    features = model.pictures(codes.reshape(-1, CLIP_FRAMES, CODE))
    sound = model.sounds(mfcc)
    windows = min(features.shape[1], sound.shape[1])
    distance = shifted_distances(features[:clips], sound)
    curve = distance.mean(dim=1)
    half = len(features) - clips
    bad = shifted_distances(features[clips:], sound[:half]).mean(dim=1)
    truth = torch.full((clips,), REACH)
    per_window = functional.cross_entropy(-distance.flatten(0, 1), truth.repeat_interleave(distance.shape[1]))
    per_clip = functional.cross_entropy(-6.0 * curve, truth)
    at_truth = curve[:, REACH]
    best_bad = -torch.logsumexp(-4.0 * bad, dim=1) / 4.0
    faults = functional.softplus(3.0 * (at_truth[:half] * (1 + margin[:half]) - best_bad)).mean()
    far = torch.cat([curve[:, : REACH - 4], curve[:, REACH + 5 :]], dim=1).mean()
    size = (far - TYPICAL_DISTANCE) ** 2 / 10
    pull = at_truth.mean()
    seen = functional.mse_loss(shape, track)
    around = torch.stack([track[:, k : k + windows] for k in range(5)], dim=2).flatten(2)
    heard = functional.mse_loss(model.heard(sound[:, :windows]), around)
    return {
        "window": per_window, "clip": per_clip, "faults": 0.7 * faults, "size": size, "pull": 0.12 * pull,
        "seen": 4.0 * seen, "heard": 4.0 * heard,
    }  # fmt: skip


def train(clips: Clips, out: Path, gain: float, epochs: int, batch: int, seed: int, threads: int) -> None:
    """Train from scratch; prints a line and writes the network after each epoch."""
    count = len(clips.mfcc)
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    rng = np.random.default_rng(seed)
    model = CompactSyncNet()
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.02)
    steps = epochs * (count // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps, pct_start=0.15)
    started = time.monotonic()
    for epoch in range(1, epochs + 1):
        order = rng.permutation(count)
        sums: dict[str, float] = {}
        for first in range(0, count - batch + 1, batch):
            terms = losses(model, *clips.batch(order[first : first + batch], rng))
            optimiser.zero_grad()
            torch.stack(list(terms.values())).sum().backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimiser.step()
            schedule.step()
            for name, term in terms.items():
                sums[name] = sums.get(name, 0.0) + float(term.detach()) * batch / count
        shown = " ".join(f"{name} {value:.3f}" for name, value in sums.items())
        print(f"epoch {epoch}/{epochs} {time.monotonic() - started:.0f} s: {shown}", flush=True)
        model.eval()
        raw = to_onnx(model, gain).SerializeToString()
        model.train()
        with replacing(out) as temporary:
            temporary.write_bytes(raw)


def main(argv: list[str] | None = None) -> int:
    """Make the clips, train, write the ONNX file; returns 0."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cache", type=Path, required=True, help="where the clips are kept (about 0.8 MB a clip)")
    parser.add_argument("--out", type=Path, default=Path("test-assets/extractors/syncnet-compact.onnx"))
    parser.add_argument("--clips", type=int, default=560)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--batch", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--gain", type=float, default=1.6, help="factor on the features of the exported network")
    arguments = parser.parse_args(argv)
    make_clips(arguments.cache, arguments.clips, 1000 * arguments.seed, arguments.threads)
    train(
        Clips(arguments.cache, arguments.clips), arguments.out, arguments.gain, arguments.epochs, arguments.batch,
        arguments.seed, arguments.threads,
    )  # fmt: skip
    print(f"{arguments.out}: {arguments.out.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
