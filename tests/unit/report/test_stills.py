"""Which cases get pictures, and where these go."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Invocation
from penstock.evaluation.case_workers import two_at_a_time
from penstock.families.family import Still, Stills
from penstock.report import stills
from penstock.report.case_files import CaseFiles
from penstock.report.still_pictures import CaseStills, MarkedBox, MarkedWord, Marks
from penstock.report.stills import DrawEach, DrawnCase, StillPage, one_by_one, show_stills, shown_small

SHOWS = Stills((Still("photo", "photo", photo=True),), (Still("mask", "mask"),), f"{__name__}:paint", "worst edge")


def paint(files: CaseFiles | None, answers: Mapping[str, Path]) -> CaseStills:
    """As grey as the answer's first byte; one of zero bytes is more than it can bear."""
    levels = {side: path.read_bytes()[0] for side, path in answers.items()}
    if 0 in levels.values():
        raise RuntimeError("broken\n\u202eanswer")
    masks: dict[str, dict[str, object]] = {s: {"mask": np.full((4, 6), n, np.uint8)} for s, n in levels.items()}
    return CaseStills({"photo": "no photo"}, masks, {"candidate": (0.25, 0.5)})  # type: ignore[arg-type]


def bundle(path: Path, answers: dict[str, bytes], suffix: str = ".png") -> Bundle:
    made = Bundle(path)
    for case, content in answers.items():
        (path / "outputs" / case).mkdir(parents=True)
        (path / "outputs" / case / f"o{suffix}").write_bytes(content)
    made.write_invocations(Invocation(case=c, status="ok", output=f"outputs/{c}/o{suffix}") for c in answers)
    return made


def test_pictures_are_in_the_page_while_they_fit_and_files_then(tmp_path: Path) -> None:
    names = ["a", "../b"]
    sides = [bundle(tmp_path / side, {"a": b"\x09", "b": b"\x07"}) for side in ("new", "old")]
    for side in sides:
        calls = [call.model_copy(update={"case": {"a": "a", "b": "../b"}[call.case]}) for call in side.invocations()]
        side.write_invocations(calls)
    whole = show_stills(SHOWS, *sides, names, None, tmp_path / "page", embed_bytes=1 << 20)
    assert sorted(whole.cases) == ["../b", "a"]
    assert whole.cases["a"]["places"] == {"candidate": (0.25, 0.5)}
    assert whole.cases["a"]["case"]["photo"] == {"message": "no photo"}
    assert [name for name, _ in whole.embedded][:2] == ["still-1-candidate-mask", "still-1-baseline-mask"]
    assert base64.b64decode(whole.embedded[0][1]).startswith(b"\x89PNG")
    assert not (tmp_path / "page").exists()
    room = whole.bytes // 2
    half = show_stills(SHOWS, *sides, names, None, tmp_path / "page", embed_bytes=room)
    assert half.bytes == room
    source = half.cases["../b"]["baseline"]["mask"]["source"]
    assert source == "media/stills/0002-___b-baseline-mask.png"
    assert (tmp_path / "page" / source).is_file()
    (tmp_path / "page" / "media" / "stills" / "0009-gone.png").write_bytes(b"of an earlier report")
    show_stills(SHOWS, *sides, names, None, tmp_path / "page", embed_bytes=0)
    assert len(list((tmp_path / "page").rglob("*.png"))) == 4


def test_what_the_painter_cannot_bear_is_a_reason(tmp_path: Path) -> None:
    made = bundle(tmp_path / "new", {"a": b"\x00", "b": b"\x01"})
    found = show_stills(SHOWS, made, None, ["a", "b"], None, tmp_path, embed_bytes=1 << 20).cases
    reason = found["a"]["candidate"]["mask"]["message"]
    assert reason == "the pictures cannot be drawn: RuntimeError: broken \\u202eanswer"
    assert found["b"]["candidate"]["mask"]["id"]


def test_videos_and_cases_without_an_answer_have_none(tmp_path: Path) -> None:
    made = bundle(tmp_path / "new", {"a": b"\x01"}, ".mp4")
    assert show_stills(SHOWS, made, None, ["a", "lost"], None, tmp_path, embed_bytes=99).cases == {}


def test_only_the_worst_are_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stills, "STILL_CASES", 2)
    made = bundle(tmp_path / "new", dict.fromkeys("abc", b"\x01"))
    assert list(show_stills(SHOWS, made, None, ["c", "a", "b"], None, tmp_path, embed_bytes=9999).cases) == ["c", "a"]


def test_thumbnails_are_in_the_page_even_where_nothing_else_fits(tmp_path: Path) -> None:
    sides = [bundle(tmp_path / side, {"a": b"\x09", "b": b"\x07", "c": b"\x00"}) for side in ("new", "old")]
    found = show_stills(SHOWS, *sides, ["a", "b", "c"], None, tmp_path / "page", embed_bytes=0, small={"b", "c"})
    assert list(found.thumbs) == ["b"]  # the painter cannot bear c
    thumb = found.thumbs["b"]["candidate"]
    assert (thumb.width, thumb.height) == (6, 4)
    content = base64.b64decode(thumb.content)
    assert content[:4] == b"RIFF"
    assert content[8:12] == b"WEBP"


