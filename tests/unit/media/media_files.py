"""Small media files made on the spot."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np


def picture(number: int, width: int = 64, height: int = 48) -> np.ndarray:
    """A frame whose grey value tells its number (up to 49) in steps of 4, so that lossy coding cannot hide it."""
    frame = np.full((height, width, 3), 40 + 4 * (number % 50), np.uint8)
    frame[: height // 4, : width // 4] = 250
    return frame


def tone(seconds: float, rate: int = 16_000, channels: int = 1) -> np.ndarray:
    """A 220 Hz tone, int16 ``(channels, n)``."""
    at = np.arange(round(seconds * rate)) / rate
    return np.tile((9000 * np.sin(2 * np.pi * 220 * at)).astype(np.int16), (channels, 1))


def write_clip(
    path: Path,
    frames: Sequence[np.ndarray] = (),
    *,
    fps: int = 25,
    times: Sequence[Fraction] | None = None,
    sound: np.ndarray | None = None,
    rate: int = 16_000,
    codec: str = "libx264",
    audio_codec: str = "pcm_s16le",
    pix_fmt: str = "yuv420p",
    options: dict[str, str] | None = None,
) -> Path:
    """Write frames (BGR) and sound to a file whose suffix names the container; ``times`` makes the frame rate
    variable.
    """
    with av.open(str(path), "w", options=options or {}) as container:
        video = audio = None
        if len(frames):
            quality = {"crf": "8", "bf": "0"} if codec == "libx264" else {}
            video = container.add_stream(codec, rate=fps, options=quality)
            video.height, video.width = frames[0].shape[:2]
            video.pix_fmt = pix_fmt
            if times is not None:
                video.codec_context.time_base = Fraction(1, 1000)
        if sound is not None:
            audio = container.add_stream(audio_codec, rate=rate, layout="mono" if len(sound) == 1 else "stereo")
        for number, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="bgr24")
            frame.pts = number if times is None else round(times[number] * 1000)
            frame.time_base = Fraction(1, fps) if times is None else Fraction(1, 1000)
            container.mux(video.encode(frame))
        if video is not None:
            container.mux(video.encode(None))
        if audio is not None:
            planar = audio.codec_context.format.is_planar
            samples = sound if planar else np.ascontiguousarray(sound.T).reshape(1, -1)
            layout = "mono" if len(sound) == 1 else "stereo"
            block = av.AudioFrame.from_ndarray(samples, format="s16p" if planar else "s16", layout=layout)
            block.sample_rate, block.pts, block.time_base = rate, 0, Fraction(1, rate)
            container.mux(audio.encode(block))
            container.mux(audio.encode(None))
    return path


def numbers(frames) -> list[int]:
    """The numbers of frames that :func:`picture` made, as far as lossy coding tells."""
    return [round((float(np.median(frame)) - 38) / 4) for frame in frames]
