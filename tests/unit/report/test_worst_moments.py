"""When a video is worst, and its frames around that time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.report.shown_pairs import write_video

from penstock.families.family import Lane, View
from penstock.foundation.errors import UsageError
from penstock.report.worst_moments import frames_around, most_different, worst_frame

VIEW = View(
    lanes=(
        Lane("sync", "sync distance", "sync_distance", "w", "", window=5),
        Lane("jitter", "jitter", "jitter", "j", ""),
    )
)
numbers = st.lists(st.one_of(st.none(), st.floats(-1e9, 1e9)), max_size=40)


def known(**lanes: list[float | None]) -> dict[str, Any]:
    return {"fps": 25.0, "lanes": lanes}


def test_it_is_where_the_candidate_exceeds_the_baseline_most() -> None:
    series = {
        "candidate": known(sync=[1.0, 9.0, 9.0, 9.0, 9.0, 9.0, 1.0, 4.0, 1.0]),
        "baseline": known(sync=[1.0, 9.0, 9.0, 9.0, 9.0, 9.0, 1.0, 0.0, 1.0]),
    }
    frame, fps = worst_frame("lse_d", VIEW, series) or (0, 0.0)
    assert 5 + 2 <= frame <= 8 + 2  # a value stands at the middle of its window
    assert fps == 25


def test_the_series_of_the_metric_itself_comes_first() -> None:
    series = {"candidate": known(sync=[9.0, 0.0, 0.0, 0.0, 0.0, 0.0], jitter=[None, 0.0, 0.0, 0.0, 0.0, 5.0])}
    assert worst_frame("lse_d", VIEW, series) == (2, 25.0)
    assert worst_frame("jitter", VIEW, series) == (5, 25.0)


def test_nothing_is_known_without_values() -> None:
    assert worst_frame("lse_d", VIEW, {}) is None
    assert worst_frame("lse_d", VIEW, {"candidate": known(sync=[None], jitter=[])}) is None


@given(numbers, numbers)
def test_it_is_a_frame_that_has_a_value_on_all_sides(mine: list[float | None], other: list[float | None]) -> None:
    found = worst_frame("jitter", VIEW, {"candidate": known(jitter=mine), "baseline": known(jitter=other)})
    if found is not None:
        own, against = mine or other, other if mine else []
        assert own[found[0]] is not None
        assert not against or against[found[0]] is not None


def test_where_two_videos_differ_most(tmp_path: Path) -> None:
    same = [100] * 8
    first = write_video(tmp_path / "a.mp4", same)
    second = write_video(tmp_path / "b.mp4", [*same[:5], 220, *same[6:]], side=64)
    assert most_different(first, second) == 5


def test_frames_of_a_span_and_of_one_beyond_the_end(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [20 * n for n in range(8)])
    found = [frame.mean() for frame in frames_around(path, 2, 4, 25.0, see_through=False)]
    assert found == pytest.approx([40, 60, 80], abs=4)
    assert list(frames_around(path, 6, 20, 25.0, see_through=False))[-1].mean() == pytest.approx(140, abs=4)
    (last,) = frames_around(path, 90, 95, 25.0, see_through=True)  # a clip without alpha is shown as it is
    assert last.mean() == pytest.approx(140, abs=4)


def test_what_is_no_video(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"no video")
    with pytest.raises(UsageError):
        list(frames_around(tmp_path / "a.mp4", 0, 0, 25.0, see_through=True))
