"""Before the model runs: prove its inputs, look for outputs that hold, split the suite, and lay the driver out."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.bundle.steps import recorded
from penstock.contract.load import load_contract, load_suite
from penstock.errors import UsageError
from penstock.families.plan import plan
from penstock.invocation.runtime import provide_runtime
from penstock.tekton.step import log, param, run_step, workspace


@dataclass(frozen=True)
class Arguments:
    """Say what the step infer is to do, and in which image."""

    slice: str = param("only the cases that carry this slice; empty: all", default="")
    shards: int = param("how many parts the suite is split into, each put to a model of its own", default=1)
    reuse: bool = param("take the outputs of an earlier run if nothing that they depend on has changed", default=True)
    process_image: str = param(
        "the image in which the model runs as a process, where none was built", default="penstock.local/infer:0.1.0"
    )
    source: Path = workspace("the model's repository")
    bundle: Path = workspace("the run's bundle")
    cache: Path = workspace("what outlives a run")


RESULTS: tuple[str, ...] = ("unchanged", "shards", "runtime", "image")


def step(arguments: Arguments) -> dict[str, str]:
    """Check the suite's files, restore or split, and name the image that was built."""
    bundle = Bundle(arguments.bundle)
    contract = load_contract(arguments.source)
    suite = load_suite(arguments.source, contract).only(arguments.slice)
    with recorded(bundle, "plan") as note:
        image = bundle.run().image
        if image is None:
            raise UsageError(
                "the bundle does not say what was built", where=str(bundle.run_file), todo="Run the step build first."
            )
        cache = arguments.cache if arguments.reuse else None
        planned = plan(contract, suite, arguments.source, bundle, cache=cache, shards=arguments.shards)
        runtime = provide_runtime(arguments.cache)
        cases = f"{len(suite.cases)} cases"
        note.inputs = planned.suite_digest
        note.note = f"{cases}, outputs of an earlier run hold" if planned.unchanged else cases
        if len(planned.shards) > 1 and not planned.unchanged:
            note.note = f"{cases} in {len(planned.shards)} shards"
    if planned.unchanged:
        log("unchanged", what="nothing that the outputs depend on has changed: the model is not run again")
    return {
        "unchanged": str(planned.unchanged).lower(),
        "shards": json.dumps([str(shard) for shard in planned.shards], separators=(",", ":")),
        "runtime": runtime,
        "image": f"{image.url}@{image.digest}" if image.kind == "image" else arguments.process_image,
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Console script ``penstock-plan``."""
    return run_step("plan", Arguments, RESULTS, step, argv)


if __name__ == "__main__":
    sys.exit(main())
