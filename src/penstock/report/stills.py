"""The report's still pictures of its worst cases: in the page while they fit, else files beside it."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penstock.bundle.directory import Bundle
from penstock.families.family import Still, Stills
from penstock.foundation.errors import UsageError, printable
from penstock.foundation.files import replacing
from penstock.foundation.handles import discard_tree
from penstock.foundation.references import load
from penstock.media.images import ImageLimits, picture_bytes
from penstock.report.case_files import CaseFiles, SuiteFiles
from penstock.report.media import Medium, media_of, plain_name
from penstock.report.still_pictures import (
    MAX_BOXES,
    MAX_LETTERS,
    MAX_WORDS,
    CaseStills,
    Marks,
    Painter,
    encoded,
)
from penstock.report.thumbs import Thumb, thumb_of

log = logging.getLogger(__name__)

STILL_CASES = 60
"""Cases whose pictures are drawn: those of scenes, and the worst. Drawing one takes up to 0.7 s. Of the others the
answers are shown as they came."""
MARKED_CASES = 300
"""The same where answers only lie over the case's picture, which is a photo of some 20 kB: 20 ms each."""
LIGHT_PIXELS = 2 << 20
"""Cases without a larger picture are drawn several at a time; of others each takes up to 1 GiB of memory."""
FOLDER = "media/stills"
OF_CASE = "case"


