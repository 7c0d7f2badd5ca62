"""A page of the report, read as a browser reads it."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path


class Tags(HTMLParser):
    """Counts scripts and collects what the page would load, and the data of its script."""

    def __init__(self) -> None:
        super().__init__()
        self.running = 0
        self.loads: list[str] = []
        self.data = ""
        self._in_data = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.running += tag == "script" and "type" not in known
        self._in_data = known.get("id") == "data"
        self.loads += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "action", "poster")]

    def handle_data(self, data: str) -> None:
        self.data += data if self._in_data else ""


def read(page_file: Path) -> tuple[str, Tags]:
    html = page_file.read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(html)
    return html, tags


def sources(page_file: Path) -> list[str]:
    _, tags = read(page_file)
    media = [medium for case in json.loads(tags.data) for medium in case["media"].values()]
    return [medium["source"] for medium in media if not medium["embedded"]]
