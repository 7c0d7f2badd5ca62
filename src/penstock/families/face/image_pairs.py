"""A CSV file that says which images are compared: ``first``, ``second``, and whether they show the ``same`` person."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from penstock.families.score_columns import flag, name, read_columns
from penstock.foundation.errors import UsageError
from penstock.metrics.embeddings import MOST_VECTORS

FIRST, SECOND, SAME = "first", "second", "same"


@dataclass(frozen=True)
class ImagePairs:
    """Which images are compared.

    Attributes:
        path: of the file.
        names: of the images, all different, sorted: paths relative to their folder, or the names of stored vectors.
        first: int (n,): places in ``names``.
        second: the same.
        same: bool (n,): of both kinds there is one at least.
    """

    path: Path
    names: tuple[str, ...]
    first: npt.NDArray[np.intp]
    second: npt.NDArray[np.intp]
    same: npt.NDArray[np.bool_]

    def naming(self, image: str) -> str:
        """The first pair that names an image, in words: ``pair 3 of pairs.csv names it``."""
        place = self.names.index(image)
        number = int(np.flatnonzero((self.first == place) | (self.second == place))[0]) + 1
        return f"Pair {number} of {self.path} names it."

    def rows(self, names: npt.NDArray[np.str_] | None, where: Path) -> npt.NDArray[np.intp]:
        """Where each of the pairs' images stands among these.

        Raises:
            UsageError: one is not there, or they have no names.
        """
        places = {} if names is None else {str(each): row for row, each in enumerate(names)}
        if missing := next((each for each in self.names if each not in places), None):
            what = "the vectors have no names" if names is None else f"there is no image '{missing[:80]}'"
            raise UsageError(what, where=str(where), todo=self.naming(missing))
        return np.array([places[each] for each in self.names], np.intp)


def read_image_pairs(path: Path) -> ImagePairs:
    """Read which images are compared.

    Raises:
        UsageError: the file cannot be read, a column is missing or a field is not what it must be, an image lies
            outside the folder, there are too many, or there are no pairs of one kind.
    """
    table = read_columns(path, {SAME: flag}, {FIRST: name, SECOND: name})
    if absent := [column for column in (FIRST, SECOND) if column not in table.named]:
        todo = f"Columns: {FIRST}, {SECOND} (images), {SAME} (1 for one person, 0 for two)."
        raise UsageError(f"there is no column '{absent[0]}'", where=f"{path}:1", todo=todo)
    same = table.flags[SAME]
    if same.all() or not same.any():
        kind = "of two people (same = 0)" if same.all() else "of one person (same = 1)"
        raise UsageError(f"there are no pairs {kind}", where=str(path), todo="Error rates need pairs of both kinds.")
    if len(table.names) > MOST_VECTORS:
        todo = f"Give at most {MOST_VECTORS:,}."
        raise UsageError(f"there are {len(table.names):,} images", where=str(path), todo=todo)
    for each in table.names:
        if each.startswith("/") or ".." in each.split("/") or "\0" in each:
            raise UsageError(
                f"'{each[:80]}' is no image below the folder", where=str(path), todo="Give relative paths."
            )
    return ImagePairs(path, table.names, table.named[FIRST], table.named[SECOND], same)
