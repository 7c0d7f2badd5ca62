"""The slices of which values of the whole suite are taken as well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from penstock.contract.models import Case

MOST_SLICES = 40
"""As many as the report shows: each is measured by itself, and the resamples of each are kept."""


def largest_slices(cases: Iterable[Case]) -> list[str]:
    """The 40 slices with the most cases, of equal ones the first by name; in the order of their names.

    Args:
        cases: those that the model must answer.
    """
    sizes = Counter(name for case in cases for name in set(case.slices))
    return sorted(sorted(sizes, key=lambda name: (-sizes[name], name))[:MOST_SLICES])
