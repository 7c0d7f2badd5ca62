"""The report shows what came of the model's own page; whatever that page said is inert there."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from tests.unit.report.read_pages import read

from penstock.bundle.directory import Bundle
from penstock.bundle.page_record import PageRecord, write_page_record
from penstock.foundation.errors import UsageError
from penstock.report import page_visit as module
from penstock.report.page import write_report
from penstock.report.page_visit import page_visit

PNG = b"\x89PNG\r\n\x1a\n" + b"pixels"
BROKEN = PageRecord(case="one", path="/", fault="<script>alert(1)</script> hangs", elsewhere=["http://x/<b>"])


def visited(bundle: Bundle, record: PageRecord, screenshot: bytes | None = PNG) -> Bundle:
    (bundle.path / "page").mkdir()
    write_page_record(bundle, record)
    if screenshot is not None:
        (bundle.path / "page" / "screenshot.png").write_bytes(screenshot)
    return bundle


def test_a_bundle_without_a_page_has_no_such_part(pair: tuple[Bundle, Bundle]) -> None:
    write_report(*pair)
    html, _ = read(pair[0].report / "index.html")
    assert page_visit(pair[0]) is None
    assert "own-page" not in html


def test_a_page_with_a_fault_is_shown_with_its_picture(pair: tuple[Bundle, Bundle]) -> None:
    visited(pair[0], BROKEN)
    write_report(*pair)
    html, tags = read(pair[0].report / "index.html")
    assert "&lt;script&gt;alert(1)&lt;/script&gt; hangs" in html
    assert "<b>" not in html[html.index("own-page") : html.index('id="ran"')].replace("<bdi>", "")
    assert f'src="data:image/png;base64,{base64.b64encode(PNG).decode()}"' in html
    assert tags.running == 1, "nothing of the page runs"


def test_a_page_that_works_says_how_long_it_took(tmp_path: Path) -> None:
    record = PageRecord(case="one", path="/", loaded_s=0.218, result_s=0.46, size=(30, 20), difference=1, console=2)
    shown = page_visit(visited(Bundle(tmp_path), record, None))
    assert shown is not None
    assert shown.screenshot == ""
    assert shown.facts == (
        "loaded after 0.22 s; its result after 0.46 s; 30×20 pixels; 1 of 255 levels from the API's answer; "
        "2 messages, 0 errors"
    )


@pytest.mark.parametrize("content", [b"<svg onload=alert(1)>", b"", PNG * 10])
def test_only_a_png_of_a_bounded_size_is_put_into_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", len(PNG))
    shown = page_visit(visited(Bundle(tmp_path), BROKEN, content))
    assert shown is not None
    assert shown.screenshot == ""


def test_a_record_that_is_broken_is_told(tmp_path: Path) -> None:
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "page.json").write_text("{", encoding="utf-8")
    with pytest.raises(UsageError, match=r"page\.json: not a valid record"):
        page_visit(Bundle(tmp_path))
