"""Put the cases of one shard to the model and keep what came back.

On a cluster this runs in the model's own image, on the driver's runtime: it imports no more than that has.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.checked_contract import read_checked
from penstock.bundle.directory import Bundle
from penstock.bundle.machine import this_machine
from penstock.bundle.models import Invocation, Machine, ShardRecord, Use
from penstock.bundle.rerun_bundle import released_errors
from penstock.bundle.shards import Shard, shard_record, write_shard_record
from penstock.bundle.steps import utc_now
from penstock.contract.export_switch import with_switch
from penstock.contract.load import load_contract
from penstock.contract.models import Contract, Suite
from penstock.evaluation.filled_parameters import with_parameters
from penstock.evaluation.infer import Calls, infer
from penstock.evaluation.local_python import local_environment
from penstock.evaluation.model_image import confined
from penstock.evaluation.paired_inference import infer_in_turns
from penstock.evaluation.rerun_plan import called_alike
from penstock.invocation.environment import PythonEnvironment
from penstock.invocation.sandbox import ImageFiles
from penstock.steps.entrypoint import log, param, progress, run_step, workspace
from penstock.steps.in_the_models_image import InTheModelsImage


@dataclass(frozen=True)
class Arguments(InTheModelsImage):
    """Run the model over its cases."""

    slice: str = param("only the cases that carry this slice; empty: all", default="")
    shard: str = param("which part of them: 2/3 is the second of three", default="1/1")
    released: Path | None = workspace("the released model's repository, if that one is to be run", optional=True)
    baseline: Path | None = workspace("the released model's bundle, if both are to be run in turns", optional=True)


RESULTS: tuple[str, ...] = ("calls", "failed")
WRITE_EVERY_S = 1.0
"""How often it is written down that the model is still in use: of a killed step, so much at most is lost."""


def step(arguments: Arguments) -> dict[str, str]:
    """Start the model, wait for it, put the cases to it, one line a call; all of it below the shard's directory."""
    checked = read_checked(Bundle(arguments.bundle), arguments.source)
    contract, suite = checked.contract, checked.suite().only(arguments.slice)
    part = Shard.parse(arguments.shard)
    suite = suite.model_copy(update={"cases": part.of_all(suite.cases)})
    if arguments.released is None:
        calls = _one(arguments, part, contract, suite, arguments.source)
    elif arguments.baseline is None:
        with released_errors():
            contract = called_alike(contract, load_contract(arguments.released))
            calls = _one(arguments, part, contract, suite, arguments.released)
    else:
        calls = _in_turns(arguments, part, contract, suite, arguments.released, Bundle(arguments.baseline))
    failed = [call for call in calls if call.status != "ok"]
    return {"calls": str(len(calls)), "failed": str(len(failed))}


def _one(arguments: Arguments, part: Shard, contract: Contract, suite: Suite, code: Path) -> list[Invocation]:
    """One model, whose repository is ``code``, over the suite of ``source``."""
    contract = with_switch(contract, Bundle(arguments.bundle).run().use_onnx)
    suite = _filled(suite, Bundle(arguments.bundle))
    image = _image_files(arguments, Bundle(arguments.bundle), code)
    python = local_environment(contract, Bundle(arguments.bundle).run(), code, arguments.named, image)
    record = _Record(arguments, part, contract, len(suite.cases), Bundle(arguments.bundle), this_machine(), python)
    calls = infer(
        contract,
        suite,
        arguments.source,
        record.shard,
        code=code,
        image=image,
        python=python,
        temporary=arguments.temporary(image),
        on_progress=progress,
        on_use=record.used,
    )
    record.end()
    return calls


