"""Pages drawn by their templates: every text in them is somebody else's, and is escaped."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import quote, urlencode

from penstock.foundation.errors import one_line

if TYPE_CHECKING:
    from jinja2 import Environment

Row = TypeVar("Row")
PER_PAGE = 50
"""Rows of a list."""


@functools.cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    found = Environment(
        loader=PackageLoader("penstock.book", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    found.filters["minute"] = lambda time: one_line(time[:16].replace("T", " "))
    found.filters["part"] = lambda text: quote(text, safe="")
    found.filters["path"] = lambda text: quote(text, safe="/")
    found.globals["query"] = lambda **fields: urlencode({key: value for key, value in fields.items() if value})
    return found


def draw(template: str, values: dict[str, object]) -> str:
    """The page of a template, ``NAME.html.j2``."""
    return _environment().get_template(f"{template}.html.j2").render(values)


@functools.cache
def style() -> bytes:
    """The book's one style sheet."""
    return (files("penstock.book") / "book.css").read_bytes()


@dataclass(frozen=True)
class ListPage(Generic[Row]):
    """One page of a list."""

    rows: Sequence[Row]
    number: int
    """From 1."""
    pages: int
    total: int


def list_page(rows: Sequence[Row], asked: str, *, per_page: int = PER_PAGE) -> ListPage[Row]:
    """The page that an address asks for: the last one where there are fewer, the first where it asks for none."""
    pages = max(1, math.ceil(len(rows) / per_page))
    number = min(max(1, int(asked)), pages) if asked.isascii() and asked.isdecimal() and len(asked) < 9 else 1
    return ListPage(rows[(number - 1) * per_page : number * per_page], number, pages, len(rows))
