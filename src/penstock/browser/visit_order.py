"""What the process with the browser is told, and what it says in the end."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from penstock.bundle.record import Record
from penstock.contract.page import Page

VISIT = "visit.json"
STARTED = "started"
"""An empty file: the browser is there. Whatever breaks off after it, the page is the reason."""
RESULT = "result"
"""What the page showed, as it came; the name has no suffix: what it is nobody has looked at yet."""


class VisitOrder(Record):
    """One visit."""

    page: Page
    port: int
    """The service, on this loopback; the browser reaches nothing else."""
    inputs: dict[str, Path]
    """Input of the case → file."""
    folder: Path
    """The only directory in which the browser may write: what the visit leaves lies there, and its scratch."""
    program: str
    """The browser."""
    readable: list[str]
    """What it may read beside the inputs."""

    @property
    def origin(self) -> str:
        """Where the page is: ``http://127.0.0.1:40123``."""
        return f"http://127.0.0.1:{self.port}"


class Visit(Record):
    """What came of it."""

    fault: str | None = None
    browser: str = ""
    loaded_s: float | None = None
    result_s: float | None = None
    kept: bool = False
    """The file :data:`RESULT` is there."""
    console: int = 0
    errors: int = 0
    elsewhere: list[str] = Field(default_factory=list)
