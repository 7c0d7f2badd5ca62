"""Testing a service against its OpenAPI document: the evidence, and the values that the gate judges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from penstock.bundle.directory import Bundle
from penstock.bundle.interface_record import (
    DOCUMENT,
    INTERFACE_FOLDER,
    REQUESTS,
    BreakingChange,
    InterfaceFinding,
    InterfaceRecord,
    ReleasedDocument,
    released_document,
    write_interface_record,
)
from penstock.bundle.models import WHOLE_SUITE, CallRecord, Invocation, Measurement
from penstock.contract.interface import ServiceInterface
from penstock.contract.load import input_path
from penstock.contract.models import Case, Contract, Suite
from penstock.contract.request import http_of, request_for
from penstock.families.engine_metrics import INTERFACE_ANSWERS, INTERFACE_BREAKS, INTERFACE_FAULTS, INTERFACE_METRICS
from penstock.foundation.errors import UsageError
from penstock.foundation.files import disk_errors, inside, write_json
from penstock.interface.confined_trial import try_service
from penstock.interface.document import ApiDocument, DocumentError
from penstock.interface.document_changes import breaking_changes
from penstock.interface.fetched_document import fetched_document
from penstock.interface.trial_order import GivenAnswer
from penstock.invocation.landlock import landlock_abi

MAX_TOLD: Final = 5
MAX_FAULT: Final = 400
MAX_INPUTS: Final = 100


def try_interface(
    contract: Contract, interface: ServiceInterface, suite: Suite, source: Path, bundle: Bundle, port: int
) -> InterfaceRecord:
    """Compare the run's answers with the document, try the service, compare the document with the released one.

    Writes ``interface/`` of the bundle: ``interface.json``, ``document.json`` and bodies of requests.

    Args:
        contract: how the service is called.
        interface: the contract's.
        suite: the cases.
        source: the model's repository.
        bundle: holds the answers, and the released document if there is one.
        port: where the service is, on the loopback.

    Raises:
        WorldError: schemathesis is not there, or cannot be run; the disk is full.
    """
    folder = bundle.path / INTERFACE_FOLDER
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / DOCUMENT).unlink(missing_ok=True)
    released = released_document(bundle)
    record = InterfaceRecord(
        document=interface.document,
        seed=interface.seed,
        released=released.run_id if released is not None else None,
        released_has_document=released is not None and released.document is not None,
    )
    try:
        document = fetched_document(interface, source, port)
    except DocumentError as error:
        record = record.model_copy(update={"fault": f"the OpenAPI document cannot be used: {error}"[:MAX_FAULT]})
        write_interface_record(bundle, record)
        return record
    write_json(folder / DOCUMENT, document.value)
    http = http_of(contract)
    trial = try_service(
        document,
        interface,
        port=port,
        ready=http.ready,
        timeout_s=contract.call.timeout_s,
        inputs=list(_inputs(contract, suite, source))[:MAX_INPUTS],
        answers=list(_answers(contract, suite, bundle)),
        bodies=folder / REQUESTS,
    )
    record = record.model_copy(
        update={
            **trial.model_dump(exclude={"complete", "findings", "operations"}),
            "findings": trial.findings,
            "operations": trial.operations,
            "confined": f"Landlock ABI {abi}" if (abi := landlock_abi()) else "nothing: this kernel has no Landlock",
        }
    )
    record = _compared(record, document, released)
    write_interface_record(bundle, record)
    return record


def add_interface_values(bundle: Bundle, record: InterfaceRecord) -> None:
    """Put what came of it among the measurements, in place of earlier values."""
    names = {metric.name for metric in INTERFACE_METRICS}
    kept = [found for found in bundle.measurements() if found.metric not in names]
    bundle.write_measurements([*kept, *interface_values(record)])


def interface_values(record: InterfaceRecord) -> list[Measurement]:
    """The three values of an interface."""
    if record.fault is not None:
        return [
            _lost(INTERFACE_ANSWERS, record.fault),
            _lost(INTERFACE_FAULTS, record.fault),
            _breaks(record, record.fault),
        ]
    made_up = record.made_up
    faults = _value(INTERFACE_FAULTS, len(made_up), _told(made_up))
    against = [finding for finding in record.findings if finding.case is not None]
    answers = _value(INTERFACE_ANSWERS, record.wrong_answers, _told(against))
    if not record.tool:  # it was ended before it had compared an answer
        answers = _lost(INTERFACE_ANSWERS, record.ended)
    return [answers, faults, _breaks(record, _told(made_up[-1:]))]


def _breaks(record: InterfaceRecord, why_not: str) -> Measurement:
    """The value of what is compared with the released document."""
    if record.released is None:
        why = "there is no released model to compare with"
        return Measurement(case=WHOLE_SUITE, metric=INTERFACE_BREAKS, value=None, error=why, applies=False)
    if not record.released_has_document:
        return _value(INTERFACE_BREAKS, 0, "the released model has no document: nothing was compared")
    if record.changes is None:
        return _lost(INTERFACE_BREAKS, why_not)
    return _value(INTERFACE_BREAKS, len(record.changes), _told_changes(record.changes))


def _lost(metric: str, why: str) -> Measurement:
    return Measurement(case=WHOLE_SUITE, metric=metric, value=None, error=why)


def _value(metric: str, value: int, why: str) -> Measurement:
    return Measurement(case=WHOLE_SUITE, metric=metric, value=float(value), error=why or None)


def _told(findings: Sequence[InterfaceFinding]) -> str:
    return _few([f"{found.operation + ' ' if found.operation else ''}{found.what}" for found in findings])


def _told_changes(changes: Sequence[BreakingChange]) -> str:
    return _few([f"{change.where} {change.what} ({change.kind})" for change in changes])


def _few(told: Sequence[str]) -> str:
    more = f"; and {len(told) - MAX_TOLD} more" if len(told) > MAX_TOLD else ""
    return "; ".join(told[:MAX_TOLD]) + more


def _compared(record: InterfaceRecord, document: ApiDocument, released: ReleasedDocument | None) -> InterfaceRecord:
    """What of the document breaks programs that use the released service."""
    if released is None or released.document is None:
        return record
    try:
        changes = breaking_changes(ApiDocument(released.document), document)
    except DocumentError as error:
        what = f"it cannot be compared with the released document: {error}"
        found = [*record.findings, InterfaceFinding(operation="", kind="document", what=what)]
        return record.model_copy(update={"findings": found})
    return record.model_copy(update={"changes": changes})


def _inputs(contract: Contract, suite: Suite, source: Path) -> Iterator[Path]:
    """The files that the service is given in the suite, each once."""
    seen: set[Path] = set()
    for case in suite.cases:
        for file in case.inputs.values():
            path = input_path(source, contract, file)
            if path not in seen:
                seen.add(path)
                yield path


def _answers(contract: Contract, suite: Suite, bundle: Bundle) -> Iterator[GivenAnswer]:
    """What the service answered to the cases, as far as there was an answer."""
    cases = {case.name: case for case in suite.cases}
    for invocation in bundle.invocations():
        case = cases.get(invocation.case)
        if case is None:
            continue
        for name, call in _calls(invocation):
            if call.http_status is not None:
                yield _answer(contract, case, name, call, bundle)


def _calls(invocation: Invocation) -> list[tuple[str, CallRecord | Invocation]]:
    if not invocation.calls:
        return [("", invocation)]
    return [(call.name, call) for call in invocation.calls]


def _answer(contract: Contract, case: Case, name: str, call: CallRecord | Invocation, bundle: Bundle) -> GivenAnswer:
    described = http_of(contract).named_calls.get(name)
    try:
        request = request_for(contract, case, name)
    except (UsageError, KeyError):
        raise UsageError(
            f"the call '{name}' of the case '{case.name}' cannot be made again", where="interface"
        ) from None
    media_type, file = "", None
    if call.output is not None and described is not None and (described.answer is None or described.keeps_json):
        media_type = described.response
        if described.keeps_json:
            file = inside(bundle.path, call.output, where=str(bundle.invocations_file))
    return GivenAnswer(
        case=case.name,
        method=request.method,
        path=request.target.partition("?")[0],
        status=call.http_status or 0,
        media_type=media_type,
        file=file,
    )
