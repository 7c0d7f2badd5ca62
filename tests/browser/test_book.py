"""The release book in a real Chromium: what people do with it, and what a hostile bundle cannot do there."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page
from tests.browser.bundles import mixed_verdict, write_bundle
from tests.browser.conftest import DESKTOP, PHONE

from penstock.book.access import Door
from penstock.book.server import server
from penstock.bundle.directory import Bundle
from penstock.report.page import write_report
from penstock.services.listening import ListenAddress, bound
from penstock.store.archive import archive
from penstock.store.local import LocalStore

EVIL = "<script>document.title = 'pwned'</script>"
PROBE = """<!doctype html><title>quiet</title><script>
document.title = self.origin;
try { document.title += ' ' + localStorage.length } catch { document.title += ' no-storage' }
fetch('/').then(() => document.title += ' read', () => document.title += ' refused');
</script>"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The book of a store with a run, its baseline, and a run whose report is an attack."""
    folder = tmp_path_factory.mktemp("book")
    candidate = write_bundle(folder / "candidate", "1.1.0", candidate=True)
    baseline = write_bundle(folder / "baseline", "1.0.0", candidate=False)
    verdict = mixed_verdict()
    candidate.write_verdict(verdict.model_copy(update={"baseline": "run-1.0.0"}))
    write_report(candidate, baseline)
    evil = write_bundle(folder / "evil", "6.6.6", candidate=True)
    evil.write_verdict(verdict)
    for name, text in (("report/index.html", PROBE), ("page/evil.html", EVIL), ("page/evil.svg", EVIL)):
        (evil.path / name).parent.mkdir(exist_ok=True)
        (evil.path / name).write_text(text)
    store = LocalStore(folder / "store")
    for bundle, run_id in ((candidate, "run-1.1.0"), (baseline, "run-1.0.0"), (evil, "run-6.6.6")):
        _archived(bundle, store, run_id)
    book = server(store, Door())
    with bound(ListenAddress("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=book.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        book.should_exit = True
        thread.join(10)


def _archived(bundle: Bundle, store: LocalStore, run_id: str) -> None:
    archive(bundle, store, model="sonic-lite", run_id=run_id)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that must not complain."""
    context = browser.new_context(viewport={"width": DESKTOP[0], "height": DESKTOP[1]})
    found = context.new_page()
    said: list[str] = []
    found.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    found.on("pageerror", lambda error: said.append(f"uncaught: {error}"))
    yield found
    context.close()
    assert said == []


def test_from_the_models_to_a_moment_of_a_video(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("link", name="sonic-lite").click()
    page.get_by_role("link", name="3 runs").click()
    page.get_by_role("link", name="run-1.1.0", exact=True).click()
    page.locator("#cases ~ .scroll a").first.click()
    page.get_by_label("At second").fill("0.2")
    page.get_by_role("button", name="Go to it").click()
    assert page.url.endswith("t=0.2")
    page.wait_for_function("() => [...document.querySelectorAll('video')].every((video) => video.readyState >= 2)")
    times = page.evaluate("[...document.querySelectorAll('video')].map((video) => video.currentTime)")
    assert len(times) == 2
    assert times == [pytest.approx(0.2, abs=0.05)] * 2


def test_the_report_works_in_its_own_origin(page: Page, address: str) -> None:
    page.goto(f"{address}/models/sonic-lite/runs/run-1.1.0")
    page.get_by_role("link", name="Open the report").click()
    page.wait_for_function("() => [...document.querySelectorAll('video')].every((video) => video.readyState >= 2)")
    assert page.evaluate("self.origin") == "null"
    page.keyboard.press("n")
    assert page.url.endswith("#case-2")


def test_a_link_for_people_outside(page: Page, browser: Browser, address: str) -> None:
    page.goto(f"{address}/models/sonic-lite/runs/run-1.1.0")
    link = page.get_by_role("link", name="A link to this run").get_attribute("href")
    page.goto(f"{address}{link}")
    assert page.get_by_role("link", name="Open the report").is_visible()
    assert page.get_by_role("search").count() == 0


def test_two_runs_are_chosen_and_compared(page: Page, address: str) -> None:
    page.goto(f"{address}/models/sonic-lite/runs")
    page.get_by_label("compare from run-1.0.0").check()
    page.get_by_label("compare to run-1.1.0").check()
    page.get_by_role("button", name="Compare the two").click()
    assert page.get_by_role("heading", level=1).inner_text() == "From run-1.0.0 to run-1.1.0"
    assert page.locator("svg.forest").count() > 0


def test_a_hostile_report_reads_nothing_of_the_book(browser: Browser, address: str) -> None:
    page = browser.new_page()
    page.goto(f"{address}/models/sonic-lite/runs/run-6.6.6")
    page.get_by_role("link", name="Open the report").click()
    page.wait_for_function("() => /read|refused/.test(document.title)")
    assert page.title() == "null no-storage refused"
    for name in ("page/evil.html", "page/evil.svg"):
        page.goto(f"{address}/models/sonic-lite/runs/run-6.6.6")
        page.get_by_role("link", name=name).click()
        assert "<script>" in page.inner_text("body")  # shown as what it says
        assert page.title() != "pwned"
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_needs_no_scrolling_sideways(browser: Browser, address: str, scheme: str) -> None:
    context = browser.new_context(
        viewport={"width": PHONE[0], "height": PHONE[1]},
        color_scheme=scheme,  # type: ignore[arg-type]
    )
    page = context.new_page()
    run = "/models/sonic-lite/runs/run-1.1.0"
    compared = "/compare?model=sonic-lite&a=run-1.0.0&b=run-1.1.0"
    for place in ("/", "/models/sonic-lite", "/models/sonic-lite/runs", run, compared, "/search?q=run", "/nothing"):
        page.goto(f"{address}{place}")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0], place
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") == (scheme == "light")
    context.close()


def test_the_keyboard_reaches_everything(page: Page, address: str) -> None:
    page.goto(f"{address}/models/sonic-lite/runs/run-1.1.0")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    reached = set()
    for _ in range(80):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.outerHTML"))
    wanted = page.evaluate("[...document.querySelectorAll('a:not(.skip), button, input')].map((e) => e.outerHTML)")
    assert set(wanted) <= reached
