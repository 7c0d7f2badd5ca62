"""Raters at a real Chromium, by the keyboard alone; and fifty of them at once at the real server."""

from __future__ import annotations

import asyncio
import base64
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from tests.browser.bundles import write_video
from tests.browser.conftest import DESKTOP, PHONE
from tests.unit.book.made_rated import HOME, RUN, rated_store, raters, token
from tests.unit.book.made_store import MODEL

from penstock.book.access import Door
from penstock.book.server import server
from penstock.bundle.models import Run
from penstock.ratings.counting import counted_ratings
from penstock.ratings.kept import read_ratings
from penstock.services.listening import ListenAddress, bound
from penstock.store.local import LocalStore

CROWD = [f"rater-{number}" for number in range(50)]


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    """A run that waits, with real clips: the released model's are half as long."""
    found = rated_store(tmp_path)
    for run, frames in (("run-1", 25), (RUN, 50)):
        for path in (found.directory / "runs" / MODEL / run / "outputs").rglob("output.mp4"):
            path.unlink()
            write_video(path, frames=frames)
    return found


@pytest.fixture
def address(store: LocalStore) -> Iterator[str]:
    book = server(store, Door(), raters=raters("ann", *CROWD))
    with bound(ListenAddress("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=book.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        book.should_exit = True
        thread.join(10)


def rater(browser: Browser, size: tuple[int, int], scheme: str = "light") -> BrowserContext:
    return browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,  # type: ignore[arg-type]
        http_credentials={"username": "anybody", "password": token("ann")},
    )


def listen(page: Page) -> list[str]:
    said: list[str] = []
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: said.append(f"uncaught: {error}"))
    return said


CLIPS = "[...document.querySelectorAll('video')]"
READY = f"() => {CLIPS}.length === 2 && {CLIPS}.every((video) => video.readyState >= 2)"
TIMES = f"{CLIPS}.map((video) => [video.currentTime, video.paused])"


def test_all_pairs_by_the_keyboard_alone(browser: Browser, address: str, store: LocalStore) -> None:
    context = rater(browser, DESKTOP)
    page = context.new_page()
    said = listen(page)
    page.goto(f"{address}/rate")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.getAttribute('href')") == HOME:
            break
    page.keyboard.press("Enter")
    page.wait_for_function(READY)

    page.keyboard.press(" ")
    page.wait_for_function(f"() => {TIMES}.every(([time, paused]) => time > 0.3 && !paused)")
    page.keyboard.press(" ")
    page.wait_for_function(f"() => {TIMES}.every(([, paused]) => paused)")
    (left, _), (right, _) = page.evaluate(TIMES)
    assert abs(left - right) < 0.3 or min(left, right) > 0.9  # in step, or the shorter one waits at its end

    page.keyboard.press("r")
    page.keyboard.type("rather left = 1")  # no answer, though r and arrows are keys elsewhere
    page.keyboard.press("ArrowLeft")
    assert page.get_by_text("pair 1 of 5").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowLeft")
    page.get_by_text("pair 2 of 5").wait_for()
    for number, key in enumerate(("ArrowRight", "ArrowDown", "ArrowLeft"), 3):
        page.wait_for_function(READY)
        page.keyboard.press(key)
        page.get_by_text(f"pair {number} of 5").wait_for()
    page.wait_for_function(READY)
    for _ in range(20):  # by its buttons as well
        if page.evaluate("document.activeElement.value") == "same":
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="You have answered all pairs").wait_for()
    kept = read_ratings(store, MODEL, RUN).ratings
    assert sorted(one.answer for one in kept) == ["left", "left", "right", "same", "same"]
    assert [one.reason for one in kept if one.reason] == ["rather left = 1"]
    context.close()
    assert said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_both_sides_beside_each_other(
    browser: Browser, address: str, scheme: str, tmp_path: Path
) -> None:
    context = rater(browser, PHONE, scheme)
    page = context.new_page()
    said = listen(page)
    for place in ("/rate", HOME):
        page.goto(f"{address}{place}")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0], place
    page.wait_for_function(READY)
    boxes = [video.bounding_box() for video in page.locator("video").all()]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[0]["y"] == boxes[1]["y"]
    assert boxes[0]["x"] + boxes[0]["width"] < boxes[1]["x"]
    page.screenshot(path=tmp_path / f"{scheme}.png", full_page=True)
    context.close()
    assert said == []


def test_fifty_raters_at_once(address: str, store: LocalStore) -> None:
    """Each answers all pairs; catch pairs by what the page shows, the others by chance of the lot."""

    async def rate(name: str) -> None:
        word = base64.b64encode(f":{token(name)}".encode()).decode()
        async with httpx.AsyncClient(
            base_url=address, headers={"Authorization": f"Basic {word}"}, timeout=60
        ) as client:
            while fields := dict(
                re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', (page := (await client.get(HOME)).text))
            ):
                soft = re.search(r'class="soft"><figcaption>(left|right)', page)
                answer = "same" if soft is None else "right" if soft[1] == "left" else "left"
                sent = await client.post(HOME, data={**{k: unescape(v) for k, v in fields.items()}, "answer": answer})
                assert sent.status_code == 303

    async def all_of_them() -> None:
        await asyncio.gather(*(rate(name) for name in CROWD))

    with ThreadPoolExecutor(1) as apart:  # the browser's own loop runs in this thread
        apart.submit(lambda: asyncio.run(all_of_them())).result()
    record, (measured,) = counted_ratings(store, MODEL, Run(penstock="1", run_id=RUN), "run-1")
    assert (record.count.counted, record.count.raters, record.broken) == (100, 50, [])
    assert measured.value == 0.5
