"""Make `suite/suite.yaml`, `suite/speech/` and `suite/reference/` of `test-assets/models/sonic-lite/base`.

    python -m training.make_sonic_lite_suite

The sentences of `test-assets/speech` are cut where they are quietest, into parts of 1 to 2 s: many short cases say more
about a change than a few long ones, in the same time. The reference is what good frames look like: the suite's
portraits, moved by the *true* mouth tracks (from the synthesiser's phonemes, not from the network), without the model's
softening and finely encoded: every second frame of every case, one short video a case, for FID and KID. Needs
`libespeak-ng`.
"""

from __future__ import annotations

import argparse
import functools
import multiprocessing
import shutil
import sys
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
import soundfile
import yaml

from penstock.speech.align import align
from training.make_portraits import SEEDS
from training.make_speech import DEMO
from training.speech import SAMPLE_RATE, Speech, speak
from training.talker import CANVAS, Face
from training.visemes import mouth_track

ASSETS = Path(__file__).resolve().parents[1] / "test-assets"
MODEL = ASSETS / "models" / "sonic-lite" / "base"
SIZE = 256
FPS = 25
SAMPLES_A_FRAME = SAMPLE_RATE // FPS
EVERY = 2
CRF = "8"
ASTRONAUT_FACE = (164.0, 80.0, 184.0, 216.0)
"""Forehead to chin, measured by hand in `portraits/astronaut.png`: x, y, width, height in pixels of 512."""
IN_THREE = ("en-gb-m3-fast", "en-us-f5-fast", "en-us-m3", "it-m3-slow")
"""Sentences that are cut into three parts; the others into two."""
CUT_REACH_FRAMES = 3
"""How far from equal parts a cut may be, in frames."""

CASES: dict[str, tuple[str, ...]] = {
    "astronaut": ("de-f3-1", "de-f3-2", "en-us-f3-1", "en-us-f3-2"),
    "drawn-01": ("en-us-f5-fast-1", "en-us-f5-fast-2", "en-us-f5-fast-3", "en-gb-f5-1"),
    "drawn-02": ("en-us-m3-1", "en-us-m3-2", "it-m3-slow-1", "it-m3-slow-2"),
    "drawn-03": ("fr-m7-1", "fr-m7-2", "en-us-m7-slow-1", "en-us-m3-3"),
    "drawn-04": ("en-gb-m3-fast-1", "en-gb-m3-fast-2", "en-gb-m3-fast-3", "en-us-m7-slow-2"),
    "drawn-05": ("es-f3-1", "es-f3-2", "en-gb-f5-2", "it-m3-slow-3"),
}
"""Portrait → the parts of sentences that it says, each part once: `VOICE-N`, of `speech/VOICE-01.flac`."""
SMOKE = ("astronaut-de-f3-1", "drawn-02-en-us-m3-1")
LANGUAGES = {"de": "german", "en": "english", "es": "spanish", "fr": "french", "it": "italian"}


def cases() -> list[tuple[str, str, str]]:
    """Name, portrait and part of each case."""
    return [(f"{portrait}-{part}", portrait, part) for portrait, parts in CASES.items() for part in parts]


def slices(name: str, portrait: str, part: str) -> list[str]:
    """What kind of case that is."""
    found = ["real-portrait" if portrait == "astronaut" else "drawn"]
    found += [f"{pace}-speech" for pace in ("fast", "slow") if f"-{pace}-" in part]
    found.append(LANGUAGES[part[:2]])
    return found + ["smoke"] * (name in SMOKE)


@functools.cache
def sentence(voice: str) -> tuple[npt.NDArray[np.int16], tuple[int, ...]]:
    """The samples of a sentence, int16 `(n,)`, and the frames at which its parts begin and end."""
    samples, _ = soundfile.read(ASSETS / "speech" / f"{voice}-01.flac", dtype="int16")
    frames = len(samples) // SAMPLES_A_FRAME
    parts = 3 if voice in IN_THREE else 2
    pieces = samples[: frames * SAMPLES_A_FRAME].reshape(frames, SAMPLES_A_FRAME).astype(np.float64)
    energy = (pieces**2).sum(axis=1)
    around_cut = energy[:-1] + energy[1:]  # entry i: around the boundary of frames i and i + 1
    cuts = [0]
    for number in range(1, parts):
        first = frames * number // parts - CUT_REACH_FRAMES
        cuts.append(first + int(around_cut[first - 1 : first + 2 * CUT_REACH_FRAMES].argmin()))
    return samples, (*cuts, frames)


def frames_of(part: str) -> tuple[str, int, int]:
    """The voice of a part, and the frames of the sentence at which it begins and ends."""
    voice, _, number = part.rpartition("-")
    _, cuts = sentence(voice)
    return voice, cuts[int(number) - 1], cuts[int(number)]


