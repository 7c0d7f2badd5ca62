"""The model's part of the step *export*: its exporter, and the cases put to both of its backends.

This runs in the model's own image, on the driver's runtime, before the step's own container: it imports no more than
that has.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from penstock.bundle.checked_contract import read_checked
from penstock.bundle.directory import Bundle
from penstock.evaluation.backends import Where, try_backends
from penstock.evaluation.filled_parameters import with_parameters
from penstock.evaluation.local_python import local_environment
from penstock.evaluation.model_image import confined
from penstock.foundation.errors import UsageError
from penstock.steps.entrypoint import log, param, progress, run_step
from penstock.steps.in_the_models_image import InTheModelsImage


@dataclass(frozen=True)
class Arguments(InTheModelsImage):
    """Export the trained weights anew, and put the cases to the model with them and with the exported file."""

    slice: str = param("only the cases that carry this slice; empty: what the contract's export says", default="")


def step(arguments: Arguments) -> dict[str, str]:
    """Run the exporter and both backends. What does not work is on record: the step's own container judges it."""
    bundle = Bundle(arguments.bundle)
    checked = read_checked(bundle, arguments.source)
    contract, export = checked.contract, checked.contract.export
    if export is None:
        raise UsageError("the contract has no export", where="penstock.yaml", todo="Write a section 'export'.")
    run = bundle.run()
    image = arguments.image_files(run.image, arguments.source, bundle)
    log("log", message=f"the model is confined by {confined(contract, bundle, image=image is not None)}")
    where = Where(
        image=image,
        python=local_environment(contract, run, arguments.source, arguments.named, image),
        temporary=arguments.temporary(image),
    )
    filled = run.inference.filled if run.inference is not None else {}
    suite = with_parameters(checked.suite(), filled)
    tried = try_backends(
        contract, export, suite, arguments.source, bundle, where, only=arguments.slice, on_progress=progress
    )
    if tried is None:
        log("log", message=f"nothing is compared: the model must refuse every case of the slice '{arguments.slice}'")
        return {}
    log("exporter", fault=tried.exporter.fault, sha256=tried.exporter.sha256, same=tried.exporter.same)
    return {}


def main(argv: Sequence[str] | None = None) -> int:
    """Program ``penstock-backends`` of the driver's runtime."""
    return run_step("export", Arguments, (), step, argv)


if __name__ == "__main__":
    sys.exit(main())
