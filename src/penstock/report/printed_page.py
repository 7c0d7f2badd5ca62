"""The page as a PDF: a real Chromium prints it, as a person's browser would."""

from __future__ import annotations

import contextlib
import html
import importlib.util
import os
import re
import shutil
import tempfile
from pathlib import Path

from penstock.browser.confined_visit import PROGRAMS
from penstock.foundation.errors import UsageError, WorldError, one_line, printable
from penstock.foundation.files import disk_errors, replacing

WAIT_S = 60.0
"""For each of: start, load, print."""
SHOWN_S = 15.0
"""For videos to show their frame; those that a browser cannot decode never do, and are left as they are."""
VIEWPORT = (1280, 900)
_DATE = re.compile(rb"/(CreationDate|ModDate) ?\(D:(\d{14})")
_FOOT = (
    '<div style="font: 7px sans-serif; color: #555; width: 100%; margin: 0 12mm; display: flex; '
    'justify-content: space-between"><span>{name}</span>'
    '<span><span class="pageNumber"></span> / <span class="totalPages"></span></span></div>'
)
SCALE = 0.72
"""Of the page on paper. So there is room for its tables as on a wide screen; its own, for printers, is set aside."""
_OPEN = """() => {
  for (const each of document.querySelectorAll("details:not(.keys)")) each.open = true;
  document.body.style.zoom = "1";
}"""
_SHOWN = "() => [...document.querySelectorAll('video')].every((video) => video.readyState >= 2 && !video.seeking)"


def browser_to_print() -> str:
    """The Chromium of this machine.

    Raises:
        WorldError: there is none, or nothing to drive it with.
    """
    if importlib.util.find_spec("playwright") is None:
        raise WorldError(
            "the report cannot be printed: Playwright is not installed",
            todo="Install Penstock's extra 'browser': pip install 'penstock[browser]'.",
        )
    found = next((path for name in PROGRAMS if (path := shutil.which(name)) is not None), None)
    if found is None:
        raise WorldError(
            "the report cannot be printed: there is no Chromium on PATH",
            todo="Install it: apt-get install chromium (or chromium-headless-shell).",
        )
    return found


def print_page(page: Path, target: Path, name: str, day: str) -> None:
    """Print a report's page to a PDF, A4, with page numbers; what is folded is open, nothing that plays is there.

    The browser reaches no other machine. Its dates are set to ``day``, so that the same page gives the same bytes on
    one version of the browser with the same fonts.

    Args:
        page: ``report/index.html``.
        target: the PDF; it is replaced whole or not at all.
        name: what stands at the foot of each page.
        day: ``2026-11-27``, or empty.

    Raises:
        UsageError: there is no such page.
        WorldError: there is no browser, it breaks off, or the disk is full.
    """
    if not page.is_file():
        raise UsageError("this run has no report", where=str(page))
    program = browser_to_print()
    with tempfile.TemporaryDirectory(prefix="penstock-print-") as scratch:
        content = _printed(program, page.resolve(), name, Path(scratch))
    with disk_errors(target), replacing(target) as temporary:
        temporary.write_bytes(_dated(content, day))


def _printed(program: str, page: Path, name: str, scratch: Path) -> bytes:
    from playwright.sync_api import Error, sync_playwright

    environment: dict[str, str | float | bool] = {"PATH": os.defpath, "LANG": "C.UTF-8", "TZ": "UTC"}
    environment |= {"HOME": str(scratch), "TMPDIR": str(scratch)}
    # the page is ours, but videos in it are a model's: no network, and Chromium's own sandbox wherever it can have one
    switches = ["--host-resolver-rules=MAP * ~NOTFOUND", "--disable-background-networking", "--no-pings"]
    wait_ms = WAIT_S * 1000
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=program,
                args=switches,
                env=environment,
                chromium_sandbox=os.geteuid() != 0,
                timeout=wait_ms,
            )
            size = {"width": VIEWPORT[0], "height": VIEWPORT[1]}
            context = browser.new_context(viewport=size, color_scheme="light", reduced_motion="reduce", offline=True)  # type: ignore[arg-type]
            shown = context.new_page()
            shown.set_default_timeout(wait_ms)
            shown.goto(page.as_uri())
            with contextlib.suppress(Error):
                shown.wait_for_function(_SHOWN, timeout=SHOWN_S * 1000)
            shown.evaluate(_OPEN)
            foot = _FOOT.format(name=html.escape(printable(name[:200])))
            content = shown.pdf(
                format="A4",
                scale=SCALE,
                print_background=True,
                display_header_footer=True,
                header_template="<span></span>",
                footer_template=foot,
                margin={"top": "12mm", "right": "12mm", "bottom": "16mm", "left": "12mm"},
            )
            browser.close()
            return content
    except Error as error:
        said = one_line(str(error).strip().splitlines()[0] if str(error).strip() else "")[:300]
        raise WorldError("the browser broke off while it printed", where=str(page), todo=said) from None


def _dated(content: bytes, day: str) -> bytes:
    """With the dates of the run in the place of now's, which are as long."""
    digits = day.replace("-", "")[:8]
    stamp = (digits if re.fullmatch(r"\d{8}", digits) else "19700101").encode() + b"000000"
    return _DATE.sub(lambda found: found[0][: -len(stamp)] + stamp, content)
