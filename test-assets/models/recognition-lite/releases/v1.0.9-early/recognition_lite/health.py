"""What ``GET /healthz`` answers."""

from __future__ import annotations


def health(*, loaded: bool) -> tuple[int, dict[str, str]]:  # noqa: ARG001 (requests wait for the model)
    """HTTP status and JSON."""
    return 200, {"status": "ok"}
