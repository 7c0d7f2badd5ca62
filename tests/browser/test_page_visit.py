"""Real pages in a real Chromium, as the step *browse* visits them: those that work, and each way of not working."""

from __future__ import annotations

import base64
import json
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.invocation.orphans import adopted
from tests.unit.browser.pictures import cut_out, png

from penstock.browser.confined_visit import visit_page
from penstock.browser.visit_order import RESULT, Visit
from penstock.bundle.page_record import CONSOLE, SCREENSHOT, TRACE
from penstock.contract.page import Page

WAIT_S = 8.0
"""For a page that never shows anything."""
FORM = """<!doctype html><title>cut out</title>
<input type="file" id="upload-input"><button>Start</button><img id="result-img"><p id="said"></p>
<script>
const button = document.querySelector("button"), shown = document.querySelector("#result-img");
const uploaded = () => document.querySelector("#upload-input").files[0];
button.onclick = async () => { %s };
</script>"""
ANSWER = """
  const answer = await (await fetch("/api", {method: "POST", body: uploaded()})).blob();
  const reader = new FileReader();
  reader.onload = () => { shown.src = reader.result; };
  reader.readAsDataURL(answer);
"""


@dataclass
class Service:
    """A small service with one page; it answers what is uploaded with the same picture."""

    port: int = 0
    page: str = ""
    asked: list[str] = field(default_factory=list)

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of a GET."""
        self.asked.append(path)
        if path == "/download":
            return 200, {"Content-Type": "application/zip", "Content-Disposition": "attachment; filename=a.zip"}, b"PK"
        if path == "/redirect":
            return 302, {"Location": "http://example.org/elsewhere?photo=1"}, b""
        if path == "/round":
            return 302, {"Location": "/round"}, b""
        if path == "/error":
            return 500, {"Content-Type": "text/html"}, b"broken"
        if path == "/slow":
            time.sleep(20)
        return 200, {"Content-Type": "text/html; charset=utf-8"}, self.page.encode()


@pytest.fixture
def service() -> Iterator[Service]:
    state = Service()

    class Handler(BaseHTTPRequestHandler):
        def send(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self.send(*state.answer(self.path))

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            state.asked.append(f"POST {self.path}")
            self.send(200, {"Content-Type": "image/png"}, content)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield state
    server.shutdown()


class Visited:
    """A visit of the service's page, with what it left."""

    def __init__(self, folder: Path, service: Service) -> None:
        self._folder, self.service = folder, service
        self.photo = png(folder / "人像 1.png", cut_out())

    def __call__(self, script: str = "", *, whole: str = "", path: str = "/", **page: Any) -> Visit:
        self.service.page = whole or FORM % script
        asked = {
            "path": path,
            "upload": {"#upload-input": "image"},
            "press": "button",
            "result": {"selector": "#result-img", "begins": "data:image/png", "alpha": True},
            "timeout_s": WAIT_S,
        }
        self.left = self._folder / "left"
        self.left.mkdir(exist_ok=True)
        began = time.monotonic()
        made = visit_page(Page.model_validate(asked | page), self.service.port, {"image": self.photo}, self.left)
        assert time.monotonic() - began < WAIT_S + 60
        return made

    def console(self) -> list[str]:
        return [json.loads(line)["text"] for line in (self.left / CONSOLE).read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def visited(tmp_path: Path, service: Service) -> Iterator[Visited]:
    with adopted() as orphans:
        yield Visited(tmp_path, service)
        assert orphans.left() == [], "a process of the browser is left"


def test_a_page_that_works_shows_the_picture_that_was_uploaded(visited: Visited) -> None:
    made = visited("console.log('uploaded', uploaded().name);" + ANSWER, timeout_s=60.0)
    assert made.fault is None
    assert (visited.left / RESULT).read_bytes() == visited.photo.read_bytes()
    assert visited.console() == ["uploaded 人像 1.png"]
    assert made.browser.startswith("Chromium 1")
    assert 0 < (made.loaded_s or 0) <= (made.result_s or 0)
    assert (visited.left / SCREENSHOT).read_bytes().startswith(b"\x89PNG")
    with zipfile.ZipFile(visited.left / TRACE) as trace:
        assert "trace.trace" in trace.namelist()


def test_a_text_is_waited_for(visited: Visited) -> None:
    slowly = "setTimeout(() => { document.querySelector('#said').textContent = 'similarity: 0.83'; }, 300);"
    made = visited(slowly, result={"selector": "#said", "text": "similarity: 0[.]8"}, timeout_s=60.0)
    assert (made.fault, made.kept) == (None, False)


def test_a_blob_and_a_path_of_the_service_are_results(visited: Visited) -> None:
    blob = "shown.src = URL.createObjectURL(uploaded());"
    made = visited(blob, result={"selector": "#result-img", "begins": "blob:"}, timeout_s=60.0)
    assert made.fault is None
    assert (visited.left / RESULT).read_bytes() == visited.photo.read_bytes()
    made = visited("shown.src = '/made.png';", result={"selector": "#result-img"}, timeout_s=60.0)
    assert made.fault is None
    assert (visited.left / RESULT).read_bytes() == visited.service.page.encode()


def test_what_the_page_redefines_has_no_say_in_what_is_read(visited: Visited) -> None:
    """It may show what it likes; it cannot have another thing read than it shows, or a gigabyte."""
    lies = "document.querySelectorAll = () => { throw 1 }; Element.prototype.getAttribute = () => 'x'.repeat(1e9);"
    made = visited(lies + ANSWER, timeout_s=60.0)
    assert made.fault is None
    assert (visited.left / RESULT).read_bytes() == visited.photo.read_bytes()


NO_RESULT = "pressing 'button' brought no result within 8 s of opening the page: "
LOOP = "while (true) {}"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("", NO_RESULT + "the src of '#result-img' is empty"),
        (
            "shown.src = 'data:image/jpeg;base64,AAAA';",
            NO_RESULT + "the src of '#result-img' begins with 'data:image/jpeg;base64,AAAA', not with 'data:image/png'",
        ),
        ("shown.remove();", NO_RESULT + "it has no '#result-img'"),
        ("shown.src = 'data:image/png;base64,A';", "the result's data URL is no valid base64"),
        (
            "shown.src = 'data:image/png;base64,' + 'A'.repeat(9e7);",
            "the result is 85 MiB of text, more than the 64 MiB",
        ),
        ("alert('done'); " + ANSWER, "the page opened a dialog (alert): done"),
        ("window.open('/other'); " + ANSWER, "the page opened another window"),
        ("location = '/download';", "the page started a download: a.zip"),
        ("location = 'http://example.org/thanks?photo=1';", "the page leads elsewhere: http://example.org/thanks"),
        ("location = 'about:blank';", "the page left for about"),
        (
            "fetch('http://example.org/photos', {method: 'POST', body: uploaded()}).catch(() => 0);" + ANSWER,
            "the page sends data elsewhere: POST http://example.org/photos",
        ),
        (
            "navigator.sendBeacon('http://example.org/beacon', 'x');" + ANSWER,
            "the page sends data elsewhere: POST http://example.org/beacon",
        ),
        (LOOP, "the page hangs: it was ended after 18 s"),
        ("console.log('A'.repeat(5e8)); " + LOOP, "the page hangs: it was ended after 18 s"),
    ],
)
def test_a_button_that_does_something_else_is_told(visited: Visited, script: str, said: str) -> None:
    made = visited(script)
    assert (made.fault or "").startswith(said), made


