"""The whole way from a request's files to a video."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from sonic_lite import audio, encode, portrait, spool
from sonic_lite.animate import Animator
from sonic_lite.motion import MotionModel
from sonic_lite.parameters import Parameters, RequestError

WEIGHTS = Path("weights") / "sonic-lite.safetensors"
MAX_DURATION_DIFFERENCE_S = 0.5


class Pipeline:
    """The loaded model."""

    def __init__(self, root: Path) -> None:
        """Load weights and face cascade from the repository at ``root``.

        Raises OSError, ValueError or KeyError where they are missing or broken.
        """
        self._motion = MotionModel(root / WEIGHTS)
        self._faces = portrait.FaceLocator()

    def generate(self, image: bytes, sound: bytes, parameters: Parameters) -> bytes:
        """An MP4 file of the portrait saying what the recording says. The same request gives the same file.

        Raises RequestError (422): a file that cannot be read, or a duration that is not the recording's.
        """
        samples = audio.decode(sound)
        heard = len(samples) / audio.SAMPLE_RATE
        if abs(heard - parameters.duration) > MAX_DURATION_DIFFERENCE_S:
            what = f"the duration is {parameters.duration:g} s but the audio lasts {heard:.2f} s"
            raise RequestError(422, what, field="duration")
        picture = portrait.decode(image, parameters.size)
        seed = int.from_bytes(hashlib.sha256(image + sound).digest()[:8], "little")
        frames = frame_count(parameters.duration)
        motion = self._motion.animate(samples, frames, parameters, np.random.default_rng(seed))
        animator = Animator(picture, self._faces.locate(picture), parameters.expand_ratio)
        spooled = spool.through_file(animator.frames(motion), frames, parameters.size)
        return encode.encode(spooled, frames, parameters.size, samples)


def frame_count(duration: float) -> int:
    """How many frames a video of ``duration`` seconds has."""
    return max(round(duration * audio.FPS), 1)
