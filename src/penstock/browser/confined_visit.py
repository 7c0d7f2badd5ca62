"""Visiting a page from outside: a process with the browser, ended when its time is over, and what it leaves."""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from penstock.browser import visit
from penstock.browser.visit_order import RESULT, STARTED, VISIT, Visit, VisitOrder
from penstock.bundle.page_record import CONSOLE, SCREENSHOT, TRACE
from penstock.contract.page import Page
from penstock.foundation.errors import WorldError
from penstock.foundation.files import disk_errors, replacing
from penstock.foundation.handles import discard_tree
from penstock.invocation.helper_process import boot_of, last_said, left_file, readable_code, run_helper

PROGRAMS: Final = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
START_S: Final = 60.0
"""What a visit may take longer than the contract's time: the browser's start, its picture and its end."""
LIMITS: Final = {CONSOLE: 4 << 20, SCREENSHOT: 16 << 20, TRACE: 64 << 20, RESULT: 64 << 20}
"""File → the most bytes that are taken over."""
BOOT: Final = boot_of(visit.__name__)


def browser_program() -> str:
    """The browser of this machine or image.

    Raises:
        WorldError: there is none, or nothing to drive it with.
    """
    if importlib.util.find_spec("playwright") is None:
        raise WorldError(
            "the page cannot be tried: Playwright is not installed",
            todo="Install Penstock's extra 'browser': pip install 'penstock[browser]'.",
        )
    found = next((path for name in PROGRAMS if (path := shutil.which(name)) is not None), None)
    if found is None:
        raise WorldError(
            "the page cannot be tried: there is no Chromium on PATH",
            todo="Install it: apt-get install chromium (or chromium-headless-shell).",
        )
    return found


def visit_page(page: Page, port: int, inputs: dict[str, Path], target: Path) -> Visit:
    """Visit a page, and take what the visit has left into ``target``.

    Args:
        page: what is done there.
        port: where the service is, on the loopback.
        inputs: input of the case → file.
        target: a directory. It gets ``console.jsonl``, ``screenshot.png``, ``trace.zip`` and ``result``, as far as
            there are any; each is a plain file of a bounded size, and none was looked into.

    Raises:
        WorldError: there is no browser, or it does not start; the disk is full.
    """
    program = browser_program()
    folder = Path(tempfile.mkdtemp(prefix="penstock-visit-")).resolve()
    try:
        order = VisitOrder(
            page=page,
            port=port,
            inputs={name: path.resolve() for name, path in inputs.items()},
            folder=folder,
            program=program,
            readable=_readable(),
        )
        made = _visited(order)
        with disk_errors(target):
            for name, limit in LIMITS.items():
                _take(folder, name, target, limit)
        return made
    finally:
        discard_tree(folder)


def _readable() -> list[str]:
    """What such a process reads, and the browser's settings."""
    return [*readable_code(), "/etc/chromium", "/etc/chromium.d"]


def _visited(order: VisitOrder) -> Visit:
    """Run the process to its end, or end it."""
    limit = order.page.timeout_s + START_S
    over = run_helper(BOOT, order.model_dump_json().encode(), order.folder, limit)
    made = _read_visit(order.folder)
    if made is not None:
        return made
    said = last_said(order.folder)
    if not (order.folder / STARTED).exists():
        raise WorldError(f"the browser cannot be started: {said}", where=order.program)
    # it was there, and the page is what it had to do
    what = f"the page hangs: the browser was ended after {limit:g} s" if over else f"the browser broke off: {said}"
    return Visit(fault=what)


def _read_visit(folder: Path) -> Visit | None:
    content = left_file(folder, VISIT, 1 << 20)
    try:
        return Visit.model_validate_json(content) if content is not None else None
    except ValidationError:
        return None


def _take(folder: Path, name: str, target: Path, limit: int) -> None:
    content = left_file(folder, name, limit)
    (target / name).unlink(missing_ok=True)
    if content:
        with replacing(target / name) as temporary:
            temporary.write_bytes(content)
