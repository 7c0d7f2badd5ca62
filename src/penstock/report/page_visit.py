"""What the report shows of the model's own page, which the step *browse* has tried."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from penstock.bundle.directory import Bundle
from penstock.bundle.page_record import PAGE_FOLDER, SCREENSHOT, PageRecord, page_record
from penstock.foundation.errors import UsageError
from penstock.foundation.files import read_regular

MAX_BYTES = 2 << 20
"""A larger picture stays a file."""
_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class PageVisit:
    """One visit, for the template."""

    record: PageRecord
    screenshot: str
    """A data URL; empty where there is no picture, or too large a one."""
    facts: str
    """``loaded after 0.22 s; its result after 0.46 s; 30×20 pixels; …``."""


def page_visit(bundle: Bundle) -> PageVisit | None:
    """The visit of a bundle; ``None`` if its model has no page.

    Raises:
        UsageError: ``page/page.json`` is broken.
    """
    record = page_record(bundle)
    if record is None:
        return None
    return PageVisit(record, _screenshot(bundle), _facts(record))


def _screenshot(bundle: Bundle) -> str:
    path = bundle.path / PAGE_FOLDER / SCREENSHOT
    try:
        content = read_regular(path, max_bytes=MAX_BYTES, where=str(path))
    except UsageError:
        return ""
    return f"data:image/png;base64,{base64.b64encode(content).decode()}" if content.startswith(_PNG) else ""


def _facts(record: PageRecord) -> str:
    told = [f"loaded after {record.loaded_s:.2f} s"] if record.loaded_s is not None else []
    if record.result_s is not None:
        told.append(f"its result after {record.result_s:.2f} s")
    if record.size is not None:
        told.append(f"{record.size[0]}×{record.size[1]} pixels")
    if record.difference is not None:
        told.append(f"{record.difference} of 255 levels from the API's answer")
    told.append(f"{record.console} messages, {record.errors} errors")
    if record.elsewhere:
        told.append(f"asked elsewhere and not answered: {', '.join(record.elsewhere[:3])}")
    return "; ".join(told)
