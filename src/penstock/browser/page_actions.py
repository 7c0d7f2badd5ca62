"""What somebody does on the page, step by step, and what the page shows in the end."""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from penstock.browser.page_events import PageEvents, short
from penstock.browser.visit_order import VisitOrder
from penstock.contract.placeholders import text_of

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, CDPSession, Locator, Page

MAX_RESULT_BYTES: Final = 64 << 20
MAX_URL_CHARACTERS: Final = MAX_RESULT_BYTES // 3 * 4 + 1000
MAX_TEXT: Final = 100_000
POLL_MS: Final = 100
SETTLE_MS: Final = 500
LOOK: Final = """(() => {
  const found = document.querySelectorAll(%(selector)s);
  if (found.length !== 1) return {count: found.length};
  const name = %(attribute)s;
  const value = name === null ? found[0].textContent : found[0].getAttribute(name);
  if (value === null) return {count: 1};
  return {count: 1, length: value.length, value: value.slice(0, %(most)d)};
})()"""
FETCH: Final = """fetch(%(url)s).then((answer) => answer.blob()).then((blob) => blob.size > %(most)d
  ? {size: blob.size}
  : new Promise((done, failed) => {
      const reader = new FileReader();
      reader.onload = () => done({size: blob.size, url: reader.result});
      reader.onerror = failed;
      reader.readAsDataURL(blob);
    }))"""
_DATA_URL = re.compile(r"data:[^,;]{0,200}(?:;[^,;]{1,200}){0,10}?(;base64)?,")


class PageFaultError(Exception):
    """The page does not do what it should; the message is one sentence."""


