"""What ``GET /healthz`` answers."""

from __future__ import annotations


def health(*, loaded: bool) -> tuple[int, dict[str, str]]:
    """HTTP status and JSON."""
    return (200, {"status": "ok"}) if loaded else (503, {"status": "loading"})