def test_what_is_shown_small_is_drawn_in_the_place_of_worse_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stills, "STILL_CASES", 2)
    made = bundle(tmp_path / "new", dict.fromkeys("abcd", b"\x01"))
    names = ["c", "a", "b", "d"]
    found = show_stills(SHOWS, made, None, names, None, tmp_path, embed_bytes=9999, small={"d"})
    assert list(found.cases) == ["c", "d"]
    assert [name for name, _ in found.embedded] == ["still-1-candidate-mask", "still-4-candidate-mask"]
    found = show_stills(SHOWS, made, None, names, None, tmp_path, embed_bytes=9999, small={"a", "b", "d"})
    assert list(found.cases) == ["a", "b", "d"]


def test_the_see_through_picture_stands_for_an_answer() -> None:
    assert shown_small(SHOWS).name == "mask"
    both = Stills((), (Still("alpha", "alpha"), Still("cutout", "cut-out", see_through=True)), "m:f", "worst")
    assert shown_small(both).name == "cutout"


@pytest.mark.slow
def test_two_at_a_time_are_the_same_and_large_ones_are_drawn_here(tmp_path: Path) -> None:
    def picture(level: int, side: int) -> bytes:
        return cv2.imencode(".png", np.full((side, side), level, np.uint8))[1].tobytes()

    answers = {name: picture(level, 40) for level, name in enumerate("abcdef")}
    answers["c"] = picture(3, 1600)
    answers["e"] = b"\x00"  # the painter breaks, and what is no picture may be as large as it likes
    made = bundle(tmp_path / "new", answers)
    handed: list[str] = []

    def listed(draw: Callable[[str], DrawnCase], cases: Sequence[str]) -> Iterator[DrawnCase]:
        handed.extend(cases)
        return two_at_a_time(draw, cases)

    def shown(each: DrawEach) -> StillPage:
        return show_stills(
            SHOWS, made, None, list("fedcba"), None, tmp_path, embed_bytes=9999, small={"a", "c"}, each=each
        )

    assert shown(listed) == shown(one_by_one)
    assert handed == ["f", "d", "b", "a"]
    assert list(shown(listed).cases) == list("fedcba")


LIES_OVER = Stills(
    (Still("photo", "photo", photo=True), Still("truth", "truth", over="photo")),
    (Still("found", "found", over="photo"),),
    f"{__name__}:mark",
    "worst",
)
LONG = "x" * 500


def mark(files: CaseFiles | None, answers: Mapping[str, Path]) -> CaseStills:
    """Marks over the photo; there is none where the answer is empty."""
    photo: np.ndarray | str = np.full((40, 60, 3), 90, np.uint8)
    if any(not path.read_bytes() for path in answers.values()):
        photo = "no photo"
    box = MarkedBox(1 / 3, 0.25, 0.5, 0.5, "超市</script>\x1b\u202e", "right")
    found = Marks([box] * 150, [MarkedWord(LONG, "missed")] + [MarkedWord(f"w{n}", "plain") for n in range(70)])
    return CaseStills({"photo": photo, "truth": Marks([box], [])}, {side: {"found": found} for side in answers}, {})


def test_marks_lie_over_the_one_picture_of_the_case(tmp_path: Path) -> None:
    sides = [bundle(tmp_path / side, {"a": b"{}", "b": b""}, ".json") for side in ("new", "old")]
    page = show_stills(LIES_OVER, *sides, ["a", "b"], None, tmp_path / "page", embed_bytes=1 << 20)
    assert [name for name, _ in page.embedded] == ["still-1-case-photo"], "it is in the page once"
    drawn = page.cases["a"]
    for medium in (drawn["case"]["truth"], drawn["candidate"]["found"], drawn["baseline"]["found"]):
        assert (medium["id"], medium["width"], medium["height"]) == ("still-1-case-photo", 60, 40)
    assert "boxes" not in drawn["case"]["photo"]
    found = drawn["candidate"]["found"]
    assert len(found["boxes"]) == 100
    assert found["boxes"][0] == {"at": [0.3333, 0.25, 0.5, 0.5], "text": "超市</script>\\x1b\\u202e", "kind": "right"}
    assert found["words"][0] == {"text": "x" * 200 + "…", "kind": "missed"}
    assert (len(found["words"]), found["words"][-1]) == (61, {"text": "and 11 more", "kind": "plain"})
    lost = page.cases["b"]
    assert lost["case"]["photo"] == {"message": "no photo"}
    assert lost["candidate"]["found"]["message"] == "no photo"


def test_of_marks_more_cases_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stills, "STILL_CASES", 1)
    monkeypatch.setattr(stills, "MARKED_CASES", 3)
    names = ["a", "b", "c", "d"]
    new = bundle(tmp_path / "new", dict.fromkeys(names, b"{}"), ".json")
    assert (
        list(show_stills(LIES_OVER, new, None, names, None, tmp_path / "page", embed_bytes=1 << 20).cases) == names[:3]
    )
    painted = bundle(tmp_path / "painted", dict.fromkeys(names, b"\x09"))
    assert list(show_stills(SHOWS, painted, None, names, None, tmp_path / "page", embed_bytes=1 << 20).cases) == ["a"]
