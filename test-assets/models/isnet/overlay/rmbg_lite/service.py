"""The model behind the service, from before it is loaded."""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rmbg_lite.request import RequestError, image_of

if TYPE_CHECKING:
    from rmbg_lite.backend import Backend

WEIGHTS = Path("weights") / "isnet.onnx"


def log(event: str, **facts: Any) -> None:
    """One JSON line on standard error."""
    sys.stderr.write(json.dumps({"event": event, **facts}, ensure_ascii=True) + "\n")
    sys.stderr.flush()


class Service:
    """Loads the model once and looks at one picture at a time."""

    def __init__(self, root: Path) -> None:
        """root: the repository. The variable ``WEIGHTS`` names the weights elsewhere."""
        self._weights = Path(os.environ.get("WEIGHTS") or root / WEIGHTS)
        self._backend: Backend | None = None
        self._turn = threading.Lock()

    @property
    def ready(self) -> bool:
        """Whether the model is loaded."""
        return self._backend is not None

    def load(self) -> None:
        """Load the model. Raises ValueError where its file is missing or broken."""
        from rmbg_lite import backend  # slow to import: the port is open before it

        self._backend = backend.OnnxBackend(self._weights)
        log("ready", weights=str(self._weights), backend=type(self._backend).__name__)

    def remove_background(self, body: bytes) -> bytes:
        """The answer's PNG. Raises RequestError for a request that is refused."""
        from rmbg_lite import pipeline

        if self._backend is None:
            raise RequestError(503, "the model is loading")
        content = image_of(body)
        with self._turn:
            return pipeline.remove_background(content, self._backend)