@dataclass
class StillPage:
    """The pictures of all cases, as the page gets at them."""

    cases: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Case → what the script reads: ``case``, ``candidate``, ``baseline`` (name → picture) and ``places``."""
    embedded: list[tuple[str, str]] = field(default_factory=list)
    """Id and base64 of each picture that is in the page."""
    thumbs: dict[str, dict[str, Thumb]] = field(default_factory=dict)
    """Case → side → the thumbnail of its answer, of cases of which there are some."""
    bytes: int = 0
    """Of the pictures that are in the page."""


@dataclass(frozen=True)
class EncodedStill:
    group: str
    """``case``, or a side."""
    still: Still
    content: bytes
    size: tuple[int, int]
    reason: str
    """Why there is no content."""
    marks: Marks | None = None
    """What lies over a picture of the case, in the place of content."""


@dataclass(frozen=True)
class DrawnCase:
    """All of a case that is kept."""

    pictures: list[EncodedStill]
    places: dict[str, tuple[float, float]]
    thumbs: dict[str, Thumb]
    fault: str
    """What the painter could not bear; empty: nothing."""


DrawEach = Callable[[Callable[[str], DrawnCase], Sequence[str]], Iterable[DrawnCase]]
"""What draws all cases: is given what draws one, and their names; yields what was drawn, in that order."""


def one_by_one(draw: Callable[[str], DrawnCase], cases: Sequence[str]) -> Iterator[DrawnCase]:
    """The default: here, one after the other."""
    return map(draw, cases)


def show_stills(
    stills: Stills,
    bundle: Bundle,
    baseline: Bundle | None,
    cases: list[str],
    files: SuiteFiles | None,
    target_dir: Path,
    *,
    embed_bytes: int,
    small: Collection[str] = (),
    each: DrawEach = one_by_one,
) -> StillPage:
    """Draw the worst cases, but those whose answers are videos.

    A case's pictures are embedded together or not at all, in the order of ``cases`` as long as there is room; the
    others are written below ``target_dir``.

    Args:
        stills: what the family shows.
        bundle: the candidate.
        baseline: what it is compared with, if anything.
        cases: names, worst first.
        files: the suite's own files, if they are at hand.
        target_dir: the page's folder.
        embed_bytes: the room in the page.
        small: cases of which thumbnails are made, too, which are always in the page; they are drawn, if need be in
            the place of worse ones.
        each: draws cases; by default one after the other. Where it has processes, what they return is pickled.
    """
    most = MARKED_CASES if all(still.over for still in stills.of_answer) else STILL_CASES
    worst = _chosen(cases, small, most)
    sides = {"candidate": media_of(bundle, worst), "baseline": media_of(baseline, worst) if baseline else {}}
    page = StillPage()
    discard_tree(target_dir / FOLDER)
    todo = {case: answers for case in worst if (answers := _pictures_of(case, sides))}

    def draw(case: str) -> DrawnCase:
        return _drawn(stills, case, files, todo[case], small=case in small)

    light = [case for case in todo if _is_light(files.of(case) if files is not None else None, todo[case])]
    at_once = iter(each(draw, light))
    numbers = {case: number for number, case in enumerate(cases, 1)}
    for case, answers in todo.items():
        number = numbers[case]
        drawn = next(at_once) if case in light else draw(case)
        if drawn.fault:
            log.warning("case '%s': %s", case, drawn.fault)
        page.thumbs |= {case: drawn.thumbs} if drawn.thumbs else {}
        size = sum(len(picture.content) for picture in drawn.pictures)
        fits = page.bytes + size <= embed_bytes
        page.bytes += size if fits else 0
        entry: dict[str, Any] = {OF_CASE: {}, "places": drawn.places} | {side: {} for side in answers}
        for picture in drawn.pictures:
            name = f"{picture.group}-{picture.still.name}"
            medium = _medium(picture)
            if picture.marks is not None:
                medium = entry[OF_CASE].get(picture.still.over, medium) | _marks(picture.marks)
            entry[picture.group][picture.still.name] = medium
            if picture.content and fits:
                medium["id"] = f"still-{number}-{name}"
                page.embedded.append((medium["id"], base64.b64encode(picture.content).decode("ascii")))
            elif picture.content:
                suffix = "jpg" if picture.still.photo else "png"
                medium["source"] = f"{FOLDER}/{number:04}-{plain_name(case)}-{name}.{suffix}"
                _write(target_dir / medium["source"], picture.content)
        page.cases[case] = entry
    next(at_once, None)  # so that it ends whatever it has started
    return page


def _pictures_of(case: str, sides: Mapping[str, Mapping[str, Medium]]) -> dict[str, Medium]:
    """Side → its answer; none where one is a video."""
    answers = {side: media[case] for side, media in sides.items() if case in media}
    return {} if any(answer.kind == "video" for answer in answers.values()) else answers


def _is_light(files: CaseFiles | None, answers: Mapping[str, Medium]) -> bool:
    """Whether all pictures of a case are small, as their first bytes say; what cannot be read is not."""
    own = [*files.inputs.values(), *(path for paths in files.withheld.values() for path in paths)] if files else []
    try:
        for path in (*own, *(answer.path for answer in answers.values())):
            picture_bytes(path, limits=ImageLimits(pixels=LIGHT_PIXELS))
    except UsageError:
        return False
    return True


def _chosen(cases: Sequence[str], small: Collection[str], most: int) -> list[str]:
    """The cases that are drawn, worst first: those of which there are thumbnails, and the worst others."""
    others = [case for case in cases if case not in small][: max(0, most - len(small))]
    return [case for case in cases if case in small or case in others]


def shown_small(stills: Stills) -> Still:
    """Which picture of an answer stands for it where it is small: the first that is see-through, else the first."""
    return next((still for still in stills.of_answer if still.see_through), stills.of_answer[0])


def _drawn(
    stills: Stills, case: str, files: SuiteFiles | None, answers: dict[str, Medium], *, small: bool
) -> DrawnCase:
    """What the painter makes of the case; an answer that it cannot bear is a reason everywhere."""
    painter: Painter = load(stills.painter)
    paths = {side: answer.path for side, answer in answers.items()}
    fault = ""
    try:
        found = painter(files.of(case) if files is not None else None, paths)
    except Exception as error:  # the answer is hostile: what it does to a decoder is this case's fault
        fault = f"the pictures cannot be drawn: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        found = CaseStills(
            {still.name: fault for still in stills.of_case},
            {side: {still.name: fault for still in stills.of_answer} for side in answers},
            {},
        )
    thumbs = dict(_thumbs(shown_small(stills), found)) if small else {}
    return DrawnCase(list(_encoded(stills, found)), found.places, thumbs, fault)


def _thumbs(still: Still, drawn: CaseStills) -> Iterator[tuple[str, Thumb]]:
    for side, pictures in drawn.answers.items():
        picture = pictures.get(still.name, "")
        if not isinstance(picture, str | Marks):
            yield side, thumb_of(picture)


def _encoded(stills: Stills, drawn: CaseStills) -> Iterator[EncodedStill]:
    groups = [(OF_CASE, stills.of_case, drawn.of_case)]
    groups += [(side, stills.of_answer, pictures) for side, pictures in drawn.answers.items()]
    for group, wanted, pictures in groups:
        for still in wanted:
            value = pictures.get(still.name, "it was not drawn")
            if isinstance(value, str):
                yield EncodedStill(group, still, b"", (0, 0), value)
            elif isinstance(value, Marks):
                yield EncodedStill(group, still, b"", (0, 0), "the picture that it lies over is not there", value)
            else:
                yield EncodedStill(group, still, *encoded(value, photo=still.photo), "")


def _medium(picture: EncodedStill) -> dict[str, Any]:
    """A picture for the script: ``id`` of what is in the page, or ``source``; or a ``message`` in its place."""
    if not picture.content:
        return {"message": printable(picture.reason)}
    width, height = picture.size
    kind = "image/jpeg" if picture.still.photo else "image/png"
    return {"type": kind, "width": width, "height": height, "id": "", "source": ""}


def _marks(marks: Marks) -> dict[str, Any]:
    """What the script draws over the picture and writes below it. All words are the model's or the suite's."""

    def shown(text: str) -> str:
        return printable(text[:MAX_LETTERS]) + ("…" if len(text) > MAX_LETTERS else "")

    boxes = [
        {"at": [round(v, 4) for v in (box.x, box.y, box.width, box.height)], "text": shown(box.text), "kind": box.kind}
        for box in marks.boxes[:MAX_BOXES]
    ]
    words = [{"text": shown(word.text), "kind": word.kind} for word in marks.words[:MAX_WORDS]]
    more = len(marks.words) - MAX_WORDS
    return {"boxes": boxes, "words": words + ([{"text": f"and {more} more", "kind": "plain"}] if more > 0 else [])}


def _write(path: Path, content: bytes) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(content)
