"""The false accept rates at which a true accept rate is said; only the standard library, for who needs their names."""

from __future__ import annotations

from collections.abc import Mapping

ONE_IN: Mapping[str, int] = {f"1e-{power}": 10**power for power in range(1, 7)}
"""FAR as it is written → its inverse: 1 in so many."""
