"""What every kind of target can do."""

from __future__ import annotations

from typing import Protocol

from penstock.targets.pair import ServedPair


class TargetDriver(Protocol):
    """One target, for one change. Whatever it raises is a :class:`penstock.foundation.errors.PenstockError`."""

    @property
    def longest_s(self) -> float:
        """So many seconds a change takes at most, putting back included."""

    def check(self, pair: ServedPair) -> None:
        """Refuse a pair that the target cannot serve as a whole. Nothing is changed."""

    def state(self) -> str:
        """What serves now, in the target's own words: :meth:`restore` gets them."""

    def deploy(self, pair: ServedPair, current: ServedPair | None) -> None:
        """Let the pair serve, and return once it does.

        Args:
            pair: what is to be served.
            current: what Penstock last brought there, if that is known.

        Raises:
            PenstockError: it does not serve; :meth:`restore` has not been called.
        """

    def restore(self, state: str) -> None:
        """Let serve again what served before, also where ``deploy`` came half-way or not even to its beginning."""
