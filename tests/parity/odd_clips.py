"""Small clips of every odd kind, made on the spot."""

from collections.abc import Sequence
from fractions import Fraction

import av
import numpy as np

BITS = 8
_CELL = 16


def numbered(number, width=BITS * _CELL, height=96):
    """A picture whose number (0 to 255) is written in black and white cells, so that no codec can hide it."""
    picture = np.full((height, width, 3), 60, np.uint8)
    for bit in range(BITS):
        if number >> bit & 1:
            picture[height // 3 : 2 * height // 3, bit * _CELL : (bit + 1) * _CELL] = 200
    return picture


def numbers(frames):
    """What :func:`numbered` wrote."""
    return [
        sum(1 << bit for bit in range(BITS) if frame[len(frame) // 2, bit * _CELL + _CELL // 2].mean() > 130)
        for frame in frames
    ]


def moving(count, width=224, height=224, seed=0):
    """A coloured scene with something like a mouth in motion and a little noise: uint8 ``(H, W, 3)`` BGR each."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    for number in range(count):
        waves = 100 + 50 * np.sin(x / 20 + number / 10)
        picture = np.stack([waves, 120 + 40 * np.cos(y / 15), 90 + x * 60 / width], axis=-1)
        open_ = 20 + 150 * abs(np.sin(number / 3))
        picture[(x - width / 2) ** 2 / 900 + (y - height * 0.7) ** 2 / open_ < 1] = (20, 10, 60)
        yield np.clip(picture + random.normal(0, 4, picture.shape), 0, 255).astype(np.uint8)


def voice(seconds, rate, channels=1, loudness=8000.0):
    """Something like speech, int16 ``(channels, n)``, each channel its own."""
    random = np.random.default_rng(3)
    at = np.arange(round(seconds * rate)) / rate
    rows = [
        loudness * np.sin(2 * np.pi * (200 + 37 * channel) * at) * np.abs(np.sin(at * 25 / 3))
        + random.normal(0, loudness / 25, at.size)
        for channel in range(channels)
    ]
    return np.clip(np.stack(rows), -32_768, 32_767).astype(np.int16)


def write(
    path,
    frames=(),
    *,
    rate: Fraction | int = 25,
    times: Sequence[Fraction] | None = None,
    codec="libx264",
    pix_fmt="yuv420p",
    options=None,
    color_range=None,
    colorspace=None,
    pixel_aspect=None,
    sound=None,
    sound_rate=16_000,
    sound_codec="aac",
    layout="mono",
    sound_start=Fraction(0),
):
    """Write frames and sound; ``times`` (seconds) makes the rate variable."""
    tick = Fraction(1, 1000) if times is not None else 1 / Fraction(rate)
    quality = {"crf": "12", "rc-lookahead": "0", "mbtree": "0"} if codec == "libx264" else {}
    with av.open(str(path), "w") as container:
        video = audio = None
        for number, pixels in enumerate(frames):
            if video is None:
                video = container.add_stream(codec, rate=rate, options=quality | (options or {}))
                video.height, video.width = pixels.shape[:2]
                video.pix_fmt = pix_fmt
                if times is not None:
                    video.codec_context.time_base = tick
                if color_range:
                    video.codec_context.color_range = color_range
                if colorspace:
                    video.codec_context.colorspace = colorspace
                if pixel_aspect:
                    video.codec_context.sample_aspect_ratio = pixel_aspect
                if sound is not None:
                    audio = container.add_stream(sound_codec, rate=sound_rate, layout=layout)
            frame = av.VideoFrame.from_ndarray(pixels, format="bgr24").reformat(format=pix_fmt)
            frame.pts = number if times is None else round(times[number] / tick)
            frame.time_base = tick
            container.mux(video.encode(frame))
        if sound is not None:
            audio = audio or container.add_stream(sound_codec, rate=sound_rate, layout=layout)
            packed = np.ascontiguousarray(sound.T).reshape(1, -1)
            block = av.AudioFrame.from_ndarray(packed, format="s16", layout=layout)
            block.sample_rate, block.time_base = sound_rate, Fraction(1, sound_rate)
            block.pts = round(sound_start * sound_rate)
            container.mux(audio.encode(block))
            container.mux(audio.encode(None))
        if video is not None:
            container.mux(video.encode(None))
    return path
