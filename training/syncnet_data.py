"""Clips for the compact SyncNet: the sound's MFCC, a face that says it well, and the same face saying it badly."""

from __future__ import annotations

import io
from dataclasses import dataclass
from fractions import Fraction

import av
import cv2
import numpy as np
import numpy.typing as npt

from penstock.metrics.mfcc import mfcc
from training.face import Face, Image
from training.sentences import Utterance, held_out_utterance, training_utterance
from training.speech import SAMPLE_RATE, speak
from training.talker import render
from training.visemes import defective, mouth_track

FPS = 25.0
CLIP_FRAMES = 84
TRAINING_SEEDS = range(900_000)
HELD_OUT_SEEDS = range(1_000_000, 1_100_000)

CROP_TOP, CROP_LEFT, CROP_SIDE = 66, 52, 120
"""What of a 224 x 224 face crop the network looks at: the lower face, with room for a crop that is off."""
INPUT_SIDE = 40

Track = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Clip:
    """mfcc: float32 (13, T). good, bad: uint8 (frames, 40, 40, 3), BGR. track: float32 (frames, 3), what was said.

    margin: by which share the bad one's distance has to exceed the good one's.
    """

    mfcc: npt.NDArray[np.float32]
    good: Image
    bad: Image
    track: Track
    margin: float


def look(frames: Image) -> Image:
    """What the network sees of uint8 (n, 224, 224, 3) frames: (n, 40, 40, 3); the ONNX graph does the same."""
    cut = frames[:, CROP_TOP : CROP_TOP + CROP_SIDE, CROP_LEFT : CROP_LEFT + CROP_SIDE]
    small = [cv2.resize(frame, (INPUT_SIDE, INPUT_SIDE), interpolation=cv2.INTER_AREA) for frame in cut]
    return np.stack([np.asarray(frame, np.uint8) for frame in small])


def utterance_of(seed: int, frames: int = CLIP_FRAMES) -> tuple[Utterance, npt.NDArray[np.int16], Track]:
    """The seed's sentence, cut to `frames` frames: who says what, int16 samples at 16 kHz, float32 (frames, 3)."""
    rng = np.random.default_rng((seed, 1))
    utterance = held_out_utterance(rng) if seed in HELD_OUT_SEEDS else training_utterance(rng)
    speech = speak(utterance.text, utterance.voice, rate=utterance.rate, pitch=utterance.pitch)
    needed = round(frames / FPS * SAMPLE_RATE)
    whole = mouth_track(speech.phonemes, max(frames, int(speech.duration_s * FPS)))
    first = int(rng.integers(0, max(len(whole) - frames, 0) // 2 + 1))
    start = round(first / FPS * SAMPLE_RATE)
    samples = speech.samples[start : start + needed].astype(np.float64)
    samples = np.pad(samples, (0, needed - len(samples)))
    gain = float(rng.uniform(0.3, 1.3))
    noisy = samples * gain + rng.normal(0, float(rng.choice([0.5, 3.0, 25.0])), needed)
    return utterance, np.clip(np.round(noisy), -32768, 32767).astype(np.int16), whole[first : first + frames]


def make_clip(seed: int) -> Clip:
    """The clip of this seed; the same seed makes the same picture and words."""
    _, samples, track = utterance_of(seed)
    rng = np.random.default_rng((seed, 2))
    face = Face.random(rng)
    shown = track.copy()
    shown[:, 0] = np.clip(shown[:, 0] * rng.uniform(0.85, 1.1), 0, 1)
    worse, blur, margin = _worse(shown, rng)
    how = int(rng.integers(1 << 31))
    codec = float(rng.random())
    quality = float(rng.random())
    views = []
    for mouth, soft in ((shown, 0.0), (worse, blur)):
        frames = render(face, mouth, np.random.default_rng(how), mouth_blur=soft)
        views.append(look(degrade(frames, codec, quality)))
    return Clip(mfcc(samples), views[0], views[1], track, margin)


def _worse(track: Track, rng: np.random.Generator) -> tuple[Track, float, float]:
    """A fault that a release could have: the track, the mouth's blur (canvas pixels), and the margin to ask for."""
    kind = int(rng.integers(4))
    share = float(rng.random())
    if kind == 0:
        return defective(track, damping=0.7 - 0.4 * share), 0.0, 0.12 + 0.2 * share
    if kind == 1:
        return defective(track, smoothing=5 + int(4 * share)), 0.0, 0.15 + 0.2 * share
    if kind == 2:
        return defective(track, lag=0.8 + 1.4 * share), float(rng.uniform(0, 4)), 0.15 + 0.2 * share
    return track, 2.5 + 4 * share, 0.08 + 0.15 * share


def degrade(frames: Image, codec: float, quality: float) -> Image:
    """What storing does to a video. codec picks H.264 (< 0.5), JPEG (< 0.7) or none; quality 0 (poor) to 1."""
    if codec < 0.5:
        return through_h264(frames, crf=round(34 - 18 * quality))
    if codec < 0.7:
        level = [int(cv2.IMWRITE_JPEG_QUALITY), round(45 + 50 * quality)]
        decoded = [cv2.imdecode(cv2.imencode(".jpg", frame, level)[1], cv2.IMREAD_COLOR) for frame in frames]
        return np.stack([np.asarray(frame, np.uint8) for frame in decoded])
    if codec < 0.8:
        side = round(80 + 120 * quality)
        small = [cv2.resize(frame, (side, side), interpolation=cv2.INTER_AREA) for frame in frames]
        return np.stack([np.asarray(cv2.resize(frame, frames.shape[1:3]), np.uint8) for frame in small])
    return frames


def through_h264(frames: Image, crf: int = 23) -> Image:
    """Encode and decode; same shape."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(25), options={"crf": str(crf), "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], "yuv420p"
        stream.thread_count = 1
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="bgr24")))
        container.mux(stream.encode())
    buffer.seek(0)
    with av.open(buffer, "r") as container:
        container.streams.video[0].thread_count = 1
        return np.stack([frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]).astype(np.uint8)
