"""The model behind the service, from before it is loaded."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recognition_lite import logs
from recognition_lite.form import image_of
from recognition_lite.places import Places
from recognition_lite.request import RequestError

if TYPE_CHECKING:
    from recognition_lite.pipeline import Model


class Service:
    """Loads the model once and looks at several pictures at a time."""

    def __init__(self, root: Path) -> None:
        """root: the repository. The variable ``WEIGHTS`` names another folder of weights."""
        self._weights = Path(os.environ.get("WEIGHTS") or root / "weights")
        self._model: Model | None = None
        self._places = Places()

    @property
    def ready(self) -> bool:
        """Whether the model is loaded."""
        return self._model is not None

    def load(self) -> None:
        """Load the model. Raises ValueError, KeyError or OSError where its files are missing or broken."""
        from recognition_lite.pipeline import Model  # slow to import: the port is open before it

        self._model = Model(self._weights)
        logs.log("ready", weights=str(self._weights))

    def recognize(self, content_type: str, body: bytes) -> dict[str, Any]:
        """The answer to a form with a file ``image``. Raises RequestError for a request that is refused."""
        from recognition_lite.answer import answer

        if self._model is None:
            raise RequestError(503, "the model is loading")
        start = time.monotonic()
        file = image_of(content_type, body)
        with self._places.taken():
            seen = self._model.recognize(file)
        latency_ms = 1000 * (time.monotonic() - start)
        logs.recognized(file, len(seen.found), latency_ms)
        return answer(seen.found, seen.text, seen.size, latency_ms)
