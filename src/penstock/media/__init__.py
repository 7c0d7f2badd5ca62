"""Decoding of video, audio and images that nobody has checked before.

- ``probe(path) -> MediaInfo``: what a file says it holds, without decoding it.
- ``read_frames(path, fps=25)``: uint8 BGR frames, upright, at a constant rate (or each one as it is with ``fps=None``).
- ``read_reference_frames(path)``: the same through the lossy JPEG that the reference implementation of SyncNet works
  on.
- ``frame_times(path)``: when each frame is shown. ``read_audio(path, rate=16000)``: int16 mono.
 Every file is opened by this package only, as a regular file and through a Python file object, and only the containers
of ``container.FORMATS`` are recognised: no playlist, no URL, no other file is ever followed. What is missing, empty,
damaged, truncated or too large is one :class:`penstock.foundation.errors.UsageError` that names the file.
"""

from penstock.media.audio import read_audio
from penstock.media.container import AudioInfo, MediaInfo, MediaLimits, VideoInfo, probe
from penstock.media.jpeg import read_reference_frames
from penstock.media.video import frame_times, read_frames

__all__ = [
    "AudioInfo",
    "MediaInfo",
    "MediaLimits",
    "VideoInfo",
    "frame_times",
    "probe",
    "read_audio",
    "read_frames",
    "read_reference_frames",
]
