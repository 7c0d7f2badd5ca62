"""Put every case of the suite to the model and keep what came back."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.bundle.steps import recorded
from penstock.contract.load import load_contract, load_suite
from penstock.errors import WorldError
from penstock.families.once import infer_once
from penstock.tekton.step import log, param, progress, run_step, workspace


@dataclass(frozen=True)
class Arguments:
    """Run the model over the fixed cases."""

    slice: str = param("only the cases that carry this slice; empty: all", default="")
    require_all: bool = param("fail if any call failed (the verify track, which has no gate)", default=False)
    reuse: bool = param("take the outputs of an earlier run if nothing that they depend on has changed", default=True)
    url: str = param("a model service that already runs (a sidecar); empty: start it", default="")
    source: Path = workspace("the model's repository")
    bundle: Path = workspace("the run's bundle")
    cache: Path = workspace("what outlives a run")


RESULTS: tuple[str, ...] = ("calls", "failed")


def step(arguments: Arguments) -> dict[str, str]:
    """Start the model, wait for it, put the cases to it, one line a call."""
    bundle = Bundle(arguments.bundle)
    contract = load_contract(arguments.source)
    suite = load_suite(arguments.source, contract).only(arguments.slice)
    with recorded(bundle, "infer") as note:
        calls, note.unchanged = infer_once(
            contract,
            suite,
            arguments.source,
            bundle,
            cache=arguments.cache if arguments.reuse else None,
            url=arguments.url or None,
            on_progress=progress,
        )
        failed = [call for call in calls if call.status != "ok"]
        suite_record = bundle.run().suite
        note.inputs = suite_record.digest if suite_record else ""
        note.note = (
            "unchanged: outputs of an earlier run"
            if note.unchanged
            else f"{len(calls) - len(failed)} of {len(calls)} calls ok"
        )
    for call in failed:
        log("case failed", case=call.case, status=call.status, error=call.error)
    if failed and arguments.require_all:
        raise WorldError(
            f"{len(failed)} of {len(calls)} calls failed, first: {failed[0].error}", where=f"case {failed[0].case}"
        )
    return {"calls": str(len(calls)), "failed": str(len(failed))}


def main(argv: Sequence[str] | None = None) -> int:
    """Console script ``penstock-infer``."""
    return run_step("infer", Arguments, RESULTS, step, argv)


if __name__ == "__main__":
    sys.exit(main())
