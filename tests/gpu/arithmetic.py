"""What networks give on the card, against float32 on the CPU, and how long it takes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tests.bench.bench_lipsync import write_clip
from tests.gpu.checks import Check, limit
from tests.gpu.networks import write_inception, write_syncnet

from penstock.contract.arithmetic import Arithmetic
from penstock.extractors import cuda_backend
from penstock.extractors.image_features import ImageFeatures
from penstock.extractors.syncnet import SyncNet, open_syncnet
from penstock.media import read_audio, read_frames
from penstock.metrics.frechet import frechet_distance
from penstock.metrics.lipsync import LipSync, score_lipsync
from penstock.metrics.mfcc import mfcc

ON_CARD: Arithmetic = "f32-cuda"
MOST_OF_VALUES = 1e-4
"""Relative, of LSE-D and FID."""
MOST_OF_FEATURES = 1e-5
"""Of the norm. float32 lies far below, TensorFloat-32 near 3e-4."""
REPEATS = 5
PICTURES, SIDE = 96, 299

Floats = npt.NDArray[np.float32]


def check(folder: Path, device: Arithmetic) -> list[Check]:
    """All checks; ``device`` other than ``f32-cuda`` rehearses them without a card."""
    syncnet, inception, clip = folder / "syncnet.onnx", folder / "inception.onnx", folder / "clip.mp4"
    write_syncnet(syncnet)
    write_inception(inception)
    write_clip(clip)
    return [*_lipsync(syncnet, clip, device), *_frechet(inception, device)]


def _lipsync(network: Path, clip: Path, device: Arithmetic) -> Iterator[Check]:
    frames, sound = list(read_frames(clip, fps=25)), read_audio(clip, rate=16_000)
    columns, stacked = mfcc(sound), np.stack(frames)
    loads = time.perf_counter()
    card = open_syncnet(network, arithmetic=device)
    first = time.perf_counter()
    lips, voice = card.features(stacked, columns)
    yield Check("SyncNet on the card: loading, first clip", f"{first - loads:.2f} s, {since(first):.2f} s")
    processor = open_syncnet(network)
    expected = processor.features(stacked, columns)
    for name, found, wanted in (("lips", lips, expected[0]), ("sound", voice, expected[1])):
        yield limit(f"SyncNet, features of the {name}: difference ÷ norm", apart(found, wanted), MOST_OF_FEATURES)
    again = open_syncnet(network, arithmetic=device).features(stacked, columns)
    yield same("SyncNet, another session", [lips, voice], list(again))
    if device == ON_CARD:
        with settings({"use_tf32": "1"}):
            rough, _ = open_syncnet(network, arithmetic=device).features(stacked, columns)
        yield off("SyncNet", apart(rough, expected[0]), apart(lips, expected[0]))

    def score(net: SyncNet) -> LipSync:
        return score_lipsync(frames, sound, net)

    one, other = score(card), score(processor)
    yield limit(f"LSE-D, relative ({other.lse_d:.4f})", abs(one.lse_d / other.lse_d - 1), MOST_OF_VALUES)
    # of random weights the distances differ little from each other, so that a share of LSE-C itself says nothing
    yield limit(
        f"LSE-C ({other.lse_c:.4f}), as a share of LSE-D", abs(one.lse_c - other.lse_c) / other.lse_d, MOST_OF_VALUES
    )
    yield Check("offset", str(one.offset_frames), str(other.offset_frames), one.offset_frames == other.offset_frames)
    yield took(
        "features of 10 s: card, CPU",
        [lambda: card.features(stacked, columns), lambda: processor.features(stacked, columns)],
    )
    yield took("scoring decoded frames: card, CPU", [lambda: score(card), lambda: score(processor)])
    yield took(
        "decoding alone: picture, sound",
        [lambda: list(read_frames(clip, fps=25)), lambda: read_audio(clip, rate=16_000)],
    )
    yield took("MFCC alone", [lambda: mfcc(sound)])


def _frechet(network: Path, device: Arithmetic) -> Iterator[Check]:
    random = np.random.default_rng(1)
    coarse = random.integers(0, 256, (2 * PICTURES, 12, 12, 3))
    pictures = np.kron(coarse, np.ones((1, 25, 25, 1), np.int64))[:, :SIDE, :SIDE].astype(np.uint8)
    pictures[PICTURES:] //= 2
    card, processor = ImageFeatures.load(network, arithmetic=device), ImageFeatures.load(network)
    found, expected = card.features(pictures), processor.features(pictures)
    yield limit("Inception: difference ÷ norm", apart(found, expected), MOST_OF_FEATURES)
    yield same(
        "Inception, another session", [found], [ImageFeatures.load(network, arithmetic=device).features(pictures)]
    )
    if device == ON_CARD:
        with settings({"use_tf32": "1"}):
            rough = ImageFeatures.load(network, arithmetic=device).features(pictures)
        yield off("Inception", apart(rough, expected), apart(found, expected))

    def fid(features: Floats) -> float:
        return frechet_distance(features[:PICTURES], features[PICTURES:])

    yield limit(f"FID, relative ({fid(expected):.4f})", abs(fid(found) / fid(expected) - 1), MOST_OF_VALUES)
    half = pictures[:PICTURES]
    yield took(
        f"features of {PICTURES} pictures of {SIDE}²: card, CPU",
        [lambda: card.features(half), lambda: processor.features(half)],
    )


def apart(found: Floats, expected: Floats) -> float:
    """Norm of the difference over the norm."""
    return float(np.linalg.norm(found.astype(np.float64) - expected) / np.linalg.norm(expected.astype(np.float64)))


def same(name: str, one: list[Floats], other: list[Floats]) -> Check:
    """Equal bit by bit."""
    equal = all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    worst = max(apart(a, b) for a, b in zip(one, other, strict=True))
    return Check(f"{name}: the same bits", "yes" if equal else f"no, {worst:.1e} apart", "yes", equal)


def off(name: str, rough: float, found: float) -> Check:
    """With TensorFloat-32 the same network lies far off: without it, it does not."""
    return Check(
        f"{name}: with TensorFloat-32 on", f"{rough:.1e}, {rough / found:.0f} × as far", "≥ 10 ×", rough >= 10 * found
    )


def took(name: str, doing: list[Callable[[], object]]) -> Check:
    """Medians, warm, in turns."""
    seconds: list[list[float]] = [[] for _ in doing]
    for _ in range(REPEATS):
        for kept, one in zip(seconds, doing, strict=True):
            started = time.perf_counter()
            one()
            kept.append(since(started))
    return Check(f"{name}, median of {REPEATS}", ", ".join(f"{statistics.median(kept):.3f} s" for kept in seconds))


def since(started: float) -> float:
    """Seconds since a reading of ``time.perf_counter``."""
    return time.perf_counter() - started


@contextmanager
def settings(changes: Mapping[str, str]) -> Iterator[None]:
    """Sessions that are opened in the block get these settings, too."""
    kept: dict[str, Any] = dict(cuda_backend.SETTINGS)
    cuda_backend.SETTINGS.update(changes)
    try:
        yield
    finally:
        cuda_backend.SETTINGS.clear()
        cuda_backend.SETTINGS.update(kept)