def _in_turns(
    arguments: Arguments, part: Shard, contract: Contract, suite: Suite, code: Path, baseline: Bundle
) -> list[Invocation]:
    """The candidate and the released model, whose repository is ``code``, one call after another."""
    with released_errors():
        alike = with_switch(called_alike(contract, load_contract(code)), baseline.run().use_onnx)
        other_image = _image_files(arguments, baseline, code)
    image, machine = _image_files(arguments, Bundle(arguments.bundle), arguments.source), this_machine()
    run, named = Bundle(arguments.bundle).run(), arguments.named
    contract = with_switch(contract, run.use_onnx)
    python = local_environment(contract, run, arguments.source, named, image)
    with released_errors():
        their_python = local_environment(alike, run, code, named, other_image)
    ours = _Record(arguments, part, contract, len(suite.cases), Bundle(arguments.bundle), machine, python)
    theirs = _Record(arguments, part, alike, len(suite.cases), baseline, machine, their_python)
    calls, _ = infer_in_turns(
        Calls(
            contract, _filled(suite, Bundle(arguments.bundle)), arguments.source, ours.shard, image=image, python=python
        ),
        Calls(
            alike,
            _filled(suite, baseline),
            arguments.source,
            theirs.shard,
            code=code,
            image=other_image,
            python=their_python,
        ),
        temporary=arguments.temporary(image),
        on_progress=progress,
        on_use=ours.used,
        on_released_use=theirs.used,
    )
    ours.end()
    theirs.end()
    return calls


def _filled(suite: Suite, bundle: Bundle) -> Suite:
    """The suite with the parameters that the step plan has found for the model of this bundle."""
    inference = bundle.run().inference
    return with_parameters(suite, inference.filled if inference is not None else {})


class _Record:
    """What is known of a shard, kept up to date in its directory."""

    def __init__(
        self,
        arguments: Arguments,
        part: Shard,
        contract: Contract,
        cases: int,
        bundle: Bundle,
        machine: Machine,
        python: PythonEnvironment | None,
    ) -> None:
        self.shard = part.bundle(bundle)
        self.shard.sweep()
        self._use: Use | None = None
        self._next_write = 0.0
        before = shard_record(self.shard)
        self._record = ShardRecord(
            shard=str(part),
            cases=cases,
            image=arguments.image,
            runtime=arguments.runtime_id,
            started=before.started if before else utc_now("milliseconds"),
            uses=before.uses if before else [],
            machine=machine,
            isolation=confined(contract, bundle, image=arguments.model_dir is not None),
            python=str(python) if python is not None else "",
        )
        said = (
            f"the model is confined by {self._record.isolation}; Python: {self._record.python or 'that of the image'}"
        )
        log("log", message=said)
        write_shard_record(self.shard, self._record)

    def used(self, use: Use) -> None:
        """The model is in use since then. It is written down once a second at most: cases may be shorter than that."""
        self._use = use
        if time.monotonic() >= self._next_write:
            write_shard_record(self.shard, self._with_use())
            self._next_write = time.monotonic() + WRITE_EVERY_S

    def end(self) -> None:
        """All cases of the shard were put to the model."""
        write_shard_record(self.shard, self._with_use().model_copy(update={"ended": utc_now("milliseconds")}))

    def _with_use(self) -> ShardRecord:
        uses = self._record.uses + ([self._use] if self._use is not None else [])
        return self._record.model_copy(update={"uses": uses})


def _image_files(arguments: Arguments, bundle: Bundle, code: Path) -> ImageFiles | None:
    """What the container holds in which this step and the model run; ``None`` where steps are not run in containers.

    Args:
        arguments: the step's.
        bundle: says which image was built of the model.
        code: the model's repository.

    Raises:
        UsageError: it is another image than was built.
    """
    in_turns = arguments.baseline is not None  # then neither has an image of its own
    built = None if in_turns else bundle.run().image
    files = arguments.image_files(built, code, bundle, beside=(arguments.released, arguments.baseline))
    if files is not None:
        log("image", image=arguments.image, directory=str(files.directory))
    return files


def main(argv: Sequence[str] | None = None) -> int:
    """Console script ``penstock-infer``."""
    return run_step("infer", Arguments, RESULTS, step, argv)


if __name__ == "__main__":
    sys.exit(main())
