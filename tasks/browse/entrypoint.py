"""Open the model's own page in a browser, do what somebody would do there, and keep what came of it.

The service runs beside this step, in the model's own image (:mod:`penstock_tasks.browse.serve`).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.browser.page_trial import add_page_value, try_page
from penstock.bundle.checked_contract import read_checked
from penstock.bundle.directory import Bundle
from penstock.bundle.page_record import PAGE_FOLDER
from penstock.bundle.steps import recorded
from penstock.foundation.errors import UsageError
from penstock.invocation.handshake import service_beside
from penstock.steps.entrypoint import log, run_step, shorten, workspace


@dataclass(frozen=True)
class Arguments:
    """Try the model's own page in a browser."""

    source: Path = workspace("the model's repository")
    bundle: Path = workspace("the run's bundle")


RESULTS: tuple[str, ...] = ("page", "fault")


def step(arguments: Arguments) -> dict[str, str]:
    """Wait for the service, visit the page. One that does not work is a result: the gate stops the release."""
    bundle = Bundle(arguments.bundle)
    checked = read_checked(bundle, arguments.source)
    contract, page = checked.contract, checked.contract.page
    if page is None:
        raise UsageError("the contract has no page", where="penstock.yaml", todo="Write a section 'page'.")
    with recorded(bundle, "browse") as note:
        http = contract.call.http
        ready_s = http.ready_timeout_s if http is not None else 0.0
        folder = bundle.path / PAGE_FOLDER
        with service_beside(folder, ready_s, step="browse", left="penstock-model-*") as answered:
            log("log", message=f"the model is confined by {answered.confined}")
            record = try_page(contract, page, checked.suite(), arguments.source, bundle, answered.port)
        add_page_value(bundle, record)
        note.note = "the page works" if record.fault is None else f"the page does not work: {record.fault}"
    log("page", case=record.case, fault=record.fault, console=record.console, elsewhere=record.elsewhere)
    return {"page": "broken" if record.fault else "works", "fault": shorten(record.fault or "", 400)}


def main(argv: Sequence[str] | None = None) -> int:
    """Console script ``penstock-browse``."""
    return run_step("browse", Arguments, RESULTS, step, argv)


if __name__ == "__main__":
    sys.exit(main())
