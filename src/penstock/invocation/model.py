"""A model that can be called, however that is done, and what a call comes to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from penstock.bundle.models import Refusal
from penstock.contract.models import Case


@dataclass(frozen=True)
class CallResult:
    """What one call of a model came to. ``error`` says why it is not ``ok``."""

    status: Literal["ok", "failed", "timeout"]
    latency_s: float | None = None
    """Seconds from the request (or the start of the program) to the whole answer (or the program's end)."""
    http_status: int | None = None
    exit_code: int | None = None
    """Exit code of the process, minus the signal's number if a signal ended it; ``None`` while it lives."""
    peak_memory_mib: float | None = None
    gpu_memory_mib: float | None = None
    error: str | None = None
    refusal: Refusal | None = None
    """Of a call that the case expects to be refused: what came of that."""
    broken_off: bool = False
    """No whole answer came: the time was over, the connection broke or the model ended. Where several calls were under
    way, any of them may be the reason."""


class Model(Protocol):
    """A model that can be called."""

    @property
    def warm(self) -> bool:
        """Whether it has answered a call since it was started, so that no start-up cost is in the next latency."""

    def revive(self) -> int:
        """Start it again if it is gone, and return how often it was started: after each start, warm-up calls are due.

        A start that fails is what the next call reports.
        """

    def call(
        self, case: Case, inputs: dict[str, Path], output: Path, timeout_s: float, *, name: str = ""
    ) -> CallResult:
        """Put one case to it. On ``ok``, ``output`` is a regular, non-empty file of at most 1 GiB; else there is none,
        nor after a refusal that the case expects.

        A model that fails is a result, not an exception. ``name`` says which of the contract's ``calls`` is made. A
        service may be called from several threads.

        Raises:
            WorldError: our side failed (a full disk).
        """

    def others_took(self, gpu_mib: float) -> None:
        """Say that another model has taken so much GPU memory since this one was started, or given it back (< 0)."""

    def close(self) -> None:
        """End it and all its processes."""
