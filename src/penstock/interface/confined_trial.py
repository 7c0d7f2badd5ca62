"""Trying a service from outside: a process with schemathesis, ended when its time is over, and what it leaves."""

from __future__ import annotations

import importlib.util
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from penstock.bundle.interface_record import InterfaceFinding
from penstock.contract.interface import ServiceInterface
from penstock.foundation.errors import WorldError
from penstock.foundation.files import disk_errors
from penstock.foundation.handles import discard_tree
from penstock.interface import trial
from penstock.interface.document import ApiDocument
from penstock.interface.trial_order import BODIES, MAX_KEPT_BODY, TRIAL, GivenAnswer, Trial, TrialOrder
from penstock.invocation.helper_process import boot_of, last_said, left_file, readable_code, run_helper

START_S: Final = 60.0
"""What a trial may take longer than the contract's time: imports, the answers of the suite, its end."""
MAX_TRIAL: Final = 32 << 20
MAX_BODIES: Final = 200
_BODY: Final = re.compile(r"[0-9a-f]{16}\.bin")
BOOT: Final = boot_of(trial.__name__)


def try_service(
    document: ApiDocument,
    interface: ServiceInterface,
    *,
    port: int,
    ready: str,
    timeout_s: float,
    inputs: Sequence[Path],
    answers: Sequence[GivenAnswer],
    bodies: Path,
) -> Trial:
    """Compare answers with a document, and put requests made up from it to the service.

    Args:
        document: what the service says of itself.
        interface: how many requests, for how long.
        port: where the service is, on the loopback; 0: answers alone are compared.
        ready: a path that tells whether it is still there.
        timeout_s: for one request.
        inputs: the suite's files, sent where the document wants a file.
        answers: the service's, to the suite's cases.
        bodies: a folder for the bodies of requests that showed a fault.

    Raises:
        WorldError: schemathesis is not there, or cannot be run; the disk is full.
    """
    if importlib.util.find_spec("schemathesis") is None:
        raise WorldError(
            "the service cannot be tested against its document: schemathesis is not installed",
            todo="Install Penstock's extra 'interface': pip install 'penstock[interface]'.",
        )
    folder = Path(tempfile.mkdtemp(prefix="penstock-interface-")).resolve()
    try:
        order = TrialOrder(
            document=document.value,
            port=port,
            ready=ready,
            examples=interface.examples,
            seconds=interface.seconds,
            seed=interface.seed,
            timeout_s=timeout_s,
            inputs=[path.resolve() for path in inputs],
            answers=[_resolved(answer) for answer in answers],
            folder=folder,
            readable=readable_code(),
        )
        made = _run(order)
        with disk_errors(bodies):
            _take_bodies(made, folder / BODIES, bodies)
        return made
    finally:
        discard_tree(folder)


def _resolved(answer: GivenAnswer) -> GivenAnswer:
    file = answer.file.resolve() if answer.file is not None else None
    return answer.model_copy(update={"file": file})


def _run(order: TrialOrder) -> Trial:
    limit = order.seconds + START_S
    # hashes that are the same every time: so are the requests
    over = run_helper(BOOT, order.model_dump_json().encode(), order.folder, limit, variables={"PYTHONHASHSEED": "0"})
    made = _read(order.folder)
    if made is not None and made.complete:
        return made
    said = f"it was ended after {limit:g} s" if over else last_said(order.folder)
    what = f"the document cannot be tried to its end: {said}"
    if made is None:
        return Trial(tool="", ended=what, findings=[InterfaceFinding(operation="", kind="document", what=what)])
    found = [*made.findings, InterfaceFinding(operation="", kind="document", what=what)]
    return made.model_copy(update={"ended": what, "findings": found})


def _read(folder: Path) -> Trial | None:
    content = left_file(folder, TRIAL, MAX_TRIAL)
    try:
        return Trial.model_validate_json(content) if content is not None else None
    except ValidationError:
        return None


def _take_bodies(made: Trial, folder: Path, target: Path) -> None:
    """The bodies of requests that findings name, each a plain file of a bounded size."""
    shutil.rmtree(target, ignore_errors=True)
    names = {Path(finding.body).name for finding in made.findings if finding.body is not None}
    for name in sorted(name for name in names if _BODY.fullmatch(name))[:MAX_BODIES]:
        content = left_file(folder, name, MAX_KEPT_BODY)
        if content is not None:
            target.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes(content)
