"""The page as a PDF: what is missing is said before anything is written. ``tests/browser`` prints a real one."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.foundation.errors import UsageError, WorldError
from penstock.report import printed_page
from penstock.report.printed_page import browser_to_print, print_page


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "index.html"
    path.write_text("<!doctype html><title>report</title><p>all")
    return path


def test_without_a_browser(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(WorldError, match="no Chromium on PATH") as raised:
        print_page(page, tmp_path / "a.pdf", "sonic", "")
    assert "apt-get install chromium" in raised.value.todo
    assert not (tmp_path / "a.pdf").exists()


def test_without_what_drives_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printed_page.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(WorldError, match="Playwright is not installed") as raised:
        browser_to_print()
    assert "penstock[browser]" in raised.value.todo


def test_without_a_page(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no report"):
        print_page(tmp_path / "index.html", tmp_path / "a.pdf", "sonic", "")


@pytest.mark.slow
def test_a_browser_that_breaks_off(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\necho broken >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    (tmp_path / "a.pdf").write_bytes(b"of before")
    monkeypatch.setattr(printed_page, "PROGRAMS", ("chromium",))
    with pytest.raises(WorldError, match="broke off"):
        print_page(page, tmp_path / "a.pdf", "sonic", "")
    assert (tmp_path / "a.pdf").read_bytes() == b"of before"
    assert [path.name for path in tmp_path.glob(".*")] == []


@pytest.mark.parametrize(
    ("day", "stamp"), [("2026-05-04", b"20260504000000"), ("", b"19700101000000"), ("x", b"19700101000000")]
)
def test_the_dates_are_the_runs(day: str, stamp: bytes) -> None:
    content = b"<</Creator (x)\n/CreationDate (D:20261127171200+00'00')\n/ModDate (D:20261127171200+00'00')>>"
    dated = printed_page._dated(content, day)
    assert len(dated) == len(content)
    assert dated.count(stamp) == 2
