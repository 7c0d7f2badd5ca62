"""The pages of rmbg-lite's releases in a real Chromium: what a person who presses the button gets."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import make_repository
import pytest
from playwright.sync_api import Browser
from playwright.sync_api import TimeoutError as TookTooLong
from tests.rmbg_lite.matting_service import picture_in, remove_background, rgba
from tests.sonic_lite.talking_head_service import Running

PREFIX = "data:image/png;base64,"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Starts the service of a release; gives its address."""
    started: list[Running] = []
    manifest = make_repository.read_manifest("rmbg-lite")

    def start(tag: str) -> str:
        release = next(release for release in manifest.releases if release.tag == tag)
        tree, scratch = tmp_path / "tree", tmp_path / "scratch"
        tree.mkdir()
        scratch.mkdir()
        make_repository.stage(manifest, release, tree)
        started.append(Running(tree, scratch))
        started[-1].wait_ready()
        return started[-1].url

    yield start
    for service in started:
        service.stop()


def pressed(browser: Browser, url: str, photo: Path, wait_ms: int) -> tuple[str | None, list[str]]:
    """The result's ``src`` after upload and button, and the errors of the page."""
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(url)
    page.set_input_files("#upload-input", str(photo))
    page.get_by_role("button", name="Remove background").click()
    result = page.locator("#result-img")
    with contextlib.suppress(TookTooLong):  # of a page that shows nothing
        page.wait_for_function("document.getElementById('result-img').src.startsWith('data:')", timeout=wait_ms)
    source = result.get_attribute("src")
    page.close()
    return source, errors


def test_the_page_shows_what_the_interface_answers(
    browser: Browser, running: Callable[[str], str], suite: Path, photo: bytes
) -> None:
    url = running("v1.0.0")
    source, errors = pressed(browser, url, suite / "photos" / "hair-01.png", 30_000)
    assert errors == []
    assert source is not None
    assert source.startswith(PREFIX)
    assert base64.b64decode(source.removeprefix(PREFIX)) == picture_in(remove_background(url, photo))


def test_a_page_without_a_photo_says_so(browser: Browser, service: str) -> None:
    page = browser.new_page()
    page.goto(service)
    page.get_by_role("button", name="Remove background").click()
    assert page.locator("#message").inner_text() == "Choose a photo first."
    page.close()


def test_the_dead_button_does_nothing(
    browser: Browser, running: Callable[[str], str], suite: Path, photo: bytes
) -> None:
    url = running("v1.0.11-dead-button")
    source, errors = pressed(browser, url, suite / "photos" / "hair-01.png", 3_000)
    assert source is None
    assert len(errors) == 1
    assert rgba(picture_in(remove_background(url, photo))).shape == (512, 512, 4)  # the interface is well


def test_the_opaque_pages_result_lacks_alpha(
    browser: Browser, running: Callable[[str], str], suite: Path, photo: bytes
) -> None:
    url = running("v1.0.12-opaque-page")
    source, errors = pressed(browser, url, suite / "photos" / "hair-01.png", 30_000)
    assert errors == []
    assert source is not None
    shown = base64.b64decode(source.removeprefix(PREFIX))
    assert shown.startswith(b"\x89PNG")
    assert shown[25] == 2 or rgba(shown)[..., 3].min() == 255  # colour type RGB, or alpha that says nothing
    assert rgba(picture_in(remove_background(url, photo)))[..., 3].min() == 0
