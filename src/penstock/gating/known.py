"""What was measured of a model before, and how far the mean change of a metric may be off after that."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # *check* is often asked where nothing is known, and must be quick
    from penstock.gating.calibration import Calibration
    from penstock.gating.measurements import Table

Basis = Literal["comparisons", "noise", "stopped", "cases"]


@dataclass(frozen=True)
class Known:
    """What was measured of the model before."""

    baseline: Table | None = None
    pairs: Sequence[tuple[Table, Table]] = ()
    """What a changed model was compared with, and the model."""
    calibration: Calibration | None = None

    @property
    def anything(self) -> bool:
        """Whether there is anything to judge a suite by, beyond its size."""
        return self.baseline is not None or bool(self.pairs) or self.calibration is not None


@dataclass(frozen=True)
class Spread:
    """How far the mean change of a metric may be off, for any number of cases."""

    basis: Basis
    of_a_case: float
    """Standard deviation of one case's difference, in the metric's unit. It falls with √cases."""
    shared: float = 0.0
    """What moves all cases of a run together, in the metric's unit. More cases do not help against it."""
    seen: int = 1
    """Comparisons, or runs, that it was taken from."""

    @property
    def is_bound(self) -> bool:
        """Whether the error is no larger than this, and may be far smaller."""
        return self.basis in ("stopped", "cases")

    def error(self, cases: int) -> float:
        """Standard error of the mean change over so many cases."""
        return math.hypot(self.shared, self.of_a_case / math.sqrt(cases))