class PageActions:
    """One page in one browser, with a time that is running."""

    def __init__(self, order: VisitOrder, context: BrowserContext, page: Page, events: PageEvents) -> None:
        self._order, self._context, self._page, self._events = order, context, page, events
        self._began = time.monotonic()
        self._deadline = self._began + order.page.timeout_s
        self._session: CDPSession = context.new_cdp_session(page)
        self.loaded_s: float | None = None
        self.result_s: float | None = None

    def go(self) -> bytes | None:
        """Open, fill in, press, wait, read; the result's bytes, or ``None`` of a text.

        Raises:
            PageFaultError: the page is at fault.
        """
        asked = self._order.page
        self._open()
        for selector, name in asked.upload.items():
            self._do(selector, "take the file", partial(_put_file, self._order.inputs[name]))
        for selector, value in asked.fill.items():
            self._do(selector, "be filled in", partial(_fill_in, text_of(value)))
        if asked.press is not None:
            self._do(asked.press, "be pressed", _press)
        shown = self._wait_for_result()
        self.result_s = round(time.monotonic() - self._began, 3)
        return self._bytes_of(shown) if asked.result.text is None else None

    def _left_ms(self) -> float:
        return max(1.0, (self._deadline - time.monotonic()) * 1000)

    def _check(self) -> None:
        """What the page may not do goes before what did not work because of it."""
        if self._events.fault is not None:
            raise PageFaultError(self._events.fault)

    def _check_what_comes(self) -> None:
        """What failed may be told before the event that was the reason."""
        from playwright.sync_api import Error

        with contextlib.suppress(Error):
            self._page.wait_for_timeout(SETTLE_MS)
        self._check()

    def _open(self) -> None:
        from playwright.sync_api import Error
        from playwright.sync_api import TimeoutError as TooLate

        limit = self._order.page.timeout_s
        try:
            answer = self._page.goto(
                self._order.origin + self._order.page.path, timeout=self._left_ms(), wait_until="domcontentloaded"
            )
        except TooLate:
            self._check()
            raise PageFaultError(f"the page did not load within {limit:g} s") from None
        except Error as error:
            self._check_what_comes()
            raise PageFaultError(f"the page could not be loaded: {reason(error)}") from None
        self._check()
        if answer is not None and not answer.ok:
            raise PageFaultError(f"the page answered {answer.status}")
        self.loaded_s = round(time.monotonic() - self._began, 3)

    def _do(self, selector: str, what: str, action: Callable[[Locator, float], None]) -> None:
        from playwright.sync_api import Error
        from playwright.sync_api import TimeoutError as TooLate

        self._check()
        try:
            action(self._page.locator(selector), self._left_ms())
        except TooLate:
            self._check()
            limit = self._order.page.timeout_s
            raise PageFaultError(f"'{selector}' could not {what} within {limit:g} s: {self._state(selector)}") from None
        except Error as error:
            self._check_what_comes()
            raise PageFaultError(f"'{selector}' could not {what}: {reason(error)}") from None
        self._check()

    def _state(self, selector: str) -> str:
        """Why nothing could be done with an element."""
        from playwright.sync_api import Error

        try:
            count = self._page.locator(selector).count()
            if count == 0:
                return "the page has no such element"
            if count > 1:
                return f"{count} elements fit; name one"
            return "it is hidden, covered or disabled, or the page hangs"
        except Error as error:
            return reason(error)

    def _wait_for_result(self) -> str:
        """The text or URL that the page shows in the end, whole."""
        wanted = self._order.page.result
        seen: dict[str, Any] = {}
        while True:
            self._check()
            seen = self._look(MAX_TEXT if wanted.text is not None else 200)
            value = str(seen.get("value", ""))
            if wanted.text is not None and re.search(wanted.text, value):
                return value
            if wanted.text is None and value and value.startswith(wanted.begins):
                break
            if time.monotonic() >= self._deadline:
                raise PageFaultError(self._no_result(seen))
            self._page.wait_for_timeout(POLL_MS)
        if int(seen["length"]) > MAX_URL_CHARACTERS:
            most = MAX_RESULT_BYTES >> 20
            raise PageFaultError(
                f"the result is {int(seen['length']) >> 20} MiB of text, more than the {most} MiB of a file"
            )
        return str(self._look(MAX_URL_CHARACTERS).get("value", ""))

    def _no_result(self, seen: dict[str, Any]) -> str:
        wanted, page = self._order.page.result, self._order.page
        after = f"pressing '{page.press}'" if page.press is not None else "opening the page"
        missing = f"no result within {page.timeout_s:g} s of opening the page"
        if seen.get("count") != 1:
            count = seen.get("count", 0)
            which = f"'{wanted.selector}' is on it {count} times" if count else f"it has no '{wanted.selector}'"
            return f"{after} brought {missing}: {which}"
        if wanted.text is not None:
            return f"{after} brought {missing}: '{wanted.selector}' says {short(str(seen.get('value', '')), 100)!r}"
        value = seen.get("value")
        have = f"begins with {short(str(value), 40)!r}" if value else "is empty"
        must = f", not with {wanted.begins!r}" if value else ""
        return f"{after} brought {missing}: the {wanted.attribute} of '{wanted.selector}' {have}{must}"

    def _look(self, most: int) -> dict[str, Any]:
        result = self._order.page.result
        attribute = None if result.text is not None else result.attribute
        words = {"selector": json.dumps(result.selector), "attribute": json.dumps(attribute), "most": most}
        found = self._evaluate(LOOK % words)
        return found if isinstance(found, dict) else {}

    def _evaluate(self, expression: str) -> Any:
        """Evaluate in a world of its own: nothing that the page has redefined has a say, only its document."""
        from playwright.sync_api import Error

        try:
            frame = self._session.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
            world = self._session.send("Page.createIsolatedWorld", {"frameId": frame, "worldName": "penstock"})
            answer = self._session.send(
                "Runtime.evaluate",
                {
                    "expression": expression,
                    "contextId": world["executionContextId"],
                    "returnByValue": True,
                    "awaitPromise": True,
                },
            )
        except Error as error:
            self._check()
            if self._page.is_closed() or "crash" in str(error).lower():
                raise PageFaultError(f"the page is gone: {reason(error)}") from None
            return None  # it moved on in that moment: the next look finds where to
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            said = details.get("exception", {}).get("description") or details.get("text", "")
            if "is not a valid selector" in said:
                raise PageFaultError(f"'{self._order.page.result.selector}' is no CSS selector")
            return {"error": short(said, 200)}
        return answer["result"].get("value")

    def _bytes_of(self, url: str) -> bytes:
        if not url.startswith("data:"):
            url = self._fetched(url)
        head = _DATA_URL.match(url)
        if head is None or head[1] is None:
            raise PageFaultError(f"the result is no data URL in base64: {short(url, 60)!r}")
        try:
            content = base64.b64decode("".join(url[head.end() :].split()), validate=True)
        except (binascii.Error, ValueError):
            raise PageFaultError("the result's data URL is no valid base64") from None
        if not content:
            raise PageFaultError("the result is empty")
        return content

    def _fetched(self, url: str) -> str:
        """What a ``blob:`` URL or a path of the service holds, as a data URL."""
        found = self._evaluate(FETCH % {"url": json.dumps(url), "most": MAX_RESULT_BYTES})
        self._check()
        found = found if isinstance(found, dict) else {}
        if "url" in found:
            return str(found["url"])
        if "size" in found:
            raise PageFaultError(f"the result has {found['size']} bytes, more than {MAX_RESULT_BYTES >> 20} MiB")
        raise PageFaultError(f"the result at {short(url, 100)!r} cannot be read: {found.get('error', 'no answer')}")


def _put_file(file: Path, field: Locator, timeout_ms: float) -> None:
    field.set_input_files(file, timeout=timeout_ms)


def _fill_in(text: str, field: Locator, timeout_ms: float) -> None:
    field.fill(text, timeout=timeout_ms)


def _press(button: Locator, timeout_ms: float) -> None:
    button.click(timeout=timeout_ms)


def reason(error: Exception) -> str:
    """What Playwright says, without its log of the call."""
    line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return short(re.sub(r"\x1b\[[0-9;]*m", "", line), 300)
