"""Trying a service: its answers are compared with the document, then requests are put that are made up from it.

It imports schemathesis, and so runs in the process of :mod:`penstock.interface.trial` alone.
"""

from __future__ import annotations

import time
from importlib.metadata import version
from typing import Final

from penstock.bundle.interface_record import InterfaceFinding, TriedOperation
from penstock.foundation.files import write_text
from penstock.interface.answer_checks import AnswerChecks, AnswerFault, ServiceAnswer
from penstock.interface.document import ApiDocument
from penstock.interface.made_up_requests import GoneError, MadeUpRequests
from penstock.interface.trial_order import TRIAL, GivenAnswer, Trial, TrialOrder

MAX_WRONG_SHOWN: Final = 100
LEAST_S: Final = 1.0
"""The least time that an operation gets, however many there are."""


def attempt(order: TrialOrder) -> Trial:
    """Compare the answers, then put the requests; ``trial.json`` always has what was found so far."""
    checks = AnswerChecks(ApiDocument(order.document))
    trial = Trial(tool=f"schemathesis {version('schemathesis')}")
    trial = _compared(order, checks, trial)
    _write(order, trial)
    if order.port:
        trial = _tried(order, MadeUpRequests(order, checks), trial)
    trial = trial.model_copy(update={"complete": True})
    _write(order, trial)
    return trial


def _compared(order: TrialOrder, checks: AnswerChecks, trial: Trial) -> Trial:
    """The service's answers to the suite's cases."""
    findings: dict[tuple[str, str, str], InterfaceFinding] = {}
    wrong = 0
    for given in order.answers:
        operation = checks.document.find(given.method, given.path)
        if operation is None:
            label = f"{given.method} {given.path}"
            faults = [AnswerFault("document", "the document does not have it")]
        else:
            label = operation.label
            faults = checks.faults(operation, _answer(given))
        wrong += bool(faults)
        for fault in faults:
            key = (label, fault.kind, fault.place or fault.what)
            if (known := findings.get(key)) is not None:
                findings[key] = known.model_copy(update={"count": known.count + 1})
            elif len(findings) < MAX_WRONG_SHOWN:
                findings[key] = InterfaceFinding(
                    operation=label, kind=fault.kind, what=fault.what, status=given.status, case=given.case
                )
    return trial.model_copy(
        update={"answers": len(order.answers), "wrong_answers": wrong, "findings": list(findings.values())}
    )


def _answer(given: GivenAnswer) -> ServiceAnswer:
    # of a picture or a video nothing but its media type is compared: any byte stands for it
    content = given.file.read_bytes() if given.file is not None else b"\0" if given.media_type else b""
    return ServiceAnswer(given.status, given.media_type or None, content)


def _tried(order: TrialOrder, made_up: MadeUpRequests, trial: Trial) -> Trial:
    """The requests, for each operation its share of the time that is left."""
    began = time.monotonic()
    compared = trial.findings
    operations = made_up.checks.document.operations
    for index, operation in enumerate(operations):
        left = order.seconds - (time.monotonic() - began)
        limit = time.monotonic() + max(LEAST_S, left / (len(operations) - index))
        ended = ""
        try:
            tried = made_up.put(operation, limit)
        except GoneError as gone:
            ended, tried = gone.what, gone.tried or TriedOperation(operation=operation.label)
        trial = trial.model_copy(
            update={
                "operations": [*trial.operations, tried],
                "findings": [*compared, *made_up.findings],
                "seconds": round(time.monotonic() - began, 3),
                "ended": ended,
            }
        )
        _write(order, trial)
        if ended:
            break
    return trial


def _write(order: TrialOrder, trial: Trial) -> None:
    write_text(order.folder / TRIAL, trial.model_dump_json() + "\n")