@pytest.mark.parametrize(
    ("whole", "path", "said"),
    [
        (
            "<p>under construction",
            "/",
            "'#upload-input' could not take the file within 8 s: the page has no such element",
        ),
        (FORM % "" + "<button>Stop</button>", "/", "'button' could not be pressed: "),
        (
            FORM.replace("<button>", "<button disabled>") % "",
            "/",
            "'button' could not be pressed within 8 s: it is hidden",
        ),
        ("", "/slow", "the page did not load within 8 s"),
        ("", "/error", "the page answered 500"),
        ("", "/redirect", "the page leads elsewhere: http://example.org/elsewhere"),
        ("", "/round", "the page could not be loaded: "),
        ("", "/download", "the page started a download: a.zip"),
        ("<script>while (true) {}</script>", "/", "the page did not load within 8 s"),
        ("<script>while (true) alert('again')</script>", "/", "the page opened a dialog (alert): again"),
        ("<script>for (let i = 0; i < 20; i++) window.open('/')</script>", "/", "the page opened another window"),
        ("<script>location.reload()</script>", "/", "the page did not load within 8 s"),
    ],
)
def test_a_page_that_is_none_is_told(visited: Visited, whole: str, path: str, said: str) -> None:
    made = visited(whole=whole or "<p>", path=path)
    assert (made.fault or "").startswith(said), made


def test_a_service_that_is_gone_is_told(visited: Visited) -> None:
    visited.service.port = 9  # nothing listens there
    assert (visited().fault or "").startswith("the page could not be loaded: ")


def test_nothing_but_the_service_is_reached(visited: Visited) -> None:
    """Another port of the same machine, another host, and the files of this machine."""
    other = Service()
    reached: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            reached.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    other.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    tries = [f"http://127.0.0.1:{other.port}/x", f"http://localhost:{other.port}/x", "http://example.org/font.woff2"]
    script = "".join(f"await fetch('{url}', {{mode: 'no-cors'}}).catch(() => 0);" for url in tries)
    script += f"new WebSocket('ws://127.0.0.1:{other.port}/live');"
    try:
        made = visited(script + ANSWER, timeout_s=60.0)
    finally:
        server.shutdown()
    assert reached == []
    assert made.fault is None, "a page that does without is right"
    assert made.elsewhere[:3] == tries
    assert any("not the service: not reached" in line for line in visited.console())


def test_the_photo_is_a_whole_data_url_of_its_own(visited: Visited) -> None:
    """What is read is what is shown, whole: a picture of many kilobytes comes out byte by byte."""
    content = base64.b64encode(bytes(range(256)) * 4000).decode()
    made = visited(f"shown.src = 'data:image/png;base64,{content}';", timeout_s=60.0)
    assert made.fault is None
    assert (visited.left / RESULT).read_bytes() == bytes(range(256)) * 4000
