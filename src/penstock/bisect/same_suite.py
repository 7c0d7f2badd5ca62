"""The step between *clone* and *weights*: the commit gets the suite and the extractors that all commits are held to."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from penstock.bisect.fixed_suite import load_reference, put_reference
from penstock.bundle.directory import Bundle
from penstock.bundle.steps import recorded
from penstock.foundation.errors import UsageError
from penstock.sources.tree import tree_digest
from penstock.steps.entrypoint import log, run_step, workspace


@dataclass(frozen=True)
class Arguments:
    """Put one suite under every commit."""

    source: Path = workspace("the commit's files")  # noqa: RUF009 (a dataclass field)
    bundle: Path = workspace("the run's bundle")  # noqa: RUF009
    reference: Path = workspace("files of the commit whose suite and extractors are used")  # noqa: RUF009


RESULTS: tuple[str, ...] = ()


def step(arguments: Arguments) -> dict[str, str]:
    """Change the commit's files where they differ, and say so in the bundle."""
    bundle = Bundle(arguments.bundle)
    with recorded(bundle, "same-suite") as note:
        run = bundle.run()
        if run.source is None:
            raise UsageError("the bundle does not say what was cloned", where=str(bundle.run_file))
        changed = put_reference(arguments.source, load_reference(arguments.reference))
        # always taken anew: an attempt that was killed may have changed the files already
        tree = tree_digest(arguments.source)
        source = run.source.model_copy(update={"tree": tree})
        origin = None if "suite" in changed else run.suite_from
        bundle.update_run(run.model_copy(update={"source": source, "suite_from": origin}))
        note.inputs, note.unchanged = tree, tree == run.source.tree
        note.note = f"{' and '.join(changed)} of the bad commit" if changed else ""
    if changed:
        log("replaced", what=f"{' and '.join(changed)} of the bad commit")
    return {}


if __name__ == "__main__":
    sys.exit(run_step("same-suite", Arguments, RESULTS, step))
