"""The false accept rates at which a true accept rate is said, and what each takes; only the standard library, for who
needs no more than that before anything is measured.
"""

from __future__ import annotations

from collections.abc import Mapping

ONE_IN: Mapping[str, int] = {f"1e-{power}": 10**power for power in range(1, 7)}
"""FAR as it is written → its inverse: 1 in so many."""
ENOUGH = 10
"""Impostors that must be expected to be accepted at a FAR before a TAR is said for it."""


def too_few(one_in: int, impostors: int, *, of_identities: bool) -> str | None:
    """Why no TAR is said at this FAR, or ``None``.

    Args:
        one_in: the FAR's inverse.
        impostors: impostor pairs; of identities where these are known, since pairs of the same two tell little more.
        of_identities: whether they are.

    Example:
        >>> too_few(1000, 10_000, of_identities=False)
        >>> too_few(1000, 9_999, of_identities=True)
        '9,999 impostor pairs of identities; 10 ÷ FAR = 10,000 are needed'
    """
    needed = ENOUGH * one_in
    if impostors >= needed:
        return None
    return f"{impostors:,} impostor pairs{' of identities' if of_identities else ''}; 10 ÷ FAR = {needed:,} are needed"
