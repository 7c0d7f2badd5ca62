"""Visiting a page from outside: a process with the browser, ended when its time is over, and what it leaves."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from pydantic import ValidationError

import penstock
from penstock.browser import visit
from penstock.browser.page_events import short
from penstock.browser.visit_order import RESULT, STARTED, VISIT, Visit, VisitOrder
from penstock.bundle.page_record import CONSOLE, SCREENSHOT, TRACE
from penstock.contract.page import Page
from penstock.foundation.errors import WorldError
from penstock.foundation.files import disk_errors, replacing
from penstock.foundation.handles import Folder, NotPlainError, discard_tree
from penstock.invocation.environment import own_environment
from penstock.invocation.launch import kill_tree
from penstock.invocation.sandbox import SETTINGS, SYSTEM_DIRECTORIES

PROGRAMS: Final = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
START_S: Final = 60.0
"""What a visit may take longer than the contract's time: the browser's start, its picture and its end."""
LIMITS: Final = {CONSOLE: 4 << 20, SCREENSHOT: 16 << 20, TRACE: 64 << 20, RESULT: 64 << 20}
"""File → the most bytes that are taken over."""
BOOT: Final = f"import sys; sys.path[:0] = sys.argv[1:]; from {visit.__name__} import main; sys.exit(main())"
_SAID: Final = 1 << 16


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
    """The system, the browser's settings, Python with what it imports, and Penstock itself."""
    own = own_environment()
    settings = [f"/etc/{name}" for name in (*SETTINGS, "chromium", "chromium.d")]
    paths = [*SYSTEM_DIRECTORIES, *settings, *own.readable(), str(Path(penstock.__file__).parent)]
    # where an installation for development has its packages
    return [*paths, *(entry for entry in sys.path if entry.endswith("-packages"))]


def _visited(order: VisitOrder) -> Visit:
    """Run the process to its end, or end it."""
    limit = order.page.timeout_s + START_S
    code = Path(penstock.__file__).parent.parent
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "TMPDIR": str(order.folder)}
    environment |= {"HOME": str(order.folder), "PYTHONDONTWRITEBYTECODE": "1"}
    said = order.folder / "said"
    with said.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", BOOT, str(code)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd="/",
            start_new_session=True,
        )
    over = False
    try:
        process.communicate(order.model_dump_json().encode(), timeout=limit)
    except subprocess.TimeoutExpired:
        over = True
    finally:
        _end(process)
    made = _read_visit(order.folder)
    if made is not None:
        return made
    if not (order.folder / STARTED).exists():
        raise WorldError(f"the browser cannot be started: {_last(said)}", where=order.program)
    # it was there, and the page is what it had to do
    what = (
        f"the page hangs: the browser was ended after {limit:g} s" if over else f"the browser broke off: {_last(said)}"
    )
    return Visit(fault=what)


def _end(process: subprocess.Popen[bytes]) -> None:
    kill_tree(process.pid)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _read_visit(folder: Path) -> Visit | None:
    content = _content(folder, VISIT, 1 << 20)
    try:
        return Visit.model_validate_json(content) if content is not None else None
    except ValidationError:
        return None


def _content(folder: Path, name: str, limit: int) -> bytes | None:
    """A file that the visit has left; ``None`` if there is none, it is no plain file, or it is too large."""
    try:
        with Folder.at(folder) as opened, opened.open(name) as file:
            content = file.read(limit + 1)
    except (OSError, NotPlainError):
        return None
    return content if len(content) <= limit else None


def _take(folder: Path, name: str, target: Path, limit: int) -> None:
    content = _content(folder, name, limit)
    (target / name).unlink(missing_ok=True)
    if content:
        with replacing(target / name) as temporary:
            temporary.write_bytes(content)


def _last(said: Path) -> str:
    """The last thing that the process said."""
    try:
        text = said.read_bytes()[-_SAID:].decode(errors="replace")
    except OSError:
        return "it said nothing"
    lines = [line for line in text.splitlines() if line.strip()]
    return short(lines[-1], 300) if lines else "it said nothing"
