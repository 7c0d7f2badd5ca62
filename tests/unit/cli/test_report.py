"""``penstock report --pdf``; ``tests/browser`` prints a real one."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.bundle.directory import Bundle
from penstock.cli.app import main
from penstock.report import printed_page


@pytest.fixture
def bundle_of(out: Path) -> Bundle:
    return Bundle(out / "runs" / "sonic-1.1.0-b" / "bundle")


def test_a_run_is_found_by_its_version_and_named_at_the_foot(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[Path, str]] = []

    def printed(program: str, page: Path, name: str, scratch: Path) -> bytes:
        asked.append((page, name))
        return b"%PDF-1.4"

    monkeypatch.setattr(printed_page, "browser_to_print", lambda: "chromium")
    monkeypatch.setattr(printed_page, "_printed", printed)
    target = tmp_path / "paper.pdf"
    assert main(["report", "1.1.0", "--pdf", str(target), "--out", str(out)]) == 0
    assert capsys.readouterr().out.strip() == str(target)
    assert target.read_bytes() == b"%PDF-1.4"
    ((page, name),) = asked
    assert page == (out / "runs" / "sonic-1.1.0-b" / "bundle" / "report" / "index.html").resolve()
    assert "rejected" in name


def test_a_run_without_a_report(bundle_of: Bundle, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (bundle_of.report / "index.html").unlink()
    assert main(["report", "1.1.0", "--pdf", "a.pdf", "--out", str(out)]) == 2
    assert "this run has no report" in capsys.readouterr().err


def test_a_sealed_bundle_gets_no_file_more(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = out / "runs" / "sonic-1.0.0-a" / "bundle"
    assert Bundle(folder).manifest_file.exists()
    (folder / "report").mkdir(exist_ok=True)
    assert main(["report", "sonic-1.0.0-a", "--pdf", str(folder / "report" / "a.pdf"), "--out", str(out)]) == 2
    assert "sealed" in capsys.readouterr().err
    assert not (folder / "report" / "a.pdf").exists()


def test_no_browser_is_the_worlds(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["report", "1.1.0", "--pdf", str(tmp_path / "a.pdf"), "--out", str(out)]) == 4
    assert "apt-get install chromium" in capsys.readouterr().err
