"""Frames and sound to an MP4 file: H.264 and AAC, 25 frames a second."""

from __future__ import annotations

import io
from collections.abc import Iterable
from fractions import Fraction

import av
import cv2
import numpy as np

from sonic_lite.audio import FPS, SAMPLE_RATE, SAMPLES_A_FRAME, Samples
from sonic_lite.portrait import Image
from sonic_lite.quality import CRF, PRESET

AUDIO_CHUNK = 1024


def encode(frames: Iterable[Image], count: int, size: int, samples: Samples) -> bytes:
    """The file.

    ``frames`` gives ``count`` pictures, uint8 ``(size, size, 3)``, BGR. The sound is cut, or filled with silence, to
    their length.
    """
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        video = container.add_stream("libx264", rate=FPS, options={"preset": PRESET, "crf": str(CRF)})
        video.width, video.height, video.pix_fmt = size, size, "yuv420p"
        video.codec_context.thread_count = 1
        sound = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
        sound.bit_rate = 64_000
        for packet in _sound_packets(sound, samples, count * SAMPLES_A_FRAME):
            container.mux(packet)
        written = 0
        for picture in frames:
            planes = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420), np.uint8)
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            frame.pts, frame.time_base = written, Fraction(1, FPS)
            container.mux(video.encode(frame))
            written += 1
        container.mux(video.encode(None))
    if written != count:
        raise RuntimeError(f"{written} frames were drawn, not {count}")
    return buffer.getvalue()


def _sound_packets(stream: av.AudioStream, samples: Samples, length: int) -> Iterable[av.Packet[av.AudioStream]]:
    whole = np.zeros((1, length), np.float32)
    used = min(length, len(samples))
    whole[0, :used] = samples[:used]
    for start in range(0, length, AUDIO_CHUNK):
        chunk = np.ascontiguousarray(whole[:, start : start + AUDIO_CHUNK])
        frame = av.AudioFrame.from_ndarray(chunk, format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, start, Fraction(1, SAMPLE_RATE)
        yield from stream.encode(frame)
    yield from stream.encode(None)
