"""Pages of lists, and the templates' escaping."""

from __future__ import annotations

import pytest

from penstock.book.drawn_page import draw, list_page, style


@pytest.mark.parametrize(
    ("asked", "number"), [("", 1), ("2", 2), ("9", 3), ("0", 1), ("-1", 1), ("x", 1), ("²", 1), ("9" * 30, 1)]
)
def test_the_page_that_is_asked_for(asked: str, number: int) -> None:
    found = list_page(list(range(101)), asked)
    assert (found.number, found.pages, found.total) == (number, 3, 101)
    assert found.rows[0] == (number - 1) * 50


def test_an_empty_list_has_one_page() -> None:
    found = list_page([], "3")
    assert (found.number, found.pages, list(found.rows)) == (1, 1, [])


def test_texts_are_escaped() -> None:
    text = draw("said", {"shared": False, "what": "<b>&'\"", "todo": "</p><script>"})
    assert "&lt;b&gt;&amp;&#39;&#34;" in text
    assert "<script" not in text


def test_the_style_loads_nothing() -> None:
    assert b"url(" not in style()
    assert b"@import" not in style()
