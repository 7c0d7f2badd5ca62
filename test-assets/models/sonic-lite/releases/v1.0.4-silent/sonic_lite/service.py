"""The model behind the service, from before it is loaded."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sonic_lite import multipart, parameters
from sonic_lite.parameters import RequestError

if TYPE_CHECKING:
    from sonic_lite.pipeline import Pipeline


def log(event: str, **facts: Any) -> None:
    """One JSON line on standard error."""
    sys.stderr.write(json.dumps({"event": event, **facts}, ensure_ascii=True) + "\n")
    sys.stderr.flush()


class Service:
    """Loads the model once and draws one video at a time."""

    def __init__(self, root: Path) -> None:
        """root: the repository. Nothing is loaded yet."""
        self._root = root
        self._pipeline: Pipeline | None = None
        self._turn = threading.Lock()

    @property
    def ready(self) -> bool:
        """Whether the model is loaded. Waits for a load that goes on, so that the answer is never out of date."""
        with self._turn:
            return self._pipeline is not None

    def load(self) -> None:
        """Load the model. Raises OSError, ValueError or KeyError where its files are missing or broken."""
        from sonic_lite.pipeline import Pipeline  # slow to import: the port is open before it

        with self._turn:
            self._pipeline = Pipeline(self._root)
            log("loaded", ready=self.ready)

    def generate(self, content_type: str, body: bytes) -> bytes:
        """The video for a form. Raises RequestError for a request that is refused."""
        if not self.ready or self._pipeline is None:
            raise RequestError(503, "the model is loading")
        fields = multipart.parse(content_type, body)
        files = {}
        for name in ("image", "audio"):
            files[name] = fields.pop(name, b"")
            if not files[name]:
                raise RequestError(400, f"the file '{name}' is missing or empty", field=name)
        asked = parameters.parse(multipart.text(fields))
        with self._turn:
            return self._pipeline.generate(files["image"], files["audio"], asked)
