"""Make a run red unless its verdict is a pass."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from penstock.foundation.errors import Inconclusive, Rejected, UsageError
from penstock.steps.entrypoint import param, run_step


@dataclass(frozen=True)
class Arguments:
    """Exit 0 on pass or same, 1 on fail or values, 3 on inconclusive or conditions."""

    verdict: str = param("the gate's verdict")
    reason: str = param("the gate's reason", default="")
    harmless: bool = param("an inconclusive verdict says nothing against the commit, and is not red", default=False)


RESULTS: tuple[str, ...] = ()


def step(arguments: Arguments) -> dict[str, str]:
    """The last word of a release: everything is stored by now."""
    if arguments.verdict in ("pass", "same") or (arguments.verdict == "inconclusive" and arguments.harmless):
        return {}
    if arguments.verdict == "inconclusive":
        raise Inconclusive("the gate could not tell", where="verdict inconclusive", todo=arguments.reason)
    if arguments.verdict == "fail":
        raise Rejected("the gate rejected the model", where="verdict fail", todo=arguments.reason)
    if arguments.verdict == "values":
        raise Rejected("the released model has other values than on record", where="", todo=arguments.reason)
    if arguments.verdict == "conditions":
        raise Inconclusive("the released model ran under other conditions", where="", todo=arguments.reason)
    raise UsageError(
        f"'{arguments.verdict}' is not a verdict",
        where="--verdict",
        todo="Verdicts: pass, fail, inconclusive; of a released model that is run again: same, values, conditions.",
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Console script ``penstock-enforce``."""
    return run_step("enforce", Arguments, RESULTS, step, argv)


if __name__ == "__main__":
    sys.exit(main())
