"""The model's part of the step *load*: its service is started, put under load, stopped, killed and started again.

This runs in the model's own image, on the driver's runtime, before the step's own container: it imports no more than
that has.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.checked_contract import read_checked
from penstock.bundle.directory import Bundle
from penstock.bundle.load_record import LOAD_LOG, LoadPart, load_part, write_load_part
from penstock.bundle.machine import this_machine
from penstock.bundle.rerun_bundle import released_errors
from penstock.bundle.shards import Shard
from penstock.contract.export_switch import with_switch
from penstock.contract.load import load_contract
from penstock.contract.models import Contract, Suite
from penstock.evaluation.filled_parameters import with_parameters
from penstock.evaluation.infer import scratch_folder, withheld_files
from penstock.evaluation.load_trial import put_load
from penstock.evaluation.local_python import local_environment
from penstock.evaluation.model_image import confined
from penstock.evaluation.rerun_plan import called_alike
from penstock.foundation.errors import UsageError
from penstock.invocation.driver import hold_service
from penstock.steps.entrypoint import log, param, progress, run_step, workspace
from penstock.steps.in_the_models_image import InTheModelsImage


@dataclass(frozen=True)
class Arguments(InTheModelsImage):
    """Put the model's service under load."""

    part: str = param("which part of the load: 1/2 is the first half")
    released: Path | None = workspace("the released model's repository, if that one is put under load", optional=True)


def step(arguments: Arguments) -> dict[str, str]:
    """Put the load. Whatever the service does is on record: the step's own container makes values of it."""
    bundle, part = Bundle(arguments.bundle), Shard.parse(arguments.part)
    if load_part(bundle, part) is not None:
        log("log", message="this part of the load was put before")
        return {}
    checked = read_checked(bundle, arguments.source)
    with released_errors(arguments.released is not None):
        record = _put(arguments, bundle, part, checked.contract, checked.suite())
    write_load_part(bundle, record)
    if record.fault is not None:
        log("log", message=f"no more of the load was put: {record.fault}")
    return {}


def _put(arguments: Arguments, bundle: Bundle, part: Shard, contract: Contract, suite: Suite) -> LoadPart:
    code = arguments.source
    if arguments.released is not None:
        code = arguments.released
        contract = called_alike(contract, load_contract(code)).model_copy(update={"load": contract.load})
    if contract.load is None or contract.call.http is None:
        raise UsageError("the contract has no service and load", where="penstock.yaml", todo="Write a section 'load'.")
    run = bundle.run()
    contract = with_switch(contract, run.use_onnx)
    image = arguments.image_files(run.image, code, bundle, beside=[arguments.released])
    isolation = confined(contract, bundle, image=image is not None)
    log("log", message=f"the model is confined by {isolation}")
    python = local_environment(contract, run, code, arguments.named, image)
    suite = with_parameters(suite, run.inference.filled if run.inference is not None else {})
    hidden = withheld_files(contract, suite, arguments.source, code, image)
    with (
        scratch_folder(arguments.temporary(image)) as work,
        hold_service(
            contract, code, work / "scratch", bundle.path / LOAD_LOG, hidden=hidden, image=image, python=python
        ) as service,
    ):
        found = put_load(contract, suite, arguments.source, service, part, work, on_progress=progress)
    return found.model_copy(update={"isolation": isolation, "machine": this_machine()})


def main(argv: Sequence[str] | None = None) -> int:
    """Program ``penstock-drive`` of the driver's runtime."""
    return run_step("load", Arguments, (), step, argv)


if __name__ == "__main__":
    sys.exit(main())
