"""The model's service beside the steps *browse* and *interface*: started as *infer* starts it, reached by one port.

This runs in the model's own image, on the driver's runtime, as a sidecar: it imports no more than that has. It ends
with exit code 0 whatever happens, since a sidecar that fails takes the step along; what went wrong the step says.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from penstock.bundle.checked_contract import read_checked
from penstock.bundle.directory import Bundle
from penstock.bundle.interface_record import INTERFACE_FOLDER, INTERFACE_LOG
from penstock.bundle.page_record import PAGE_FOLDER
from penstock.contract.export_switch import with_switch
from penstock.contract.models import Contract
from penstock.evaluation.infer import scratch_folder, withheld_files
from penstock.evaluation.local_python import Named, local_environment
from penstock.evaluation.model_image import confined, image_files
from penstock.foundation.errors import PenstockError, UsageError
from penstock.foundation.files import disk_errors
from penstock.invocation import handshake
from penstock.invocation.doorway import Doorway
from penstock.invocation.driver import start
from penstock.invocation.handshake import Answered
from penstock.invocation.http import HttpModel
from penstock.steps.entrypoint import log

LOGS = {"browse": (PAGE_FOLDER, "logs/page-model.log"), "interface": (INTERFACE_FOLDER, INTERFACE_LOG)}
"""Step → its folder of the bundle, where the two find each other, and the service's log."""
ALIVE_S = 3600.0
"""The longest that a service is kept: the step says when it is over."""


@dataclass(frozen=True)
class Arguments:
    """What the sidecar is told."""

    step: str
    image: str
    runtime_id: str
    python: str
    python_found: str
    source: Path
    bundle: Path
    runtime: Path
    weights: Path | None
    model_dir: Path | None


def serve(arguments: Arguments) -> None:
    """Start the service and keep it until the step says that it is over; or say why it cannot be started."""
    folder = arguments.bundle / LOGS[arguments.step][0]
    try:
        word = _serve(arguments, folder)
    except Exception as error:  # our bugs, too: the step tells them
        text = str(error) if isinstance(error, PenstockError) else f"{type(error).__name__}: {error}"
        log("error", step=arguments.step, error=text)
        word = handshake.attend(folder, Answered(word="", error=text), alive_s=ALIVE_S)
    handshake.leave(folder, word)


def _serve(arguments: Arguments, folder: Path) -> str:
    bundle = Bundle(arguments.bundle)
    contract = _contract(bundle, arguments)
    run = bundle.run()
    mounted = (arguments.source, arguments.bundle, arguments.runtime)
    image = image_files(run.image, arguments.image, arguments.model_dir, arguments.source, mounted, bundle=bundle)
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    named = Named(arguments.python, arguments.python_found)
    python = local_environment(contract, run, arguments.source, named, image)
    isolation = str(confined(contract, bundle, image=image is not None))
    # a sidecar has no directory for temporary files, and its root is read-only
    temporary = folder if image is not None else None
    suite = read_checked(bundle, arguments.source).suite()
    hidden = withheld_files(contract, suite, arguments.source, arguments.source, image)
    started = partial(start, contract, arguments.source, image=image, python=python, hidden=hidden)
    with scratch_folder(temporary) as work, started(work / "scratch", bundle.path / LOGS[arguments.step][1]) as model:
        if not isinstance(model, HttpModel):
            raise UsageError(
                "a program is no service", where="penstock.yaml", todo="'page' and 'interface' go with 'call.http'."
            )
        with Doorway(model.connect) as door:
            log("ready", image=arguments.image, runtime=arguments.runtime_id, confined=isolation)
            answer = Answered(word="", port=door.port, confined=isolation)
            return handshake.attend(folder, answer, alive_s=ALIVE_S)


def _contract(bundle: Bundle, arguments: Arguments) -> Contract:
    """The contract; unless its page is tried and asks for a card, the model sees none."""
    contract = with_switch(read_checked(bundle, arguments.source).contract, bundle.run().use_onnx)
    if arguments.step == "browse" and contract.page is not None and contract.page.card:
        return contract
    environment = {**contract.call.env, "CUDA_VISIBLE_DEVICES": ""}
    return contract.model_copy(update={"call": contract.call.model_copy(update={"env": environment})})


def main(argv: Sequence[str] | None = None) -> int:
    """Program ``penstock-serve`` of the driver's runtime."""
    parser = argparse.ArgumentParser(prog="penstock-serve", description=__doc__, allow_abbrev=False)
    parser.add_argument("--step", choices=tuple(LOGS), default="browse")
    for name in ("image", "runtime-id", "python", "python-found"):
        parser.add_argument(f"--{name}", default="")
    for name in ("source", "bundle", "runtime"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--weights", type=lambda text: Path(text) if text else None, default=None)
    parser.add_argument("--model-dir", type=Path, default=None)
    serve(Arguments(**vars(parser.parse_args(argv))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
