"""Where releases are kept: the platform's ``targets.yaml`` decides, if it names a store."""

from __future__ import annotations

from pathlib import Path

from penstock.foundation.errors import UsageError
from penstock.targets.targets_file import load_targets


def platform_store(targets: Path | None, given: str) -> str:
    """The store that an act is about.

    What was withdrawn, what is current and who has a target is what a store says: were it another than the platform's,
    two could change one target at once.

    Args:
        targets: the platform's ``targets.yaml``; ``None``: there is none, so nobody but the caller says it.
        given: what who acts says; empty: nothing.

    Returns:
        Its location; empty: neither says one.

    Raises:
        UsageError: both do, and they differ; the file is not valid.
    """
    named = load_targets(targets).store if targets is not None else None
    if named is None:
        return given
    if given and _place(given) != _place(named):
        raise UsageError(
            f"the platform keeps its releases in '{named}'",
            where=f"store '{given[:200]}'",
            todo=f"Leave the store out: {targets} names it.",
        )
    return named


def _place(location: str) -> str:
    return location.rstrip("/") if "://" in location else str(Path(location).expanduser().resolve())
