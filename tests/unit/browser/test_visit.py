"""The process with the browser gives up what it does not need before it starts anything (no browser: tests/browser)."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from penstock.browser import visit
from penstock.browser.page_events import PageEvents
from penstock.browser.visit_order import VISIT, Visit, VisitOrder
from penstock.contract.page import Page, PageResult
from penstock.invocation.landlock import landlock_abi

TRIED = """
import os, socket, sys
from penstock.browser import visit
from penstock.browser.visit_order import Visit
def visited(order):
    said = []
    for what in (lambda: open(SECRET).read(), lambda: open(order.folder / "mine", "w").close(),
                 lambda: socket.create_connection(("127.0.0.1", order.port), 5).close(),
                 lambda: socket.create_connection(("127.0.0.1", OTHER), 5).close()):
        try: what(); said.append("may")
        except OSError as error: said.append(type(error).__name__)
    return Visit(fault=",".join(said))
visit.visit = visited
sys.exit(visit.main())
"""


def order(folder: Path, **more: object) -> VisitOrder:
    page = Page(result=PageResult(selector="#out"), timeout_s=0.05)
    given = {"page": page, "port": 4711, "inputs": {}, "folder": folder, "program": "/usr/bin/chromium"}
    return VisitOrder.model_validate({**given, "readable": [], **more})


@pytest.mark.slow
def test_the_browser_reads_writes_and_reaches_only_what_it_needs(tmp_path: Path) -> None:
    abi = landlock_abi()
    (tmp_path / "secret").write_text("x", encoding="utf-8")
    folder = tmp_path / "folder"
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as service, socket.create_server(("127.0.0.1", 0)) as other:
        text = f"SECRET = {str(tmp_path / 'secret')!r}\nOTHER = {other.getsockname()[1]}\n{TRIED}"
        readable = ["/usr", "/lib", "/lib64", "/etc", sys.prefix, sys.base_prefix, str(Path(visit.__file__).parents[2])]
        told = order(folder, port=service.getsockname()[1], readable=readable)
        command = [sys.executable, "-c", text]
        done = subprocess.run(command, input=told.model_dump_json().encode(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    made = Visit.model_validate_json((folder / VISIT).read_bytes())
    files, ports = ("PermissionError" if abi >= needed else "may" for needed in (1, 4))
    assert made.fault == f"{files},may,may,{ports}"


def test_a_page_that_does_not_let_go_is_ended_with_its_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[object] = []
    monkeypatch.setattr(visit, "HANG_S", 0.05)
    monkeypatch.setattr(visit, "kill_tree", ended.append)
    monkeypatch.setattr(visit, "os", SimpleNamespace(getpid=os.getpid, _exit=ended.append))
    events = PageEvents("http://127.0.0.1:4711", tmp_path / "console.jsonl")
    events.elsewhere.append("http://example.org/")
    with visit._ended_if_it_hangs(order(tmp_path), "Chromium 1", events):
        for _ in range(500):
            if ended == [os.getpid(), 0]:
                break
            time.sleep(0.01)
    assert ended == [os.getpid(), 0]
    made = Visit.model_validate_json((tmp_path / VISIT).read_bytes())
    assert made.fault == "the page hangs: it was ended after 0.1 s"
    assert (made.browser, made.elsewhere) == ("Chromium 1", ["http://example.org/"])


def test_a_page_that_lets_go_in_time_is_not_ended(tmp_path: Path) -> None:
    events = PageEvents("http://127.0.0.1:4711", tmp_path / "console.jsonl")
    with visit._ended_if_it_hangs(order(tmp_path), "Chromium 1", events):
        pass
    assert not (tmp_path / VISIT).exists()


def test_an_order_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(json.dumps({"page": 1}).encode())))
    with pytest.raises(ValueError, match="validation error"):
        visit.main()
