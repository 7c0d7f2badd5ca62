"""After the model has run: make one bundle of the shards, and keep the outputs for later runs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.checked_contract import read_checked
from penstock.bundle.directory import Bundle
from penstock.bundle.rerun_bundle import released_errors
from penstock.bundle.steps import recorded
from penstock.evaluation.collect import collect
from penstock.foundation.errors import WorldError
from penstock.steps.entrypoint import log, param, run_step, workspace


@dataclass(frozen=True)
class Arguments:
    """Merge the shards of the step infer."""

    slice: str = param("only the cases that carry this slice; empty: all", default="")
    require_all: bool = param("fail if any call failed, as on the verify track", default=False)
    released: bool = param("these are the released model's, run again beside the candidate", default=False)
    fork: bool = param("the code is a fork's: caches are read and not written", default=False)
    source: Path = workspace("the model's repository")
    bundle: Path = workspace("the run's bundle")
    cache: Path = workspace("what outlives a run")


RESULTS: tuple[str, ...] = ("calls", "failed")


def step(arguments: Arguments) -> dict[str, str]:
    """Merge, compare with the suite, and say which calls failed."""
    bundle = Bundle(arguments.bundle)
    checked = read_checked(bundle, arguments.source)
    suite = checked.suite().only(arguments.slice)
    with recorded(bundle, "collect") as note, released_errors(arguments.released):
        calls = collect(suite, bundle, cache=None if arguments.fork else arguments.cache)
        failed = [call for call in calls if call.status != "ok"]
        inference = bundle.run().inference
        if inference is not None and inference.unchanged:
            note.note = "outputs of an earlier run"
        elif inference is not None:
            note.note = f"the model was in use for {inference.used_s:.1f} s"
        if arguments.released and failed:
            # a case without a pair would count against the candidate
            raise WorldError(
                f"{len(failed)} of {len(calls)} calls of it failed, first: {failed[0].error}",
                where=f"case {failed[0].case}",
                todo="A case that it cannot do at all: take it out of the suite until a model is released that can.",
            )
    for call in failed:
        log("case failed", case=call.case, status=call.status, error=call.error)
    if failed and arguments.require_all:
        raise WorldError(
            f"{len(failed)} of {len(calls)} calls failed, first: {failed[0].error}", where=f"case {failed[0].case}"
        )
    return {"calls": str(len(calls)), "failed": str(len(failed))}


def main(argv: Sequence[str] | None = None) -> int:
    """Console script ``penstock-collect``."""
    return run_step("collect", Arguments, RESULTS, step, argv)


if __name__ == "__main__":
    sys.exit(main())
