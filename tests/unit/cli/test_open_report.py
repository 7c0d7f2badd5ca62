"""``penstock open``."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import pytest

from penstock.cli.app import main


def test_open_shows_the_report_where_there_is_a_display(
    out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(webbrowser, "open", shown.append)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    assert main(["open", "1.1.0", "--out", str(out)]) == 0
    page = out / "runs" / "sonic-1.1.0-b" / "bundle" / "report" / "index.html"
    assert capsys.readouterr().out.strip() == str(page)
    assert shown == []
    monkeypatch.setenv("DISPLAY", ":0")
    assert main(["open", "1.1.0", "--out", str(out)]) == 0
    assert shown == [page.as_uri()]
