"""A real headless Chromium, and pages that must not complain, nor ask for anything but themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request
from tests.browser.bundles import mixed_verdict, write_bundle, write_history

from penstock.bundle.directory import Bundle
from penstock.report.page import write_report

DESKTOP, PHONE = (1280, 800), (390, 844)


@dataclass
class Opened:
    """A page in the browser, with what it said and asked for."""

    page: Page
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    may_say: str = ""
    """Pattern of messages that a test expects."""

    def listen(self) -> None:
        """Write down everything that the page says and asks for."""
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.said.append(f"uncaught: {error}"))
        self.page.on("dialog", lambda dialog: self.said.append(f"dialog: {dialog.message}"))
        self.page.on("request", self._asked)
        self.page.on("requestfailed", self._refused)

    def _heard(self, message: ConsoleMessage) -> None:
        self.said.append(f"{message.type}: {message.text}")

    def _asked(self, request: Request) -> None:
        self.asked.append(request.url)

    def _refused(self, request: Request) -> None:
        if request.failure == "csp":  # it was not sent
            self.asked.remove(request.url)

    def check(self) -> None:
        """Nothing was said, nothing left the machine."""
        said = [line for line in self.said if not (self.may_say and re.search(self.may_say, line))]
        assert said == []
        assert [url for url in self.asked if not url.startswith(("file:", "blob:", "data:"))] == []


Open = Callable[..., Page]


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Opened]]:
    """Open a report; at the end of the test every page must have been silent."""
    pages: list[Opened] = []

    def open_page(
        path: Path, *, size: tuple[int, int] = DESKTOP, scheme: str = "light", ready: bool = True, fragment: str = ""
    ) -> Opened:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,  # type: ignore[arg-type]
            reduced_motion="reduce",
        )
        shown = Opened(context.new_page())
        shown.listen()
        pages.append(shown)
        shown.page.goto(path.as_uri() + fragment)
        if ready:
            wait_until_shown(shown.page)
        return shown

    yield open_page
    for shown in pages:
        shown.check()
        shown.page.context.close()


def wait_until_shown(page: Page) -> None:
    """Until every video of the viewer shows its frame."""
    page.wait_for_function(
        "() => [...document.querySelectorAll('video')].every((video) => video.readyState >= 2 && !video.seeking)"
    )


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bundle, Bundle]:
    """A candidate with one rule of each kind, its baseline, and a history with a gap."""
    folder = tmp_path_factory.mktemp("pair")
    candidate = write_bundle(folder / "candidate", "1.1.0", candidate=True)
    baseline = write_bundle(folder / "baseline", "1.0.0", candidate=False)
    write_history(candidate)
    candidate.write_verdict(mixed_verdict())
    write_report(candidate, baseline)
    return candidate, baseline


@pytest.fixture(scope="session")
def report(pair: tuple[Bundle, Bundle]) -> Path:
    """The page of that pair."""
    return pair[0].report / "index.html"
