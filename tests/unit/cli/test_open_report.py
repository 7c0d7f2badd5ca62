"""``penstock open``."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import pytest
from tests.unit.cli.made_runs import archived, made_run

from penstock.cli.app import main


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """An accepted, archived run and a newer rejected one."""
    out = tmp_path / "runs"
    archived(out, made_run(out, "sonic-1.0.0-a", "1.0.0", days=40))
    made_run(out, "sonic-1.1.0-b", "1.1.0", verdict="fail", days=2, value=5.0)
    return out


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
