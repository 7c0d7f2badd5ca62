"""Bundles for the report's tests and its benchmark: small, but with real videos and real sound.

A video's frame number can be read off its pixels, so that a test sees which frame a browser shows.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from penstock.bundle.directory import Bundle, write_model
from penstock.bundle.metric_history import HISTORY_FILE, History, PastRelease, PastValue
from penstock.bundle.models import Invocation, Measurement, Run, Source, StepRecord, SuiteRecord
from penstock.bundle.verdict_record import RuleResult, Verdict, WaiverRecord
from penstock.report.old_verdicts import completed

FPS = 25
SIDE = 128
STEP = 3
"""Grey levels between a frame and the next."""
RATE = 16_000
EXTRACTOR = "syncnet-compact@sha256:" + "d4" * 32
SUITE = "5" * 64


@dataclass(frozen=True)
class Look:
    """What a made case shows."""

    name: str
    slices: tuple[str, ...]
    before: float
    """LSE-D of the baseline."""
    after: float | None
    """LSE-D of the candidate; ``None``: the call failed."""
    dip: int = 30
    """Frame around which the candidate's lips fit worst."""


LOOKS = (
    Look("anna-english", ("portrait", "english"), 7.1, 7.4, 12),
    Look("bela-fast", ("portrait", "fast-speech"), 7.0, 9.9, 40),
    Look("carla-slow", ("drawn", "slow-speech"), 6.6, 7.9, 20),
    Look("dora-spanish", ("drawn", "spanish"), 6.1, 6.9, 33),
    Look("emil-german", ("portrait", "german"), 9.1, None),
    Look("fritz-french", ("drawn", "french"), 7.5, 8.1, 25),
    Look("greta-hum", ("drawn", "fast-speech"), 7.7, 7.6, 25),
)


