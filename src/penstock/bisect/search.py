"""The search for the first bad commit of a row: binary, past commits that give no answer. Knows nothing but indices."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

Answer = Literal["not worse", "worse", "skipped"]


class Search:
    """Narrows a row of commits, the oldest first, down to the first that is worse.

    Index 0 is known not to be worse, index ``last`` is known to be worse. Between them, ``low`` is the newest commit
    that was found not to be worse below ``high``, the oldest that was found to be worse: a row that goes to and fro
    still ends at a commit that is worse and whose predecessor is not. Commits that were skipped stay between the two.
    """

    def __init__(self, last: int) -> None:
        if last < 1:
            raise ValueError("there is nothing between a commit and itself")
        self.low = 0
        self.high = last
        self.skipped: set[int] = set()

    @property
    def open(self) -> list[int]:
        """Commits that could still be asked about, the oldest first."""
        return [index for index in range(self.low + 1, self.high) if index not in self.skipped]

    @property
    def suspects(self) -> list[int]:
        """The commits of which one is the first bad one: a single one once it is found."""
        return list(range(self.low + 1, self.high + 1))

    @property
    def asks_left(self) -> int:
        """How many further answers it takes at most if none of them is a skip."""
        return len(self.open).bit_length()

    def next(self, free: Collection[int] = ()) -> int | None:
        """The commit to ask about next; ``None`` when nothing is left to ask.

        The one nearest to the middle; after commits there that gave no answer one farther off, twice as far each time,
        as what broke one commit has mostly broken its neighbours too. Never farther than a quarter of the way to an
        end, so that each answer rules out a good part.

        Args:
            free: commits whose answer costs nothing, because they were measured before: they come first.
        """
        candidates = self.open
        costless = [index for index in candidates if index in free]
        if costless:
            return min(costless, key=self._off_middle)
        if not candidates:
            return None
        candidates.sort(key=self._off_middle)
        broken = sum(self.low < index < self.high for index in self.skipped)
        return candidates[min((1 << min(broken, 30)) - 1, (len(candidates) - 1) // 2)]

    def _off_middle(self, index: int) -> tuple[int, int]:
        # doubled, so that it stays a whole number; of two that are as near, the older one
        return abs(2 * index - (self.low + self.high)), index

    def tell(self, index: int, answer: Answer) -> None:
        """Take an answer about a commit between ``low`` and ``high``."""
        if not self.low < index < self.high:
            raise ValueError(f"{index} is not between {self.low} and {self.high}")
        if answer == "worse":
            self.high = index
        elif answer == "not worse":
            self.low = index
        else:
            self.skipped.add(index)
