"""A message and its links, cut to what a receiver takes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.foundation.errors import UsageError
from penstock.notices.notice import MAX_CHARACTERS, Notice, NoticeLink, clipped, fitted

LINK = NoticeLink("report", "https://reports.example.org/a")


@pytest.mark.parametrize(
    ("label", "url"),
    [
        ("a|b", "https://x.example"),
        ("", "https://x.example"),
        ("a\n", "https://x.example"),
        ("报告]", "https://x.example"),
        ("_", "https://x.example"),
        ("report", "javascript:alert(1)"),
        ("report", "https://me:hunter2@x.example/a"),
        ("report", "https://x.example/a)b"),
        ("report", "https://x.example/a|b"),
        ("report", "https://x.example/a b"),
        ("report", 'https://x.example/"'),
        ("report", "https://x.example/例"),
        ("report", "https://"),
        ("report", f"https://x.example/{'a' * 1000}"),
    ],
)
def test_what_is_no_link(label: str, url: str) -> None:
    with pytest.raises(UsageError) as caught:
        NoticeLink(label, url)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("label", ["报告", "Отчёт 2", "v1.0-rc"])
def test_a_label_in_any_script(label: str) -> None:
    assert NoticeLink(label, "https://x.example").label == label


def test_a_short_one_stays_whole() -> None:
    whole = Notice("what", "why", (LINK,), ("one", "two"), "success")
    assert fitted(whole, 1000, len, lambda link: len(link.url)) == whole


def test_a_link_that_does_not_fit_is_left_out_whole() -> None:
    cut = fitted(
        Notice("what", "why", (LINK, NoticeLink("r", "https://x.example")), ("d",)), 30, len, lambda x: len(x.url)
    )
    assert [link.label for link in cut.links] == ["r"]


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    limit=st.integers(100, 800),
    what=st.text(max_size=300),
    why=st.text(max_size=300),
    details=st.lists(st.text(max_size=60), max_size=30),
)
def test_it_never_costs_more_and_keeps_the_beginning(limit: int, what: str, why: str, details: list[str]) -> None:
    def cost(text: str) -> int:
        return len(text.encode("utf-8", "surrogatepass")) + 1

    cut = fitted(Notice(what, why, (LINK,) * 3, tuple(details)), limit, cost, lambda link: len(link.url))
    total = sum(map(cost, (cut.what, cut.why, *cut.details))) + sum(len(link.url) for link in cut.links)
    assert total <= limit
    whole = [" ".join(line.split()) for line in details if line.split()]
    kept = [line for line in cut.details if not line.startswith("… and ")]
    assert kept == whole[: len(kept)]


@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_clipped(size: int) -> None:
    found = clipped("the verdict of a run", lambda text: len(text) <= size)
    assert len(found) <= max(size, 1)
    assert "the verdict of a run".startswith(found.removesuffix("…"))
    assert len(clipped("x" * 9_000, lambda _: True)) == MAX_CHARACTERS
    assert clipped("a\n b\t c", lambda _: True) == "a b c"
