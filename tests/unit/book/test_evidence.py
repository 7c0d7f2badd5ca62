"""Ranges, types and policies of files that are handed out."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from penstock.book.evidence import (
    NOTHING_RUNS,
    REPORT_RUNS,
    Part,
    UnfitRangeError,
    kind_of,
    part_of,
    policy_of,
    type_of,
)

RUNS = ("text/html", "image/svg+xml", "application/xhtml+xml", "application/xml", "text/xml", "application/pdf")


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", Part(0, 100, whole=True)),
        ("bytes=0-0", Part(0, 1, whole=False)),
        ("bytes=10-", Part(10, 90, whole=False)),
        ("bytes=10-1000", Part(10, 90, whole=False)),
        ("bytes=-30", Part(70, 30, whole=False)),
        ("bytes=-1000", Part(0, 100, whole=False)),
        ("bytes=20-10", Part(0, 100, whole=True)),
        ("bytes=0-1,5-6", Part(0, 100, whole=True)),
        ("bytes=-", Part(0, 100, whole=True)),
        ("lines=1-2", Part(0, 100, whole=True)),
    ],
)
def test_ranges(asked: str, found: Part) -> None:
    assert part_of(100, asked) == found


@pytest.mark.parametrize(("size", "asked"), [(100, "bytes=100-"), (100, "bytes=-0"), (0, "bytes=0-"), (0, "bytes=-5")])
def test_ranges_beyond_the_file(size: int, asked: str) -> None:
    with pytest.raises(UnfitRangeError):
        part_of(size, asked)


@given(st.integers(0, 1 << 40), st.one_of(st.text(max_size=30), st.from_regex(r"bytes=[0-9]{0,20}-[0-9]{0,20}")))
@example(5, "bytes=4-4")
def test_a_part_lies_in_the_file(size: int, asked: str) -> None:
    try:
        part = part_of(size, asked)
    except UnfitRangeError:
        return
    assert 0 <= part.start <= size
    assert 0 <= part.length <= size - part.start
    assert part.whole or part.length > 0


@given(st.text(max_size=40))
@example("page/x.html")
@example("REPORT/INDEX.HTML")
@example("report/index.html/x.svg")
@example("x.xhtml")
@example("x.pdf")
def test_no_type_that_runs(name: str) -> None:
    assert not type_of(name).startswith(RUNS)
    assert policy_of(name) == NOTHING_RUNS


def test_the_report_is_a_page_in_an_origin_of_its_own() -> None:
    assert type_of("report/index.html").startswith("text/html")
    assert policy_of("report/index.html") == REPORT_RUNS
    assert "allow-same-origin" not in REPORT_RUNS


def test_kinds() -> None:
    found = [kind_of(f"outputs/c/{name}") for name in ("o.MP4", "o.png", "o.wav", "o.svg", "o.json", "o")]
    assert found == ["video", "image", "audio", "file", "file", "file"]
