"""Make `suite/suite.yaml` and `suite/reference/` of `test-assets/models/sonic-lite/base`.

    python -m training.make_sonic_lite_suite

The reference is what good frames look like: the suite's portraits, moved by the *true* mouth tracks (from the
synthesiser's phonemes, not from the network), without the model's softening and finely encoded: every second frame of
every case, one short video a case, for FID and KID. Needs `libespeak-ng`.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
import soundfile
import yaml

from training.make_portraits import SEEDS
from training.make_speech import DEMO
from training.speech import speak
from training.talker import CANVAS, Face
from training.visemes import mouth_track

ASSETS = Path(__file__).resolve().parents[1] / "test-assets"
MODEL = ASSETS / "models" / "sonic-lite" / "base"
SIZE = 256
EVERY = 2
CRF = "8"
ASTRONAUT_FACE = (164.0, 80.0, 184.0, 216.0)
"""Forehead to chin, measured by hand in `portraits/astronaut.png`: x, y, width, height in pixels of 512."""


@dataclass(frozen=True)
class Case:
    """A portrait, what it says, and what kind of case that is."""

    portrait: str
    speech: str
    slices: tuple[str, ...]


CASES = {
    "astronaut-english": Case("astronaut", "en-us-f3-01", ("real-portrait", "english", "smoke")),
    "astronaut-german": Case("astronaut", "de-f3-01", ("real-portrait", "german")),
    "drawn-01-fast": Case("drawn-01", "en-us-f5-fast-01", ("drawn", "fast-speech", "english")),
    "drawn-02-english": Case("drawn-02", "en-us-m3-01", ("drawn", "english", "smoke")),
    "drawn-02-slow": Case("drawn-02", "it-m3-slow-01", ("drawn", "slow-speech", "italian")),
    "drawn-03-french": Case("drawn-03", "fr-m7-01", ("drawn", "french")),
    "drawn-04-fast": Case("drawn-04", "en-gb-m3-fast-01", ("drawn", "fast-speech", "english")),
    "drawn-05-spanish": Case("drawn-05", "es-f3-01", ("drawn", "spanish")),
}


def face_box(portrait: str) -> list[float]:
    """The face in the output as shares of the frame, rounded: for drawn people where they were drawn."""
    if portrait == "astronaut":
        box = ASTRONAUT_FACE
    else:
        box = Face.random(np.random.default_rng(SEEDS[int(portrait.removeprefix("drawn-")) - 1])).box
    return [round(value / CANVAS, 3) for value in box]


def suite() -> str:
    """The text of `suite.yaml`."""
    cases = []
    for name, case in CASES.items():
        duration = soundfile.info(ASSETS / "speech" / f"{case.speech}.flac").duration
        cases.append(
            {
                "name": name,
                "inputs": {"image": f"portraits/{case.portrait}.png", "audio": f"speech/{case.speech}.flac"},
                "parameters": {"duration": duration, "min_resolution": SIZE, "inference_steps": 25},
                "slices": list(case.slices),
                "face_box": face_box(case.portrait),
            }
        )
    head = "# Made by training/make_sonic_lite_suite.py. face_box: x, y, width, height as shares of the output frame.\n"
    whole = {"version": 1, "family": "talking-head", "reference": "reference", "cases": cases}
    return head + yaml.safe_dump(whole, sort_keys=False, default_flow_style=None, width=118)


def reference_frames(case: Case, seed: int) -> list[npt.NDArray[np.uint8]]:
    """The frames of one case, uint8 (SIZE, SIZE, 3), BGR, every `EVERY`-th of them."""
    sys.path.insert(0, str(MODEL))
    from sonic_lite import animate, motion, portrait  # type: ignore[import-not-found]

    animate.SOFTNESS = 0.0
    said = DEMO[case.speech]
    # In a process of its own, as the recording was made: espeak-ng carries state from one call to the next.
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        speech = pool.apply(speak, (said.text, said.voice), {"rate": said.rate, "pitch": said.pitch})
    count = round(soundfile.info(ASSETS / "speech" / f"{case.speech}.flac").duration * 25)
    track = mouth_track(speech.phonemes, count)
    head = motion.sway(count, np.random.default_rng(seed)).astype(np.float32)
    movement = motion.Motion(track, np.ones(count, np.float32), head)
    image = portrait.decode((ASSETS / "portraits" / f"{case.portrait}.png").read_bytes(), SIZE)
    animator = animate.Animator(image, portrait.FaceLocator().locate(image), 0.18)
    return list(animator.frames(movement))[::EVERY]


def write_video(path: Path, frames: list[npt.NDArray[np.uint8]]) -> None:
    """Write the frames as H.264, fine and slow."""
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "veryslow", "crf": CRF, "threads": "1"})
        stream.width, stream.height, stream.pix_fmt = SIZE, SIZE, "yuv420p"
        for index, picture in enumerate(frames):
            planes = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420), np.uint8)
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def main(argv: list[str] | None = None) -> int:
    """Write suite and reference, and print the sizes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=MODEL / "suite")
    out: Path = parser.parse_args(argv).out
    (out / "reference").mkdir(parents=True, exist_ok=True)
    (out / "suite.yaml").write_text(suite(), encoding="utf-8")
    for seed, (name, case) in enumerate(CASES.items()):
        path = out / "reference" / f"{name}.mp4"
        frames = reference_frames(case, 1000 + seed)
        write_video(path, frames)
        print(f"{path.name}: {len(frames)} frames, {path.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
