"""Make values of what came of putting the model's service under load.

The load was put before this step, in the model's own image (:mod:`penstock_tasks.load.drive`).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.checked_contract import read_checked
from penstock.bundle.directory import Bundle
from penstock.bundle.load_record import load_part
from penstock.bundle.rerun_bundle import is_rerun, released_errors
from penstock.bundle.shards import Shard
from penstock.bundle.steps import recorded
from penstock.evaluation.load_values import add_load_values
from penstock.foundation.errors import UsageError, WorldError
from penstock.steps.entrypoint import log, param, run_step, shorten, workspace


@dataclass(frozen=True)
class Arguments:
    """Put what came of the load among the measurements."""

    part: str = param("which part of the load: 1/2 is the first half")
    source: Path = workspace("the model's repository")
    bundle: Path = workspace("the run's bundle")


RESULTS: tuple[str, ...] = ("fault",)


def step(arguments: Arguments) -> dict[str, str]:
    """Measure, once the last part is there. A service that does not hold is a result: the gate stops the release."""
    bundle, part = Bundle(arguments.bundle), Shard.parse(arguments.part)
    contract = read_checked(bundle, arguments.source).contract
    load = contract.load
    if load is None:
        raise UsageError("the contract has no load", where="penstock.yaml", todo="Write a section 'load'.")
    places = [Shard(number, part.of) for number in range(1, part.number + 1)]
    parts = [found for place in places if (found := load_part(bundle, place)) is not None]
    if len(parts) < len(places):
        raise UsageError("the load was not put", where=str(bundle.path), todo="Run the model's part of the step first.")
    fault = next((found.fault for found in parts if found.fault is not None), None)
    if fault is not None and is_rerun(bundle):
        with released_errors():
            raise WorldError(f"under load: {fault}", where="load")
    with recorded(bundle, "load") as note:
        if part.number == part.of:
            values = add_load_values(bundle, load, parts, [rule.metric for rule in contract.policy.rules])
            log("values", **{value.metric: value.value for value in values})
            note.note = fault or load.words
        else:
            note.note = fault or f"part {part}"
    return {"fault": shorten(fault or "", 400)}


def main(argv: Sequence[str] | None = None) -> int:
    """Console script ``penstock-load``."""
    return run_step("load", Arguments, RESULTS, step, argv)


if __name__ == "__main__":
    sys.exit(main())
