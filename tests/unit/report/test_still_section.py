"""The still pictures of a page: scenes only where there is something to compare with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.unit.report.test_stills import SHOWS, bundle

from penstock.report.cases import CaseRow
from penstock.report.still_section import StillSection, still_section

ROWS = [CaseRow(name, ["hair"], "ok", "", [], 0.0, "") for name in ("a", "b", "video", "gone")]


def test_a_family_without_stills_has_nothing(tmp_path: Path) -> None:
    new = bundle(tmp_path / "new", {"a": b"\x01"})
    assert still_section(None, new, new, ROWS, ROWS, None, tmp_path, embed_bytes=9999) == StillSection()


def test_scenes_are_of_cases_with_pictures_on_both_sides(tmp_path: Path) -> None:
    new = bundle(tmp_path / "new", {"a": b"\x01", "b": b"\x02", "video": b"\x03"})
    old = bundle(tmp_path / "old", {"a": b"\x04", "b": b"\x00", "gone": b"\x05"})  # b: its painter breaks
    found = still_section(SHOWS, new, old, ROWS, ROWS, None, tmp_path, embed_bytes=9999)
    (scene,) = found.scenes
    assert (scene.name, scene.cases, [pair.name for pair in scene.pairs]) == ("hair", 4, ["a"])
    assert found.scene_still == SHOWS.of_answer[0]
    assert sorted(found.cases) == ["a", "b", "gone", "video"]
    assert found.bytes > 0
    more = [*ROWS, *(replace(ROWS[0], name=f"more-{place}") for place in range(5))]
    (scene,) = still_section(SHOWS, new, old, ROWS, more, None, tmp_path, embed_bytes=9999).scenes
    assert scene.cases == 9, "of the suite, not of the page"
    alone = still_section(SHOWS, new, None, ROWS, ROWS, None, tmp_path, embed_bytes=9999)
    assert alone.scenes == []
