"""Measure a SyncNet extractor on held-out talkers, and write its model card.

    python -m training.evaluate_syncnet --model test-assets/extractors/syncnet-compact.onnx [--card FILE.md]

Other faces, other voices, other sentences than in training. For each clip: in sync, and with the sound 3 frames early
and late. It is told apart when the clip in sync reports an offset of at most 1 frame and the shifted ones report 3 +- 1
frames with the right sign. Faults of a model (damped, smoothed, lagging, blurred lips) are measured as the change of
LSE-D.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import numpy as np
import numpy.typing as npt
import onnxruntime

from penstock.foundation.files import write_text
from penstock.metrics.mfcc import mfcc
from training.face import Face, Image
from training.syncnet_data import HELD_OUT_SEEDS, through_h264, utterance_of
from training.talker import render
from training.visemes import defective

REACH = 15
SHIFT = 3
SAMPLES_PER_FRAME = 640


@dataclass(frozen=True)
class Score:
    """LSE-D, LSE-C and offset (frames; positive: the sound comes before the lips) of one clip."""

    lse_d: float
    lse_c: float
    offset: int


class Scorer:
    """SyncNet's procedure on an ONNX extractor, as METRICS describes it (31 shifts, zero padding, no normalising)."""

    def __init__(self, model: Path, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(os.fspath(model), options, providers=["CPUExecutionProvider"])

    def features(
        self, frames: Image, samples: npt.NDArray[np.int16]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Features of the pictures and of the sound, each float32 (windows, D), cut to equal length."""
        inputs = {"mfcc": mfcc(samples)[None, None], "frames": frames}
        sound, video = self._session.run(["audio_features", "video_features"], inputs)
        windows = min(len(frames), len(samples) // SAMPLES_PER_FRAME) - 5
        return np.asarray(video[:windows]), np.asarray(sound[:windows])

    def score(self, frames: Image, samples: npt.NDArray[np.int16]) -> Score:
        """Score uint8 (n, 224, 224, 3) BGR frames at 25 per second against int16 samples at 16 kHz."""
        return score_features(*self.features(frames, samples))


def score_features(video: npt.NDArray[np.float32], sound: npt.NDArray[np.float32]) -> Score:
    """The three numbers from features, float32 (windows, D) each."""
    padded = np.pad(sound, ((REACH, REACH), (0, 0)))
    curve = np.array(
        [
            np.linalg.norm(video - padded[shift : shift + len(video)] + 1e-6, axis=1).mean()
            for shift in range(2 * REACH + 1)
        ]
    )
    best = int(curve.argmin())
    return Score(float(curve[best]), float(np.median(curve) - curve[best]), REACH - best)


def moved(samples: npt.NDArray[np.int16], frames: int) -> npt.NDArray[np.int16]:
    """The sound, later by that many frames (earlier where negative); silence comes in, the length stays."""
    by = frames * SAMPLES_PER_FRAME
    if by >= 0:
        return np.concatenate([np.zeros(by, np.int16), samples[: len(samples) - by]])
    return np.concatenate([samples[-by:], np.zeros(-by, np.int16)])


def told_apart(in_sync: Score, late: Score, early: Score) -> bool:
    """Whether the three versions of a clip are told apart, as this module's docstring defines it."""
    return abs(in_sync.offset) <= 1 and abs(late.offset + SHIFT) <= 1 and abs(early.offset - SHIFT) <= 1


class Fault(TypedDict):
    """How LSE-D answers to one fault: mean relative change, and the share of clips that got worse."""

    mean_change: float
    share_worse: float


class Figures(TypedDict):
    """What the card says."""

    clips: int
    fault_clips: int
    told_apart: int
    in_sync_share: float
    lse_d_mean: float
    lse_d_sd: float
    lse_c_mean: float
    lse_c_wrong_sound_mean: float
    seconds_for_100_frames: float
    faults: dict[str, Fault]


_FAULTS: dict[str, dict[str, float]] = {
    "lips move 40 % less": {"damping": 0.6},
    "lips smoothed over 5 frames": {"smoothing": 5},
    "lips trail by 1 frame": {"lag": 1.0},
    "lips trail by 2 frames": {"lag": 2.0},
    "mouth blurred (sigma 3)": {"blur": 3.0},
    "trail by 1.5 frames and blur (sigma 2)": {"lag": 1.5, "blur": 2.0},
}


def evaluate(scorer: Scorer, clips: int, fault_clips: int) -> Figures:
    """All figures of the card, over `clips` held-out clips, and the faults over the first `fault_clips` of them."""
    apart = 0
    sync_d, sync_c, off_c, offsets = [], [], [], []
    changes: dict[str, list[float]] = {name: [] for name in _FAULTS}
    seconds = []
    for seed in HELD_OUT_SEEDS[:clips]:
        rng = np.random.default_rng((seed, 3))
        _, samples, track = utterance_of(seed, int(rng.integers(75, 101)))
        face = Face.random(rng)
        how, crf = int(rng.integers(1 << 31)), int(rng.integers(18, 29))
        frames = through_h264(render(face, track, np.random.default_rng(how)), crf)
        started = time.perf_counter()
        in_sync = scorer.score(frames, samples)
        seconds.append((time.perf_counter() - started) * 100 / len(frames))
        late, early = (scorer.score(frames, moved(samples, by)) for by in (SHIFT, -SHIFT))
        apart += told_apart(in_sync, late, early)
        sync_d.append(in_sync.lse_d)
        sync_c.append(in_sync.lse_c)
        off_c.append(scorer.score(frames, samples[::-1].copy()).lse_c)
        offsets.append(in_sync.offset)
        for name, fault in _FAULTS.items() if len(offsets) <= fault_clips else ():
            worse = defective(
                track,
                damping=fault.get("damping", 1.0),
                lag=fault.get("lag", 0.0),
                smoothing=int(fault.get("smoothing", 1)),
            )
            shown = render(face, worse, np.random.default_rng(how), mouth_blur=fault.get("blur", 0.0))
            changes[name].append(scorer.score(through_h264(shown, crf), samples).lse_d / in_sync.lse_d - 1)
    return {
        "clips": clips,
        "fault_clips": min(clips, fault_clips),
        "told_apart": apart,
        "in_sync_share": float(np.mean([abs(offset) <= 1 for offset in offsets])),
        "lse_d_mean": float(np.mean(sync_d)),
        "lse_d_sd": float(np.std(sync_d)),
        "lse_c_mean": float(np.mean(sync_c)),
        "lse_c_wrong_sound_mean": float(np.mean(off_c)),
        "seconds_for_100_frames": float(np.median(seconds)),
        "faults": {
            name: {"mean_change": float(np.mean(values)), "share_worse": float(np.mean(np.array(values) > 0))}
            for name, values in changes.items()
        },
    }


def main(argv: list[str] | None = None) -> int:
    """Print the figures as JSON; returns 0 when at least 95 % of the clips are told apart, else 1."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, default=Path("test-assets/extractors/syncnet-compact.onnx"))
    parser.add_argument("--clips", type=int, default=80)
    parser.add_argument("--fault-clips", type=int, default=30)
    parser.add_argument("--card", type=Path, help="write the model card here")
    arguments = parser.parse_args(argv)
    figures = evaluate(Scorer(arguments.model), arguments.clips, arguments.fault_clips)
    print(json.dumps(figures, indent=1))
    if arguments.card is not None:
        from training.model_card import card

        raw = arguments.model.read_bytes()
        write_text(arguments.card, card(figures, hashlib.sha256(raw).hexdigest(), len(raw)))
    return 0 if figures["told_apart"] >= 0.95 * arguments.clips else 1


if __name__ == "__main__":
    raise SystemExit(main())
