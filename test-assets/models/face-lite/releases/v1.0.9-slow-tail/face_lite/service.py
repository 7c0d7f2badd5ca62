"""The model behind the service, from before it is loaded."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from face_lite import bands
from face_lite.events import log
from face_lite.request import RequestError

if TYPE_CHECKING:
    from face_lite.recogniser import Recogniser, Seen

WEIGHTS = Path("weights") / "face-lite.onnx"
RENEWED_AFTER, WARM_UP = 15, 700
"""Requests, and the runs that bring new sessions up to speed."""
AT_ONCE, WAITING, PATIENCE_S = 2, 16, 10.0
"""So many requests are computed at once, so many wait for that, and no longer: more are refused."""
NO_FACE = "there is no face on the photograph"


class Service:
    """Loads the model once and looks at a few photographs at a time."""

    def __init__(self, root: Path) -> None:
        """root: the repository. The variable ``WEIGHTS`` names the weights elsewhere; the finder lies beside them."""
        self._weights = Path(os.environ.get("WEIGHTS") or root / WEIGHTS)
        self._recogniser: Recogniser | None = None
        self._answered = 0
        self._room = threading.BoundedSemaphore(AT_ONCE + WAITING)
        self._turn = threading.BoundedSemaphore(AT_ONCE)

    @property
    def ready(self) -> bool:
        """Whether the model is loaded."""
        return self._recogniser is not None

    def load(self) -> None:
        """Load the model. Raises OSError or ValueError where its files are missing or broken."""
        from face_lite.recogniser import Recogniser  # slow to import: the port is open before it

        self._recogniser = Recogniser(self._weights)
        log("ready", weights=str(self._weights))

    def feature(self, content: bytes) -> tuple[dict[str, Any], int]:
        """The answer of ``/feature`` and how many faces were found. Raises RequestError."""
        with self._admitted() as recogniser:
            seen = _seen(recogniser, content, "image")
        return {
            "feature": seen.feature.tolist(),
            "quality_score": seen.quality,
            "resolution": "112x112",
            "detected_face_area_ratio": seen.area,
        }, seen.faces

    def compare(self, contents: tuple[bytes, bytes]) -> tuple[dict[str, Any], int]:
        """The answer of ``/compare`` and how many faces were found. Raises RequestError."""
        from face_lite.recogniser import similarity

        with self._admitted() as recogniser:
            first, second = (_seen(recogniser, content, f"image{1 + k}") for k, content in enumerate(contents))
        scores = first.quality, second.quality
        return bands.comparison(similarity(first.feature, second.feature), scores), first.faces + second.faces

    def _renew(self) -> None:
        import numpy as np

        from face_lite.recogniser import Recogniser

        self._answered += 1
        if self._answered % RENEWED_AFTER == 0:
            self._recogniser = Recogniser(self._weights)
            for _ in range(WARM_UP):
                self._recogniser.see(np.full((160, 160, 3), 128, np.uint8))

    @contextmanager
    def _admitted(self) -> Iterator[Recogniser]:
        """Wait for one's turn. Raises RequestError (503) before the model is loaded and where too many wait."""
        if self._recogniser is None:
            raise RequestError(503, "the model is loading")
        if not self._room.acquire(blocking=False):
            raise RequestError(503, "too many requests are waiting: try again later")
        try:
            if not self._turn.acquire(timeout=PATIENCE_S):
                raise RequestError(503, "the request had to wait for too long: try again later")
            try:
                self._renew()
                yield self._recogniser
            finally:
                self._turn.release()
        finally:
            self._room.release()


def _seen(recogniser: Recogniser, content: bytes, field: str) -> Seen:
    from face_lite import picture

    seen = recogniser.see(picture.decode(content, field))
    if seen is None:
        raise RequestError(422, NO_FACE, field)
    return seen
