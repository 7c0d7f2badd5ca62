"""Hold the contract, and run the repository's own checks."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.checked_contract import keep_checked
from penstock.bundle.directory import Bundle
from penstock.bundle.steps import recorded
from penstock.contract.check import check_repository
from penstock.contract.faults import serious_faults
from penstock.contract.models import Contract
from penstock.evaluation.local_python import Named, local_environment
from penstock.families.registry import directions
from penstock.foundation.errors import UsageError
from penstock.gating.known import Known
from penstock.gating.suite_words import judge_suite
from penstock.invocation.repository_check import run_check
from penstock.steps.entrypoint import log, param, progress, run_step, workspace


@dataclass(frozen=True)
class Arguments:
    """Check penstock.yaml and run the checks (lint, unit tests) that it names."""

    python: str = param(
        "the Python environment of a model that runs on one machine without an image; empty: the contract's", default=""
    )
    python_found: str = param(
        "the Python environment that is taken there where the contract names none; empty: Penstock's own", default=""
    )
    source: Path = workspace("the model's repository")
    bundle: Path = workspace("the run's bundle")


RESULTS: tuple[str, ...] = ("checks",)


def step(arguments: Arguments) -> dict[str, str]:
    """Report every fault of the contract, then run each check as the model is run: not trusted."""
    bundle = Bundle(arguments.bundle)
    with recorded(bundle, "check") as note:
        contract = _held(arguments.source, bundle)
        named = Named(arguments.python, arguments.python_found)
        python = local_environment(contract, bundle.run(), arguments.source, named) if contract.checks else None
        for number, check in enumerate(contract.checks):
            progress(number, len(contract.checks), check.name)
            run_check(check, arguments.source, bundle.path / "logs", python=python)
        note.note = f"{len(contract.checks)} checks"
    return {"checks": str(len(contract.checks))}


def _held(source: Path, bundle: Bundle) -> Contract:
    """The contract, once nothing is wrong with it, its suite and the files that they name; kept for the later steps."""
    report = check_repository(source, metrics=directions())
    judge_suite(report, source, Known())
    serious = serious_faults(report.faults)
    for fault in report.faults:
        # the first is repeated by the error that this step ends with
        log("fault", what=str(fault), warning=fault.warning, repeated=fault in serious[:1])
    if serious or report.contract is None:
        more = f" (and {len(serious) - 1} more: `penstock check` lists them)" if len(serious) > 1 else ""
        raise UsageError(f"{serious[0]}{more}")
    if report.version is not None:
        bundle.update_run(bundle.run().model_copy(update={"notes": report.version.notes}))
    if report.document is not None and report.suite_document is not None:
        keep_checked(bundle, source, report.document.value, report.suite_document.value)
    return report.contract


def main(argv: Sequence[str] | None = None) -> int:
    """Console script ``penstock-check``."""
    return run_step("check", Arguments, RESULTS, step, argv)


if __name__ == "__main__":
    sys.exit(main())
