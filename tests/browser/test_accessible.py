"""What a keyboard and a screen reader need: names, order, focus, contrast."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.browser.conftest import DESKTOP, PHONE, Opened

USABLE = "button, input, select, canvas, img, video, a[href], summary, svg[role=img]"
NAMELESS = """(usable) => [...document.querySelectorAll(usable)]
  .filter((element) => element.checkVisibility())
  .filter((element) => !(element.ariaLabel || element.alt || element.textContent.trim() || element.labels?.length))
  .map((element) => element.outerHTML.slice(0, 120))"""
FOCUSED = """() => {
  const element = document.activeElement;
  return element.id || element.className || element.getAttribute('href') || element.tagName;
}"""
CONTRAST = """() => {
  const parse = (colour) => (colour.match(/[\\d.]+/g) ?? []).map(Number);
  const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const light = (colour) => colour.slice(0, 3).map((v) => linear(v / 255))
    .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    if (element.closest('svg, script, :disabled')) continue;
    const [ink, paper] = [light(parse(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    if (ratio < 4.5) poor.push(`${ratio.toFixed(2)} ${element.className} ${walker.currentNode.data.slice(0, 40)}`);
  }
  return poor;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_every_text_stands_out(report: Path, opened: Callable[..., Opened], size: tuple[int, int], scheme: str) -> None:
    page = opened(report, size=size, scheme=scheme).page
    for summary in page.locator("summary").all():
        summary.click()
    assert page.evaluate(CONTRAST) == []
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 27)"
    assert dark == (scheme == "dark")


def test_everything_that_can_be_used_has_a_name(report: Path, opened: Callable[..., Opened]) -> None:
    page = opened(report, fragment="#case-2").page
    assert page.evaluate(NAMELESS, USABLE) == []
    assert page.evaluate("document.documentElement.lang") == "en"
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((element) => element.id)")
    assert len(ids) == len(set(ids))
    assert page.locator("h1").count() == 1
    scopeless = "[...document.querySelectorAll('th')].filter((cell) => cell.textContent && !cell.scope).length"
    assert page.evaluate(scopeless) == 0
    position = page.locator("#scrub").get_attribute("aria-valuetext") or ""
    assert position.startswith("frame ")
    assert "sync distance" in position


def test_the_whole_page_is_reached_by_the_keyboard(report: Path, opened: Callable[..., Opened]) -> None:
    page = opened(report).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "viewer"
    page.goto(report.as_uri())
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(FOCUSED))
        if reached[-1] == "BODY":
            break
    assert {"#rule-2", "#case-1", "play", "scrub", "worst-sync", "next"} <= set(reached)
    assert "closeup" in reached


def test_focus_is_seen(report: Path, opened: Callable[..., Opened]) -> None:
    page = opened(report, fragment="#case-2").page
    for selector in ("#next", "#play", ".worst a"):
        page.locator(selector).first.focus()
        page.keyboard.press("Shift")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid", selector
    page.locator("#scrub").focus()
    assert page.evaluate("getComputedStyle(document.querySelector('.scrubber')).outlineStyle") == "solid"


def test_without_scripts_all_numbers_are_there(report: Path, browser: object) -> None:
    from playwright.sync_api import Browser

    assert isinstance(browser, Browser)
    context = browser.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.goto(report.as_uri())
    text = page.locator("main").inner_text()
    assert "need JavaScript" in text
    assert "bela-fast" in text
    assert "+2.900 (+41.4%)" in text
    assert page.locator("#viewer").is_hidden()
    context.close()