def sound(part: str) -> npt.NDArray[np.int16]:
    """The samples of a part, int16 `(n,)`: whole frames."""
    voice, first, end = frames_of(part)
    return sentence(voice)[0][first * SAMPLES_A_FRAME : end * SAMPLES_A_FRAME]


def text(portrait: str, part: str) -> dict[str, str]:
    """What is said in an English part: the words whose middle lies in it. Lips that smile never meet: no text then."""
    if LANGUAGES[part[:2]] != "english" or portrait == "astronaut":
        return {}
    voice, first, end = frames_of(part)
    words = align(sentence(voice)[0], DEMO[f"{voice}-01"].text).words
    spoken = [word.text for word in words if first <= (word.start_s + word.end_s) / 2 * FPS < end]
    return {"text": " ".join(spoken)}


def face_box(portrait: str) -> list[float]:
    """The face in the output as shares of the frame, rounded: for drawn people where they were drawn."""
    if portrait == "astronaut":
        box = ASTRONAUT_FACE
    else:
        box = Face.random(np.random.default_rng(SEEDS[int(portrait.removeprefix("drawn-")) - 1])).box
    return [round(value / CANVAS, 3) for value in box]


def suite() -> str:
    """The text of `suite.yaml`."""
    entries = []
    for name, portrait, part in cases():
        _, first, end = frames_of(part)
        entries.append(
            {
                "name": name,
                "inputs": {"image": f"portraits/{portrait}.png", "audio": f"speech/{part}.flac"},
                "parameters": {"duration": (end - first) / FPS, "min_resolution": SIZE, "inference_steps": 25},
                "slices": slices(name, portrait, part),
                "face_box": face_box(portrait),
                **text(portrait, part),
            }
        )
    head = "# Made by training/make_sonic_lite_suite.py. face_box: x, y, width, height as shares of the output frame.\n"
    whole = {"version": 1, "family": "talking-head", "reference": "reference", "cases": entries}
    return head + yaml.safe_dump(whole, sort_keys=False, default_flow_style=None, width=118)


@functools.cache
def spoken(voice: str) -> Speech:
    """The sentence with its phonemes, said in a process of its own: espeak-ng carries state from call to call."""
    said = DEMO[f"{voice}-01"]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(speak, (said.text, said.voice), {"rate": said.rate, "pitch": said.pitch})


def reference_frames(portrait_name: str, part: str, seed: int) -> list[npt.NDArray[np.uint8]]:
    """The frames of one case, uint8 (SIZE, SIZE, 3), BGR, every `EVERY`-th of them."""
    sys.path.insert(0, str(MODEL))
    from sonic_lite import animate, motion, portrait  # type: ignore[import-not-found]

    animate.SOFTNESS = 0.0
    voice, first, end = frames_of(part)
    track = mouth_track(spoken(voice).phonemes, end)[first:]
    count = end - first
    head = motion.sway(count, np.random.default_rng(seed)).astype(np.float32)
    movement = motion.Motion(track, np.ones(count, np.float32), head)
    image = portrait.decode((ASSETS / "portraits" / f"{portrait_name}.png").read_bytes(), SIZE)
    animator = animate.Animator(image, portrait.FaceLocator().locate(image), 0.18)
    return list(animator.frames(movement))[::EVERY]


def write_video(path: Path, frames: list[npt.NDArray[np.uint8]]) -> None:
    """Write the frames as H.264, fine and slow."""
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"preset": "veryslow", "crf": CRF, "threads": "1"})
        stream.width, stream.height, stream.pix_fmt = SIZE, SIZE, "yuv420p"
        for index, picture in enumerate(frames):
            planes = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420), np.uint8)
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def main(argv: list[str] | None = None) -> int:
    """Write suite, speech and reference anew, and print the sizes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=MODEL / "suite")
    out: Path = parser.parse_args(argv).out
    for folder in ("speech", "reference"):
        shutil.rmtree(out / folder, ignore_errors=True)
        (out / folder).mkdir(parents=True)
    (out / "suite.yaml").write_text(suite(), encoding="utf-8")
    for seed, (name, portrait, part) in enumerate(cases()):
        speech = out / "speech" / f"{part}.flac"
        soundfile.write(speech, sound(part), SAMPLE_RATE, subtype="PCM_16", format="FLAC")
        video = out / "reference" / f"{name}.mp4"
        frames = reference_frames(portrait, part, 1000 + seed)
        write_video(video, frames)
        print(f"{name}: {len(frames)} frames, {video.stat().st_size} bytes, sound {speech.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
