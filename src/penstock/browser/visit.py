"""The process with the browser: starts it, has the page visited, keeps what comes of it.

A process of its own, started by :mod:`penstock.browser.confined_visit` and ended by it when its time is over, whatever
the page does. Before it starts the browser it gives up, for itself and all that it starts, every file but those that
are needed and every TCP port but the service's. What it leaves is looked at as a stranger's.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from typing import Any, Final

from penstock.browser.page_actions import PageActions, PageFaultError, reason
from penstock.browser.page_events import PageEvents
from penstock.browser.visit_order import RESULT, STARTED, VISIT, Visit, VisitOrder
from penstock.bundle.page_record import CONSOLE, SCREENSHOT, TRACE
from penstock.foundation.files import write_text
from penstock.invocation.helper_confinement import keep_only
from penstock.invocation.launch import kill_tree
from penstock.invocation.privileges import PR_SET_CHILD_SUBREAPER, prctl
from penstock.invocation.sandbox import SHARED_MEMORY

PICTURE_S: Final = 5.0
"""For a picture of the page in the end, whatever state it is in."""
HANG_S: Final = 10.0
"""A page that does not let go so long after its time is ended."""
VIEWPORT: Final = (1280, 800)
SWITCHES: Final = (
    *("--no-sandbox", "--disable-quic", "--disable-background-networking", "--no-pings"),
    # no name but the service's has an address, and nothing goes over UDP
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    *("--force-webrtc-ip-handling-policy=disable_non_proxied_udp", "--no-proxy-server"),
)
"""``--no-sandbox``: Chromium's own wants namespaces, which a pod without capabilities lacks; Landlock is around it."""


def visit(order: VisitOrder) -> Visit:
    """Visit the page. What is the page's fault is said; what is not is raised."""
    from playwright.sync_api import Error, sync_playwright

    scratch = order.folder / "scratch"
    scratch.mkdir()
    environment: dict[str, str | float | bool] = {"PATH": os.defpath, "LANG": "C.UTF-8"}
    environment |= {"HOME": str(scratch), "TMPDIR": str(scratch)}
    events = PageEvents(order.origin, order.folder / CONSOLE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=order.program, args=[*SWITCHES], env=environment, chromium_sandbox=False
        )
        context = browser.new_context(
            viewport={"width": VIEWPORT[0], "height": VIEWPORT[1]}, service_workers="block", accept_downloads=False
        )
        context.tracing.start(screenshots=True)
        page = context.new_page()
        (order.folder / STARTED).touch()
        named = f"Chromium {browser.version}"
        events.listen(context, page)
        actions = PageActions(order, context, page, events)
        fault, kept = None, False
        with _ended_if_it_hangs(order, named, events):
            try:
                content = actions.go()
                if content is not None:
                    (order.folder / RESULT).write_bytes(content)
                    kept = True
            except PageFaultError as error:
                fault = str(error)
            except Error as error:
                fault = f"the browser broke off: {reason(error)}"
        with contextlib.suppress(Error):
            page.screenshot(path=order.folder / SCREENSHOT, timeout=PICTURE_S * 1000, animations="disabled")
        fault = fault or events.fault
        with contextlib.suppress(Error):
            # what went well needs no trace, unless what it showed turns out to be wrong
            context.tracing.stop(path=order.folder / TRACE)
        with contextlib.suppress(Error):
            browser.close()
    made = Visit(fault=fault, browser=named, loaded_s=actions.loaded_s, result_s=actions.result_s, kept=kept)
    return made.model_copy(update=_heard(events))


def _heard(events: PageEvents) -> dict[str, Any]:
    return {"console": events.lines, "errors": events.errors, "elsewhere": events.elsewhere}


@contextlib.contextmanager
def _ended_if_it_hangs(order: VisitOrder, browser: str, events: PageEvents) -> Iterator[None]:
    """End this process and the browser if the block takes longer than the page may, and say so.

    Playwright's own limits do not hold where the page's script never ends, or says more than a program can hold.
    """
    limit = order.page.timeout_s + HANG_S

    def give_up() -> None:
        what = events.fault or f"the page hangs: it was ended after {limit:g} s"
        _write(order, Visit(fault=what, browser=browser).model_copy(update=_heard(events)))
        kill_tree(os.getpid())
        os._exit(0)

    timer = threading.Timer(limit, give_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _write(order: VisitOrder, made: Visit) -> None:
    write_text(order.folder / VISIT, made.model_dump_json() + "\n")


@contextlib.contextmanager
def _no_process_left() -> Iterator[None]:
    """Processes of the browser that lose their parent come to this one, and are ended with it."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield
    finally:
        kill_tree(os.getpid())


def main() -> int:
    """Read the order from standard input, give up what is not needed, visit the page, write ``visit.json``."""
    order = VisitOrder.model_validate_json(sys.stdin.buffer.read())
    readable = [*order.readable, *map(str, order.inputs.values())]
    with _no_process_left():
        keep_only(readable=readable, folder=order.folder, also_writable=[SHARED_MEMORY], ports=[order.port])
        _write(order, visit(order))
    return 0


if __name__ == "__main__":
    sys.exit(main())
