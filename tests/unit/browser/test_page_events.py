"""What a page says is kept short, and what it may not do is a fault: the first one, whatever comes after it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from penstock.browser import page_events
from penstock.browser.page_events import PageEvents, address, short

ORIGIN = "http://127.0.0.1:4711"
FRAME = object()


class Emitter:
    """Stands in for Playwright's context and page: what listens to an event is called."""

    def __init__(self) -> None:
        self.handlers: dict[str, Any] = {}
        self.main_frame = FRAME
        self.closed = False

    def on(self, event: str, handler: Any) -> None:
        self.handlers[event] = handler

    def emit(self, event: str, **fields: Any) -> None:
        self.handlers[event](SimpleNamespace(**fields))

    def close(self) -> None:
        self.closed = True


class Heard:
    def __init__(self, folder: Path) -> None:
        self.console = folder / "console.jsonl"
        self.events = PageEvents(ORIGIN, self.console)
        self.context, self.page = Emitter(), Emitter()
        self.events.listen(self.context, self.page)  # type: ignore[arg-type]

    def request(self, url: str, method: str = "GET", *, navigation: bool = False, frame: object = FRAME) -> None:
        fields = {"url": url, "method": method, "frame": frame, "is_navigation_request": lambda: navigation}
        self.context.emit("request", **fields)

    def lines(self) -> list[dict[str, str]]:
        return [json.loads(line) for line in self.console.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def heard(tmp_path: Path) -> Heard:
    return Heard(tmp_path)


def test_messages_are_kept_with_their_kind_and_errors_counted(heard: Heard) -> None:
    heard.page.emit("console", type="log", text="hello\nworld \x1b[31m")
    heard.page.handlers["pageerror"](ValueError("x is undefined"))
    assert heard.lines() == [
        {"type": "log", "text": "hello world \\x1b[31m"},
        {"type": "error", "text": "uncaught: x is undefined"},
    ]
    assert (heard.events.lines, heard.events.errors, heard.events.fault) == (2, 1, None)


def test_neither_one_message_nor_many_fill_the_disk(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_events, "MAX_LINES", 3)
    for _ in range(10):
        heard.page.emit("console", type="log", text="x" * 10_000_000)
    assert heard.console.stat().st_size < 3 * (page_events.MAX_TEXT + 100)
    assert [line["type"] for line in heard.lines()] == ["log", "log", "penstock"]
    assert heard.events.lines == 10


def test_the_service_and_what_needs_no_network_may_be_asked_for(heard: Heard) -> None:
    for url in (f"{ORIGIN}/", f"{ORIGIN}/api", "data:image/png;base64,AA", "blob:http://x/1", "about:blank"):
        heard.request(url, "POST", navigation=True)
    assert heard.events.elsewhere == []
    assert heard.events.fault is None


def test_a_port_that_begins_as_ours_is_another_service(heard: Heard) -> None:
    heard.request("http://127.0.0.1:47110/")
    assert heard.events.elsewhere == ["http://127.0.0.1:47110/"]


def test_a_font_from_elsewhere_is_told_and_no_fault(heard: Heard) -> None:
    for _ in range(3):
        heard.request("https://fonts.example.org/a.woff2?who=me")
    assert heard.events.elsewhere == ["https://fonts.example.org/a.woff2"]
    assert heard.events.fault is None
    assert len(heard.lines()) == 1


def test_addresses_elsewhere_are_counted_up_to_a_limit(heard: Heard) -> None:
    for number in range(1000):
        heard.request(f"http://example.org/{number}")
    assert len(heard.events.elsewhere) == page_events.MAX_ELSEWHERE


def test_sending_data_elsewhere_is_a_fault(heard: Heard) -> None:
    heard.request("https://example.org/collect?x=1", "POST")
    assert heard.events.fault == "the page sends data elsewhere: POST https://example.org/collect"


def test_leading_elsewhere_is_a_fault_and_a_frame_that_does_is_not(heard: Heard) -> None:
    heard.request("https://example.org/", navigation=True, frame=object())
    assert heard.events.fault is None
    heard.request("https://example.org/", navigation=True)
    assert heard.events.fault == "the page leads elsewhere: https://example.org/"


def test_leaving_without_a_request_is_a_fault(heard: Heard) -> None:
    heard.page.handlers["framenavigated"](SimpleNamespace(url="about:blank"))
    assert heard.events.fault is None
    heard.page.main_frame = frame = SimpleNamespace(url="data:text/html,<p>")
    heard.page.handlers["framenavigated"](frame)
    assert heard.events.fault == "the page left for data"


def test_a_window_a_dialog_a_download_a_crash_are_faults_and_are_ended(heard: Heard, tmp_path: Path) -> None:
    window = Emitter()
    heard.context.handlers["page"](window)
    assert window.closed
    assert heard.events.fault == "the page opened another window"
    ended: list[str] = []
    for event, fields, said in [
        ("dialog", {"type": "alert", "message": "hi\nthere"}, "the page opened a dialog (alert): hi there"),
        ("download", {"suggested_filename": "../x.zip"}, "the page started a download: ../x.zip"),
        ("crash", {}, "the page crashed the browser's tab"),
    ]:
        other = Heard(tmp_path)
        fields |= {"dismiss": lambda: ended.append("dialog"), "cancel": lambda: ended.append("download")}
        other.page.emit(event, **fields)
        assert other.events.fault == said
        other.context.handlers["page"](Emitter())
        assert other.events.fault == said, "the first one counts"
    assert ended == ["dialog", "download"]


def test_a_socket_to_elsewhere_is_told(heard: Heard) -> None:
    heard.page.emit("websocket", url=ORIGIN.replace("http", "ws") + "/live")
    assert heard.events.elsewhere == []
    heard.page.emit("websocket", url="wss://example.org/live")
    assert heard.events.elsewhere == ["https://example.org/live"]


def test_texts_for_messages_are_short_and_addresses_without_their_query() -> None:
    assert short("a" * 50, 10) == "aaaaaaaaa…"
    assert short("a\n b") == "a b"
    assert address("data:image/png;base64," + "A" * 10_000) == "data"
    assert address("http://user@h/p?photo=1#x") == "http://user@h/p"
