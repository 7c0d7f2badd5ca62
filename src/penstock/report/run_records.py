"""One side of a comparison, read once: a bundle's records."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from penstock.bundle.directory import Bundle
from penstock.bundle.models import WHOLE_SUITE, Invocation, Measurement, Run


@dataclass(frozen=True)
class Side:
    """What a bundle says of itself. A bare one, with nothing but measurements, says little."""

    bundle: Bundle
    run: Run
    measurements: list[Measurement]
    calls: dict[str, Invocation]

    @property
    def name(self) -> str:
        """The version, else the run's id."""
        return self.run.source.version if self.run.source else self.run.run_id

    def of_cases(self, cases: Iterable[str]) -> Side:
        """What it says of these cases alone, and of the whole suite."""
        wanted = {*cases, WHOLE_SUITE}
        kept = [item for item in self.measurements if item.case in wanted]
        return Side(self.bundle, self.run, kept, {name: call for name, call in self.calls.items() if name in wanted})

    @property
    def date(self) -> str:
        """The day on which it ran, or nothing."""
        return self.run.steps[0].started[:10] if self.run.steps else ""


def read_side(bundle: Bundle) -> Side:
    """Read a bundle's records; ``run.json`` and ``invocations.jsonl`` may be absent.

    Raises:
        UsageError: there are no measurements, or a record is broken.
    """
    run = bundle.run() if bundle.run_file.exists() else Run(penstock="", track="", run_id=bundle.path.resolve().name)
    calls = bundle.invocations() if bundle.invocations_file.exists() else []
    return Side(bundle, run, bundle.measurements(), {call.case: call for call in calls})
