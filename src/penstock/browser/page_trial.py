"""Trying the model's own page with one case: visit it, look at what it showed, keep the evidence in the bundle."""

from __future__ import annotations

from pathlib import Path

from penstock.browser.confined_visit import visit_page
from penstock.browser.shown_result import ShownResult, examine_result
from penstock.browser.visit_order import RESULT, Visit
from penstock.bundle.directory import Bundle
from penstock.bundle.models import WHOLE_SUITE, Measurement
from penstock.bundle.page_record import CONSOLE, PAGE_FOLDER, RECORD, SCREENSHOT, TRACE, PageRecord, write_page_record
from penstock.contract.load import input_path
from penstock.contract.models import Contract, Suite
from penstock.contract.page import Page
from penstock.contract.page_faults import page_case
from penstock.families.engine_metrics import PAGE_METRIC
from penstock.foundation.files import disk_errors, inside
from penstock.foundation.media_kinds import recognise
from penstock.invocation.landlock import landlock_abi

MAX_FAULT = 400


def try_page(contract: Contract, page: Page, suite: Suite, source: Path, bundle: Bundle, port: int) -> PageRecord:
    """Visit the page and examine what it showed; write ``page/`` of the bundle and return its record.

    ``page/`` gets ``page.json``, ``screenshot.png``, ``console.jsonl``, ``result.*``, and of a page with a fault
    ``trace.zip``, which Playwright's trace viewer opens.

    Args:
        contract: names the page.
        page: the contract's.
        suite: the cases.
        source: the model's repository.
        bundle: holds the API's answers.
        port: where the service is, on the loopback.

    Raises:
        UsageError: there is no case to try the page with.
        WorldError: there is no browser, or it does not start; the disk is full.
    """
    case = page_case(page, suite)
    folder = bundle.path / PAGE_FOLDER
    inputs = {name: input_path(source, contract, file) for name, file in case.inputs.items()}
    wanted = {name: inputs[name] for name in page.upload.values()}
    with disk_errors(folder):
        _forget(folder)
        made = visit_page(page, port, wanted, folder)
        examined = _examined(page, made, folder, bundle, case.name)
        result = _named(folder)
        fault = made.fault or examined.fault
        if fault is None:
            (folder / TRACE).unlink(missing_ok=True)
    record = PageRecord(
        case=case.name,
        path=page.path,
        fault=fault[:MAX_FAULT] if fault is not None else None,
        browser=made.browser,
        confined=f"Landlock ABI {abi}" if (abi := landlock_abi()) else "nothing: this kernel has no Landlock",
        loaded_s=made.loaded_s,
        result_s=made.result_s,
        result=f"{PAGE_FOLDER}/{result}" if result else None,
        size=examined.size,
        difference=examined.difference,
        console=made.console,
        errors=made.errors,
        elsewhere=made.elsewhere,
    )
    write_page_record(bundle, record)
    return record


def add_page_value(bundle: Bundle, record: PageRecord) -> None:
    """Put the page's outcome among the measurements, in place of an earlier one: 1 it works, 0 it does not, and why."""
    kept = [found for found in bundle.measurements() if found.metric != PAGE_METRIC.name]
    value = Measurement(
        case=WHOLE_SUITE, metric=PAGE_METRIC.name, value=float(record.fault is None), error=record.fault
    )
    bundle.write_measurements([*kept, value])


def _forget(folder: Path) -> None:
    """Remove what an earlier attempt has left."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (RECORD, SCREENSHOT, CONSOLE, TRACE):
        (folder / name).unlink(missing_ok=True)
    for left in folder.glob(f"{RESULT}*"):
        left.unlink()


def _examined(page: Page, made: Visit, folder: Path, bundle: Bundle, case: str) -> ShownResult:
    shown = folder / RESULT
    if made.fault is not None or page.result.text is not None or not shown.exists():
        return ShownResult(None, None)
    return examine_result(page, shown, _api_answer(bundle, case))


def _api_answer(bundle: Bundle, case: str) -> Path | None:
    """The first picture among the API's answers to a case, else its first answer."""
    call = next((call for call in bundle.invocations() if call.case == case and call.status == "ok"), None)
    paths = [inside(bundle.path, path, where=str(bundle.invocations_file)) for path in (call.outputs if call else [])]
    return next((path for path in paths if _is_picture(path)), paths[0] if paths else None)


def _is_picture(path: Path) -> bool:
    with path.open("rb") as file:
        kind = recognise(file)
    return kind is not None and kind.kind == "image"


def _named(folder: Path) -> str:
    """Name the result by its format, such as ``result.png``; its name, or nothing."""
    shown = folder / RESULT
    if not shown.exists():
        return ""
    with shown.open("rb") as file:
        kind = recognise(file)
    return shown.replace(shown.with_suffix(f".{kind.name.lower()}" if kind is not None else ".bin")).name
