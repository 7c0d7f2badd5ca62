"""``page/page.json``: what came of trying the model's own page in a browser, and the files beside it."""

from __future__ import annotations

from pydantic import Field

from penstock.bundle.directory import Bundle, read_model, write_model
from penstock.bundle.models import SCHEMA_VERSION
from penstock.bundle.record import Record

PAGE_FOLDER = "page"
RECORD = "page.json"
SCREENSHOT = "screenshot.png"
CONSOLE = "console.jsonl"
TRACE = "trace.zip"


class PageRecord(Record):
    """One visit of the page."""

    schema_version: int = SCHEMA_VERSION
    case: str
    """The case whose inputs were uploaded."""
    path: str
    """Where the service has the page."""
    fault: str | None = None
    """Why the page does not work; ``None``: it does."""
    browser: str = ""
    """Name and version."""
    confined: str = ""
    """By what the browser was confined: ``Landlock ABI 7``."""
    loaded_s: float | None = None
    """Seconds until the page was there."""
    result_s: float | None = None
    """Seconds from opening the page to its result."""
    result: str | None = None
    """The file of what the page showed: ``page/result.png``; ``None`` if it showed nothing, or a text."""
    size: tuple[int, int] | None = None
    """Width and height of the result, if it is a picture, in pixels."""
    difference: int | None = None
    """The largest difference of any pixel from the API's answer to the same case, in levels of 255, both laid over
    black; ``None``: there was nothing to compare."""
    console: int = 0
    """Messages in ``page/console.jsonl``."""
    errors: int = 0
    """Errors among them."""
    elsewhere: list[str] = Field(default_factory=list)
    """Addresses outside the service that the page asked for: none was reached."""


def write_page_record(bundle: Bundle, record: PageRecord) -> None:
    """Write ``page/page.json``, whole or not at all."""
    write_model(bundle.path / PAGE_FOLDER / RECORD, record)


def page_record(bundle: Bundle) -> PageRecord | None:
    """What came of it; ``None`` in bundles of models without a page."""
    path = bundle.path / PAGE_FOLDER / RECORD
    return read_model(path, PageRecord) if path.exists() else None
