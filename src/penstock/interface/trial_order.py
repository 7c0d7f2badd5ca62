"""What the process that tries a service is told, and what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from pydantic import Field

from penstock.bundle.interface_record import InterfaceFinding, TriedOperation
from penstock.bundle.record import Record

TRIAL: Final = "trial.json"
"""What was found so far; written anew after each operation, so that a process that is ended leaves what it had."""
BODIES: Final = "requests"
"""The folder of bodies that a command line cannot hold."""
MAX_KEPT_BODY: Final = 4 << 20


class GivenAnswer(Record):
    """One answer of the service to a case of the suite."""

    case: str
    method: str
    path: str
    """As it was sent, without its query."""
    status: int
    media_type: str = ""
    """Empty where it is not known: of what was refused, or taken out of JSON."""
    file: Path | None = None
    """What came, if it is JSON that was kept."""


class TrialOrder(Record):
    """One trial."""

    document: dict[str, Any]
    port: int
    """The service, on this loopback; nothing else is reached. 0: there is no service, answers alone are checked."""
    ready: str
    """A path that tells whether the service is still there."""
    examples: int
    seconds: float
    seed: int
    timeout_s: float
    """For one request."""
    inputs: list[Path]
    """Files of the suite: what is sent where the document wants a file."""
    answers: list[GivenAnswer]
    folder: Path
    """The only directory that may be written to."""
    readable: list[str]
    """What may be read beside the inputs and answers."""

    @property
    def origin(self) -> str:
        """Where the service is: ``http://127.0.0.1:40123``."""
        return f"http://127.0.0.1:{self.port}"


class Trial(Record):
    """What came of it."""

    tool: str
    answers: int = 0
    wrong_answers: int = 0
    complete: bool = False
    """Nothing was left to be done when it was written."""
    ended: str = ""
    """Why it ended before its time; empty: it did not."""
    seconds: float = 0.0
    operations: list[TriedOperation] = Field(default_factory=list)
    findings: list[InterfaceFinding] = Field(default_factory=list)
