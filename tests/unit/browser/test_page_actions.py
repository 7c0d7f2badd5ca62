"""What is read from a page is bounded, and each thing that goes wrong has its sentence. (Real pages: tests/browser.)"""

from __future__ import annotations

import base64
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from penstock.browser import page_actions
from penstock.browser.page_actions import PageActions, PageFaultError, reason
from penstock.browser.page_events import PageEvents
from penstock.browser.visit_order import VisitOrder
from penstock.contract.page import Page, PageResult

PNG = "data:image/png;base64," + base64.b64encode(b"picture").decode()


class Session:
    """Stands in for Chromium's protocol: every look sees the next of what the page shows, the last again and again."""

    def __init__(self, shown: list[dict[str, Any]]) -> None:
        self.shown = shown
        self.asked: list[str] = []

    def send(self, method: str, given: dict[str, Any] | None = None) -> dict[str, Any]:
        if method == "Page.getFrameTree":
            return {"frameTree": {"frame": {"id": "1"}}}
        if method == "Page.createIsolatedWorld":
            return {"executionContextId": 7}
        assert given is not None
        assert given["contextId"] == 7, "never in the page's own world"
        self.asked.append(given["expression"])
        value = self.shown.pop(0) if len(self.shown) > 1 else self.shown[0]
        return value if "exceptionDetails" in value else {"result": {"value": value}}


def actions(tmp_path: Path, result: PageResult, *shown: dict[str, Any], timeout_s: float = 5.0) -> PageActions:
    asked = Page(press="button", result=result, timeout_s=timeout_s)
    order = VisitOrder(page=asked, port=4711, inputs={}, folder=tmp_path, program="", readable=[])
    page = SimpleNamespace(wait_for_timeout=lambda _ms: None, is_closed=lambda: False)
    context = SimpleNamespace(new_cdp_session=lambda _page: Session(list(shown)))
    events = PageEvents(order.origin, tmp_path / "console.jsonl")
    return PageActions(order, context, page, events)  # type: ignore[arg-type]


def whole(text: str) -> dict[str, Any]:
    return {"count": 1, "length": len(text), "value": text}


PICTURE = PageResult(selector="#out", begins="data:image/png")


@pytest.mark.slow
def test_waits_until_the_attribute_begins_as_it_must(tmp_path: Path) -> None:
    on_page = actions(tmp_path, PICTURE, {"count": 0}, {"count": 1}, whole("data:image/gif"), whole(PNG))
    assert on_page._wait_for_result() == PNG
    assert on_page._bytes_of(PNG) == b"picture"


def test_waits_until_the_text_is_found(tmp_path: Path) -> None:
    on_page = actions(tmp_path, PageResult(selector="p", text="similarity: 0[.]"), whole("…"), whole("similarity: 0.8"))
    assert on_page._wait_for_result() == "similarity: 0.8"


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        ({"count": 0}, "it has no '#out'"),
        ({"count": 2}, "'#out' is on it 2 times"),
        ({"count": 1}, "the src of '#out' is empty"),
        (whole("data:image/jpeg;base64,AA"), "begins with 'data:image/jpeg;base64,AA', not with 'data:image/png'"),
    ],
)
def test_no_result_says_what_there_is_instead(tmp_path: Path, seen: dict[str, Any], said: str) -> None:
    with pytest.raises(PageFaultError) as caught:
        actions(tmp_path, PICTURE, seen, timeout_s=0.01)._wait_for_result()
    assert str(caught.value).startswith("pressing 'button' brought no result within 0.01 s of opening the page: ")
    assert said in str(caught.value)


def test_a_result_of_a_gigabyte_is_never_fetched(tmp_path: Path) -> None:
    on_page = actions(tmp_path, PICTURE, {"count": 1, "length": 1 << 30, "value": PNG[:200]})
    with pytest.raises(PageFaultError, match="the result is 1024 MiB of text, more than the 64 MiB of a file"):
        on_page._wait_for_result()
    session: Any = on_page._session
    assert all(".slice(0, 200)" in expression for expression in session.asked)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("data:image/png,raw", "no data URL in base64"),
        ("data:image/png;base64,AAA", "no valid base64"),
        ("data:image/png;base64,", "the result is empty"),
    ],
)
def test_a_data_url_that_is_none(tmp_path: Path, url: str, said: str) -> None:
    with pytest.raises(PageFaultError, match=said):
        actions(tmp_path, PICTURE, {})._bytes_of(url)


def test_base64_with_line_breaks_and_parameters_is_read(tmp_path: Path) -> None:
    assert actions(tmp_path, PICTURE, {})._bytes_of("data:image/png;a=b;base64,cGlj\n dHVyZQ==") == b"picture"


def test_a_url_of_the_service_is_fetched_within_the_limit(tmp_path: Path) -> None:
    fetched = actions(tmp_path, PICTURE, {"size": 7, "url": PNG})
    assert fetched._bytes_of("/result.png") == b"picture"
    session: Any = fetched._session
    assert 'fetch("/result.png")' in session.asked[0]
    with pytest.raises(PageFaultError, match="has 99999999 bytes, more than 64 MiB"):
        actions(tmp_path, PICTURE, {"size": 99_999_999})._bytes_of("blob:x")
    refused = {"exceptionDetails": {"exception": {"description": "TypeError: Failed to fetch"}}}
    with pytest.raises(PageFaultError, match="'blob:x' cannot be read: TypeError: Failed to fetch"):
        actions(tmp_path, PICTURE, refused)._bytes_of("blob:x")


def test_a_selector_that_css_does_not_know_is_told(tmp_path: Path) -> None:
    details = {"exceptionDetails": {"exception": {"description": "DOMException: '>>' is not a valid selector."}}}
    with pytest.raises(PageFaultError, match="'>>' is no CSS selector"):
        actions(tmp_path, PageResult(selector=">>"), details)._wait_for_result()


def test_a_selector_cannot_become_script(tmp_path: Path) -> None:
    nasty = "a'); alert(\"x\"); ('"
    on_page = actions(tmp_path, PageResult(selector=nasty), whole(PNG))
    on_page._look(10)
    session: Any = on_page._session
    assert 'querySelectorAll("a\'); alert(\\"x\\"); (\'")' in session.asked[0]


def test_what_the_page_may_not_do_goes_before_what_did_not_work(tmp_path: Path) -> None:
    on_page = actions(tmp_path, PICTURE, {"count": 0}, timeout_s=0.01)
    on_page._events.fault = "the page opened another window"
    with pytest.raises(PageFaultError, match="another window"):
        on_page._wait_for_result()


def test_of_playwrights_words_the_first_line_is_kept() -> None:
    assert reason(ValueError("\x1b[31mTimeout\x1b[0m\nCall log:\n - waiting")) == "Timeout"
    assert reason(ValueError("")) == "ValueError"


def test_a_text_is_looked_for_in_so_much_of_the_page(tmp_path: Path) -> None:
    on_page = actions(tmp_path, PageResult(selector="p", text="x"), whole("x"))
    on_page._wait_for_result()
    session: Any = on_page._session
    assert f".slice(0, {page_actions.MAX_TEXT})" in session.asked[0]
    assert "const name = null" in session.asked[0]
