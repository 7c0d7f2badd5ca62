"""Compare the answers of the exported model with those of its trained weights, and say which of them goes on.

What is compared was made before this step, in the model's own image (:mod:`penstock_tasks.export.backends`).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.checked_contract import read_checked
from penstock.bundle.directory import Bundle
from penstock.bundle.steps import recorded
from penstock.evaluation.compare_backends import compare_backends
from penstock.steps.entrypoint import log, param, run_step, shorten, workspace


@dataclass(frozen=True)
class Arguments:
    """Decide whether the exported model is used."""

    slice: str = param("only the cases that carry this slice; empty: what the contract's export says", default="")
    source: Path = workspace("the model's repository")
    bundle: Path = workspace("the run's bundle")


RESULTS: tuple[str, ...] = ("use-onnx", "fault")


def step(arguments: Arguments) -> dict[str, str]:
    """Compare case by case. An export that differs too much is a result: the trained weights go on.

    Of a slice that has only cases that the model must refuse nothing is compared, and the model decides for itself.
    """
    bundle = Bundle(arguments.bundle)
    checked = read_checked(bundle, arguments.source)
    with recorded(bundle, "export") as note:
        record = compare_backends(checked.contract, checked.suite(), bundle, only=arguments.slice)
        if record is None:
            note.note = "nothing was compared"
            log("log", message="nothing was compared: it is not known whether the exported file can be used")
            return {"use-onnx": "", "fault": ""}
        told = f"{record.switch}={str(record.use_onnx).lower()}"
        note.note = told if record.fault is None else f"{told}: {record.fault}"
    worst = {name: found.value for name, found in record.worst.items()}
    log("export", told=told, fault=record.fault, **worst)
    return {"use-onnx": str(record.use_onnx).lower(), "fault": shorten(record.fault or "", 400)}


def main(argv: Sequence[str] | None = None) -> int:
    """Console script ``penstock-export``."""
    return run_step("export", Arguments, RESULTS, step, argv)


if __name__ == "__main__":
    sys.exit(main())
