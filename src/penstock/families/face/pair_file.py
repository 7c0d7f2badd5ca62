"""A CSV file of comparisons: ``score``, ``same``, and whose pairs they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from penstock.families.score_columns import flag, name, number, read_columns
from penstock.foundation.errors import UsageError
from penstock.metrics.verification import PairScores, sort_pairs
from penstock.metrics.verification_scores import Owners, sort_owned_pairs

FIRST, SECOND = "identity_a", "identity_b"


def read_pairs(path: Path) -> tuple[PairScores, Owners | None]:
    """Read comparisons; without the columns of identities these are not known.

    Raises:
        UsageError: the file cannot be read, a field is not what it must be, one column of identities is missing, a pair
            is called the same and has two identities or the other way round, or there are no pairs of one kind.
    """
    table = read_columns(path, {"score": number, "same": flag}, {FIRST: name, SECOND: name})
    if len(table.named) == 1:
        (there,) = table.named
        what = f"there is a column '{there}', and its partner is missing"
        raise UsageError(what, where=f"{path}:1", todo=f"Give both, '{FIRST}' and '{SECOND}', or neither.")
    scores, same = table.numbers["score"], table.flags["same"]
    if same.all() or not same.any():
        kind = "impostor pairs (same = 0)" if same.all() else "genuine pairs (same = 1)"
        raise UsageError(f"there are no {kind}", where=str(path), todo="Error rates need pairs of both kinds.")
    if not table.named:
        return sort_pairs(scores, same), None
    first, second = table.named[FIRST], table.named[SECOND]
    if len(wrong := np.flatnonzero((first == second) != same)):
        row = int(wrong[0])
        names = f"'{table.names[first[row]][:40]}' and '{table.names[second[row]][:40]}'"
        raise table.error(row, f"same is {int(same[row])}, and the identities are {names}", "One of them is wrong.")
    return sort_owned_pairs(scores, same, first, second, len(table.names))
