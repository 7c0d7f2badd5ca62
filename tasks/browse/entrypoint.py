"""Open the model's own page in a browser, do what somebody would do there, and keep what came of it.

The service runs beside this step, in the model's own image (:mod:`penstock_tasks.browse.serve`).
"""

from __future__ import annotations

import contextlib
import secrets
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.browser import handshake
from penstock.browser.handshake import Answered
from penstock.browser.page_trial import add_page_value, try_page
from penstock.bundle.checked_contract import read_checked
from penstock.bundle.directory import Bundle
from penstock.bundle.page_record import PAGE_FOLDER
from penstock.bundle.steps import recorded
from penstock.contract.models import Contract
from penstock.foundation.errors import UsageError, WorldError
from penstock.foundation.handles import discard_tree
from penstock.steps.entrypoint import log, run_step, shorten, workspace


@dataclass(frozen=True)
class Arguments:
    """Try the model's own page in a browser."""

    source: Path = workspace("the model's repository")
    bundle: Path = workspace("the run's bundle")


RESULTS: tuple[str, ...] = ("page", "fault")
END_S = 30.0
"""How long the service may take to end."""
START_S = 180.0
"""How long the service's container may take to start, before the contract's own time to get ready."""


def step(arguments: Arguments) -> dict[str, str]:
    """Wait for the service, visit the page. One that does not work is a result: the gate stops the release."""
    bundle = Bundle(arguments.bundle)
    checked = read_checked(bundle, arguments.source)
    contract, page = checked.contract, checked.contract.page
    if page is None:
        raise UsageError("the contract has no page", where="penstock.yaml", todo="Write a section 'page'.")
    with recorded(bundle, "browse") as note:
        with _service(contract, bundle.path / PAGE_FOLDER) as answered:
            log("log", message=f"the model is confined by {answered.confined}")
            record = try_page(contract, page, checked.suite(), arguments.source, bundle, answered.port)
        add_page_value(bundle, record)
        note.note = "the page works" if record.fault is None else f"the page does not work: {record.fault}"
    log("page", case=record.case, fault=record.fault, console=record.console, elsewhere=record.elsewhere)
    return {"page": "broken" if record.fault else "works", "fault": shorten(record.fault or "", 400)}


@contextlib.contextmanager
def _service(contract: Contract, folder: Path) -> Iterator[Answered]:
    """The service, until the block is left.

    Raises:
        WorldError: it did not start.
    """
    word = secrets.token_hex(8)
    handshake.ask(folder, word)
    try:
        ready_s = contract.call.http.ready_timeout_s if contract.call.http is not None else 0.0
        answered = handshake.answer_to(folder, word, wait_s=START_S + ready_s)
        if answered is None:
            raise WorldError(
                f"the model's service did not start within {START_S + ready_s:g} s",
                where="browse",
                todo="The log of the container 'model' beside this step says why.",
            )
        if not answered.port:
            raise WorldError(answered.error, where="browse")
        yield answered
    finally:
        handshake.end(folder, word, wait_s=END_S)
        for left in folder.glob("penstock-model-*"):  # of a service that was killed
            discard_tree(left)


def main(argv: Sequence[str] | None = None) -> int:
    """Console script ``penstock-browse``."""
    return run_step("browse", Arguments, RESULTS, step, argv)


if __name__ == "__main__":
    sys.exit(main())
