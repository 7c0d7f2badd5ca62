"""Test the model's service against its OpenAPI document, and compare that with the released one.

The service runs beside this step, in the model's own image (:mod:`penstock_tasks.browse.serve`).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.checked_contract import read_checked
from penstock.bundle.directory import Bundle
from penstock.bundle.interface_record import INTERFACE_FOLDER
from penstock.bundle.steps import recorded
from penstock.contract.request import http_of
from penstock.foundation.errors import UsageError
from penstock.interface.interface_trial import add_interface_values, try_interface
from penstock.invocation.handshake import service_beside
from penstock.steps.entrypoint import log, run_step, shorten, workspace


@dataclass(frozen=True)
class Arguments:
    """Test the model's service against its OpenAPI document."""

    source: Path = workspace("the model's repository")
    bundle: Path = workspace("the run's bundle")


RESULTS: tuple[str, ...] = ("findings", "fault")


def step(arguments: Arguments) -> dict[str, str]:
    """Wait for the service, test it. What is found is a result: the gate stops the release."""
    bundle = Bundle(arguments.bundle)
    checked = read_checked(bundle, arguments.source)
    contract, interface = checked.contract, checked.contract.interface
    if interface is None:
        raise UsageError("the contract has no interface", where="penstock.yaml", todo="Write a section 'interface'.")
    with recorded(bundle, "interface") as note:
        folder = bundle.path / INTERFACE_FOLDER
        ready_s = http_of(contract).ready_timeout_s
        with service_beside(folder, ready_s, step="interface", left="penstock-model-*") as answered:
            log("log", message=f"the model is confined by {answered.confined}")
            record = try_interface(contract, interface, checked.suite(), arguments.source, bundle, answered.port)
        add_interface_values(bundle, record)
        requests = sum(operation.requests for operation in record.operations)
        note.note = record.fault or f"{requests} requests made up, {len(record.findings)} findings"
    for finding in record.findings[:20]:
        log("finding", operation=finding.operation, what=finding.what, curl=finding.curl[:1000])
    for change in (record.changes or [])[:20]:
        log("breaking change", kind=change.kind, where=change.where, what=change.what)
    log("interface", fault=record.fault, answers=record.answers, requests=requests, findings=len(record.findings))
    return {"findings": str(len(record.findings)), "fault": shorten(record.fault or "", 400)}


def main(argv: Sequence[str] | None = None) -> int:
    """Console script ``penstock-interface``."""
    return run_step("interface", Arguments, RESULTS, step, argv)


if __name__ == "__main__":
    sys.exit(main())