def write_video(
    path: Path, *, frames: int = 60, fps: int = FPS, sound: bool = True, side: int = SIDE, grain: float = 0.0
) -> None:
    """A video whose left half is as grey as its frame's number says, with a mouth that opens and a syllable to it.

    ``grain`` is noise on the right half: it makes the file as large as real ones are.
    """
    noise = np.random.default_rng(0)
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        picture = container.add_stream("libx264", rate=fps, options={"crf": "18", "g": "25", "preset": "veryfast"})
        picture.width = picture.height = side
        picture.pix_fmt = "yuv420p"
        voice = container.add_stream("aac", rate=RATE, layout="mono") if sound else None
        for number in range(frames):
            image = np.full((side, side, 3), 200, np.uint8)
            image[:, : side // 2] = grey(number)
            opening = int(side / 16 * (1 + math.sin(number / 2)))
            image[side * 5 // 8 - opening : side * 5 // 8 + opening + 1, side * 5 // 8 : side * 7 // 8] = (150, 20, 30)
            if grain:
                half = image[:, side // 2 :]
                half[:] = np.clip(half + noise.normal(0, grain, half.shape), 0, 255).astype(np.uint8)
            for packet in picture.encode(av.VideoFrame.from_ndarray(image, format="rgb24")):
                container.mux(packet)
        if voice is not None:
            time = np.arange(frames * RATE // fps) / RATE
            wave = 0.6 * np.sin(2 * np.pi * 180 * time) * np.abs(np.sin(2 * np.pi * 1.9 * time)) ** 2
            heard = av.AudioFrame.from_ndarray((wave * 32767).astype(np.int16)[None], format="s16", layout="mono")
            heard.sample_rate = RATE
            for packet in voice.encode(heard):
                container.mux(packet)
            container.mux(voice.encode(None))
        container.mux(picture.encode(None))


def grey(frame: int) -> int:
    """The level that stands for a frame's number."""
    return 16 + STEP * frame % 224


def write_frames(path: Path, *, frames: int, level: float, dip: int | None, sound: bool = True, seed: int = 0) -> None:
    """``frames.json`` as the step *measure* writes it, with a bump of bad frames around ``dip``."""
    noise = np.random.default_rng(seed)
    sync = level + noise.normal(0, 0.6, frames - 4)
    if dip is not None:
        sync += 6 * np.exp(-(((np.arange(frames - 4) + 2 - dip) / 3.0) ** 2))
    jitter = np.abs(0.2 + noise.normal(0, 0.03, frames - 2))
    value: dict[str, object] = {
        "fps": FPS,
        "sync_distance": sync.tolist(),
        "jitter": [None, *jitter.tolist(), None],
        "face": [0.5, 0.1, 0.48, 0.7],
    }
    if dip is not None:
        value["speech"] = {
            "words": [["move", 0.2, 0.5], ["over", 0.5, 0.9], ["bob", 1.2, 1.6]],
            "closures": [["m", 0.2, 0.28, True, 0.0], ["b", 1.2, 1.28, False, 0.1], ["b", 1.52, 1.6, True, 0.01]],
        }
    if sound:
        value["sound"] = {
            "per_second": 50,
            "peaks": (0.6 * np.abs(np.sin(np.arange(2 * frames) * 1.9 / 50 * 2 * np.pi)) ** 2).round(3).tolist(),
        }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def write_bundle(
    path: Path,
    version: str,
    looks: Sequence[Look] = LOOKS,
    *,
    candidate: bool,
    frames: int = 60,
    family: str = "talking-head",
) -> Bundle:
    """A bundle without a verdict: run, calls, measurements, videos, series."""
    bundle = Bundle(path)
    path.mkdir(parents=True, exist_ok=True)
    calls, measurements = [], []
    for seed, look in enumerate(looks):
        level = look.after if candidate else look.before
        output = f"outputs/{look.name}/output.mp4"
        if level is None:
            error = "the model answered 500: out of memory"
            calls.append(Invocation(case=look.name, status="failed", error=error))
        else:
            error = None
            calls.append(Invocation(case=look.name, status="ok", output=output, latency_s=0.8, peak_memory_mib=106.0))
            write_video(path / output, frames=frames)
            dip = look.dip if candidate else None
            write_frames(
                bundle.outputs / look.name / "frames.json",
                frames=frames,
                level=level - (0.8 if candidate else 0),
                dip=dip,
                seed=seed + 100 * candidate,
            )
        for metric, value in (("lse_d", level), ("jitter", 0.2 + 0.001 * seed), ("latency", 0.8 + 0.01 * seed)):
            measurements.append(
                Measurement(
                    case=look.name,
                    metric=metric,
                    value=None if level is None else value,
                    slices=list(look.slices),
                    extractor=EXTRACTOR if metric == "lse_d" else None,
                    error=error,
                )
            )
    measurements.append(Measurement(case="*", metric="fid", value=0.24 if candidate else 0.25))
    bundle.write_invocations(calls)
    bundle.write_measurements(measurements)
    bundle.update_run(
        Run(
            penstock="0.1.0",
            run_id=f"run-{version}",
            model="sonic-lite",
            family=family,
            source=Source(
                url="https://git.example.org/sonic-lite.git",
                revision=f"v{version}",
                commit=("c" if candidate else "b") * 40,
                committer_date="2026-05-04T09:00:00+00:00",
                version=version,
                tree="7" * 64,
            ),
            suite=SuiteRecord(digest=SUITE, cases=len(looks)),
            extractors={"lipsync": EXTRACTOR},
            steps=[StepRecord(name="clone", status="done", started="2026-05-04T09:10:00+00:00", seconds=0.9)],
        )
    )
    return bundle


def rule(metric: str, verdict: str, reason: str, limit: str, **more: object) -> RuleResult:
    """One rule's answer, with the fields that a test does not speak about filled in."""
    known = {"slice": None, "baseline": None, "candidate": None, "change": None, "interval": None, "n": 7}
    written = {"metric": metric, "verdict": verdict, "reason": reason, "limit": limit} | known | more
    return completed(RuleResult.model_validate(written))


def mixed_verdict() -> Verdict:
    """One rule of each kind."""
    over = "no more than +5 % over the baseline"
    waiver = WaiverRecord(reason="new microphone, see ticket 41", author="Ada", expires="2026-12-31")
    gone = WaiverRecord(reason="until the new suite is there", author="Bo", expires="2026-01-31", expired=True)
    lse = {"baseline": 7.3, "candidate": 8.3, "change": 1.0}
    rules = [
        rule("latency", "pass", "latency stayed at 0.83 s", "≤ 2 s", baseline=0.83, candidate=0.83, change=0.0),
        rule(
            "lse_d", "fail", "LSE-D rose from 7.3 to 8.3 (+13.7 %), more than the allowed +5 %", f"≤ 9, {over}"
        ).model_copy(update=lse | {"interval": (0.55, 1.45)}),
        rule("lse_d", "inconclusive", "LSE-D rose from 7.35 to 8.75 (+19 %), perhaps too much", over).model_copy(
            update={
                "slice": "fast-speech",
                "baseline": 7.35,
                "candidate": 8.75,
                "change": 1.4,
                "interval": (-0.2, 3.0),
                "needed": 46,
                "n": 2,
            }
        ),
        rule("jitter", "fail", "jitter rose from 0.19 to 0.20 (+8 %), more than the allowed +5 %", over).model_copy(
            update={
                "baseline": 0.19,
                "candidate": 0.205,
                "change": 0.015,
                "interval": (0.012, 0.018),
                "waiver": waiver,
            }
        ),
        rule("fid", "fail", "FID rose from 0.20 to 0.24 (+20 %), more than the allowed +5 %", over).model_copy(
            update={"baseline": 0.2, "candidate": 0.24, "change": 0.04, "n": 1, "waiver": gone}
        ),
        rule("lse_d", "fail", "LSE-D rose from 6.6 to 7.9 (+19 %), more than the allowed +5 %", over).model_copy(
            update={
                "slice": "slow-speech",
                "baseline": 6.6,
                "candidate": 7.9,
                "change": 1.3,
                "n": 1,
                "severity": "warn",
                "advisory": True,
            }
        ),
    ]
    return Verdict(
        verdict="fail",
        baseline="run-1.0.0",
        candidate="run-1.1.0",
        level=0.05,
        rules=[completed(found) for found in rules],
    )


def write_history(bundle: Bundle, values: Sequence[float | None] = (8.1, 7.9, 8.0, None, 7.6, 7.4, 7.5, 7.3)) -> None:
    """Releases with an LSE-D each; ``None`` is one whose bundle could not be read, the first had another extractor."""
    releases = []
    for number, value in enumerate(values):
        day = f"2026-0{number % 9 + 1}-03"
        release = PastRelease(run_id=f"run-0.{number}", version=f"0.{number}.0", time=day, suite=SUITE)
        if value is None:
            release = release.model_copy(update={"note": "its bundle cannot be read: the store has no such run"})
        else:
            extractor = EXTRACTOR if number else "syncnet-older@sha256:" + "ab" * 32
            slices = {"fast-speech": value + 0.1, "slow-speech": value - 0.4}
            past = PastValue(mean=value, n=7, extractor=extractor, slices=slices)
            release = release.model_copy(
                update={"metrics": {"lse_d": past, "jitter": PastValue(mean=0.19 + 0.002 * number, n=7)}}
            )
        releases.append(release)
    write_model(bundle.path / HISTORY_FILE, History(model="sonic-lite", releases=releases))
