"""SyncNet: how the features of sound and lips come from one ONNX file.

The interface of a SyncNet extractor (what `penstock weights import syncnet` writes and a compact net is exported to):

- input ``mfcc``: float32 ``(1, 1, 13, T)``, 13 MFCC coefficients by T columns of 10 ms (`penstock.metrics.mfcc`);
- input ``frames``: uint8 ``(n, 224, 224, 3)``, BGR, 0-255, the cast and any normalising are in the graph;
- output ``audio_features``: float32 ``((T - 20) // 4 + 1, D)``, row i sees the columns ``4 i : 4 i + 20``;
- output ``video_features``: float32 ``(n - 4, D)``, row i sees the frames ``i : i + 5``;
- T >= 20 and n >= 5; ``n`` and ``T`` are dynamic and independent of each other; D is the same in both (1024 in the
  published net);
- metadata_props: ``penstock.kind`` = ``syncnet``; ``penstock.name``, e.g. ``syncnet-compact`` or ``syncnet``
  (``[a-z0-9][a-z0-9.-]*``, at most 64 characters); ``penstock.source_sha256`` where the weights were imported from a
  checkpoint;
- opset <= 21 of the standard domain only, weights inside the file (at most 256 MiB), no custom operators.
 Row i of each output must depend on nothing but its own window, so that a long clip can be fed in pieces that overlap
by 4 frames.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from penstock.contract.arithmetic import DEFAULT, Arithmetic
from penstock.extractors.backend import Tensor
from penstock.extractors.extractor import Extractor, Interface, open_extractor
from penstock.foundation.errors import UsageError

FRAME_SIZE = 224
WINDOW_FRAMES = 5
WINDOW_COLUMNS = 20
COLUMNS_PER_FRAME = 4
WINDOWS_A_RUN = 4
"""Windows put through the network at a time: more is no faster on a CPU and costs some 20 MB each."""
_MAX_FEATURES = 8_192

INTERFACE = Interface(
    kind="syncnet",
    inputs={
        "mfcc": Tensor("tensor(float)", (1, 1, 13, "open")),
        "frames": Tensor("tensor(uint8)", ("open", FRAME_SIZE, FRAME_SIZE, 3)),
    },
    outputs={
        "audio_features": Tensor("tensor(float)", ("any", "any")),
        "video_features": Tensor("tensor(float)", ("any", "any")),
    },
)


class SyncNet:
    """A loaded SyncNet. ``label`` (``name@sha256:…``) goes with every value that was measured through it."""

    def __init__(self, extractor: Extractor) -> None:
        self._extractor = extractor

    @property
    def label(self) -> str:
        """As :attr:`penstock.extractors.extractor.Extractor.label`."""
        return self._extractor.label

    def features(
        self, frames: npt.NDArray[np.uint8], mfcc: npt.NDArray[np.float32]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Features of the lips and of the sound of as many windows as ``frames`` holds.

        Args:
            frames: uint8 ``(n, 224, 224, 3)`` BGR, n >= 5, 25 per second.
            mfcc: float32 ``(13, 4 (n - 5) + 20)`` or more columns: the sound of the same windows.

        Returns:
            float32 ``(n - 4, D)`` of the lips, float32 ``(n - 4, D)`` of the sound.

        Raises:
            UsageError: the network fails, or does not keep its interface.
        """
        windows = len(frames) - WINDOW_FRAMES + 1
        columns = COLUMNS_PER_FRAME * (windows - 1) + WINDOW_COLUMNS
        if windows < 1 or mfcc.shape[1] < columns:
            raise ValueError(
                f"{len(frames)} frames need 5 or more of them and {columns} columns of MFCC, not {mfcc.shape[1]}"
            )
        video: list[npt.NDArray[np.float32]] = []
        audio: list[npt.NDArray[np.float32]] = []
        for start in range(0, windows, WINDOWS_A_RUN):
            count = min(WINDOWS_A_RUN, windows - start)
            first = COLUMNS_PER_FRAME * start
            piece = mfcc[:, first : first + COLUMNS_PER_FRAME * (count - 1) + WINDOW_COLUMNS]
            feeds: dict[str, npt.NDArray[Any]] = {
                "frames": np.ascontiguousarray(frames[start : start + count + WINDOW_FRAMES - 1]),
                "mfcc": np.ascontiguousarray(piece)[None, None],
            }
            lips, sound = self._extractor.run(feeds, ("video_features", "audio_features"))
            if (
                lips.ndim != 2
                or lips.shape != sound.shape
                or len(lips) != count
                or not 1 <= lips.shape[1] <= _MAX_FEATURES
            ):
                raise UsageError(
                    f"the extractor answered {lips.shape} for the lips, {sound.shape} for the sound of {count} windows",
                    where=self.label,
                    todo="Its graph does not keep the interface of a SyncNet extractor; use another.",
                )
            video.append(lips)
            audio.append(sound)
        return np.concatenate(video), np.concatenate(audio)


def open_syncnet(path: Path, *, threads: int | None = None, arithmetic: Arithmetic = DEFAULT) -> SyncNet:
    """Load a SyncNet extractor.

    Raises:
        UsageError: the file is not one (see :func:`penstock.extractors.extractor.open_extractor`).
        WorldError: this machine cannot compute so.
    """
    return SyncNet(open_extractor(path, INTERFACE, threads=threads, arithmetic=arithmetic))
