"""The process with the browser is ended for certain, and what it leaves is taken over as a stranger's."""

from __future__ import annotations

import stat
import time
from pathlib import Path
from typing import Any

import pytest

from penstock.browser import confined_visit
from penstock.browser.confined_visit import browser_program, visit_page
from penstock.browser.visit_order import RESULT, VISIT
from penstock.bundle.page_record import CONSOLE, SCREENSHOT, TRACE
from penstock.contract.page import Page, PageResult
from penstock.foundation.errors import WorldError

PAGE = Page(result=PageResult(selector="#out"), timeout_s=0.5)
BEGIN = """
import json, os, sys, time
order = json.loads(sys.stdin.buffer.read())
folder = order["folder"]
def write(name, content):
    with open(os.path.join(folder, name), "w") as file: file.write(content)
"""


@pytest.fixture
def instead(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Another program in place of the one that drives the browser."""
    monkeypatch.setenv("PENSTOCK_SECRET", "hunter2")
    monkeypatch.setattr(confined_visit, "browser_program", lambda: "/usr/bin/chromium")
    monkeypatch.setattr(confined_visit, "START_S", 1.0)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def visited(program: str) -> Any:
        monkeypatch.setattr(confined_visit, "BOOT", BEGIN + program)
        (tmp_path / "target").mkdir(exist_ok=True)
        return visit_page(PAGE, 4711, {}, tmp_path / "target")

    return visited


def taken(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "target").iterdir())}


def test_what_the_visit_leaves_is_taken_over_and_nothing_else(instead: Any, tmp_path: Path) -> None:
    made = instead(
        f"""
for name in ({CONSOLE!r}, {SCREENSHOT!r}, {TRACE!r}, {RESULT!r}, "other.txt"): write(name, name)
write({VISIT!r}, json.dumps(dict(fault="it hangs", browser="Chromium 1", console=3, environment=sorted(os.environ))))
"""
    )
    assert (made.fault, made.browser, made.console) == ("it hangs", "Chromium 1", 3)
    assert set(taken(tmp_path)) == {CONSOLE, SCREENSHOT, TRACE, RESULT}
    assert [path.name for path in tmp_path.iterdir()] == ["target"], "its folder is removed"


def test_none_of_our_variables_reaches_it(instead: Any, tmp_path: Path) -> None:
    instead(f"write({RESULT!r}, repr(dict(os.environ))); write({VISIT!r}, '{{}}')")
    assert b"hunter2" not in taken(tmp_path)[RESULT]


def test_links_pipes_and_what_is_too_large_are_left(
    instead: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(confined_visit.LIMITS, TRACE, 100)
    made = instead(
        f"""
os.symlink("/etc/hostname", os.path.join(folder, {CONSOLE!r}))
os.mkfifo(os.path.join(folder, {SCREENSHOT!r}))
write({TRACE!r}, "x" * 101)
write({VISIT!r}, "{{}}")
"""
    )
    assert made.fault is None
    assert taken(tmp_path) == {}


@pytest.mark.slow
def test_one_that_never_ends_is_ended_with_all_that_it_started(instead: Any, tmp_path: Path) -> None:
    began = time.monotonic()
    made = instead(
        """
write("started", "")
import subprocess
child = subprocess.Popen(["sleep", "600"], start_new_session=True)
with open(os.path.join(os.path.dirname(folder), "child"), "w") as file: file.write(str(child.pid))
time.sleep(600)
"""
    )
    assert made.fault == "the page hangs: the browser was ended after 1.5 s"
    assert time.monotonic() - began < 20
    child = int((tmp_path / "child").read_text())
    while Path(f"/proc/{child}").exists() and time.monotonic() - began < 20:
        time.sleep(0.01)
    assert not Path(f"/proc/{child}").exists()


def test_a_browser_that_breaks_off_on_the_page_is_the_pages_fault(instead: Any) -> None:
    made = instead("write('started', ''); sys.exit('Traceback\\nout of memory')")
    assert made.fault == "the browser broke off: out of memory"


@pytest.mark.slow
def test_a_browser_that_does_not_start_is_the_worlds(instead: Any) -> None:
    with pytest.raises(WorldError, match=r"chromium: the browser cannot be started: no such library"):
        instead("sys.exit('no such library')")
    with pytest.raises(WorldError, match="the browser cannot be started: it said nothing"):
        instead("time.sleep(600)")


@pytest.mark.parametrize("content", ["", "{", '{"console": "many"}'])
def test_a_record_that_is_none_is_not_taken_for_one(instead: Any, content: str) -> None:
    made = instead(f"write('started', ''); write({VISIT!r}, {content!r}); sys.exit('gone')")
    assert made.fault == "the browser broke off: gone"


def program(folder: Path, name: str) -> None:
    (folder / name).write_text("#!/bin/sh\n", encoding="utf-8")
    (folder / name).chmod(stat.S_IRWXU)


def test_the_smaller_browser_is_taken_where_both_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(WorldError, match=r"no Chromium on PATH. Install it: apt-get install chromium"):
        browser_program()
    program(tmp_path, "chromium")
    assert browser_program() == str(tmp_path / "chromium")
    program(tmp_path, "chromium-headless-shell")
    assert browser_program() == str(tmp_path / "chromium-headless-shell")


def test_without_playwright_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(WorldError, match=r"pip install 'penstock\[browser\]'"):
        browser_program()
