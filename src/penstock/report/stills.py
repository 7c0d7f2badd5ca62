"""The report's still pictures of its worst cases: in the page while they fit, else files beside it."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penstock.bundle.directory import Bundle
from penstock.families.family import Still, Stills
from penstock.foundation.errors import printable
from penstock.foundation.files import replacing
from penstock.foundation.handles import discard_tree
from penstock.foundation.references import load
from penstock.report.case_files import SuiteFiles
from penstock.report.media import Medium, media_of, plain_name
from penstock.report.still_pictures import CaseStills, Painter, encoded

log = logging.getLogger(__name__)

STILL_CASES = 60
"""Cases whose pictures are drawn, the worst: drawing one takes up to 0.7 s. Of the others the answers are
shown as they came."""
FOLDER = "media/stills"
OF_CASE = "case"


@dataclass
class StillPage:
    """The pictures of all cases, as the page gets at them."""

    cases: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Case → what the script reads: ``case``, ``candidate``, ``baseline`` (name → picture) and ``places``."""
    embedded: list[tuple[str, str]] = field(default_factory=list)
    """Id and base64 of each picture that is in the page."""
    bytes: int = 0
    """Of the pictures that are in the page."""


@dataclass(frozen=True)
class _Encoded:
    group: str
    """``case``, or a side."""
    still: Still
    content: bytes
    size: tuple[int, int]
    reason: str
    """Why there is no content."""


def show_stills(
    stills: Stills,
    bundle: Bundle,
    baseline: Bundle | None,
    cases: list[str],
    files: SuiteFiles | None,
    target_dir: Path,
    *,
    embed_bytes: int,
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
    """
    worst = cases[:STILL_CASES]
    sides = {"candidate": media_of(bundle, worst), "baseline": media_of(baseline, worst) if baseline else {}}
    page = StillPage()
    discard_tree(target_dir / FOLDER)
    for number, case in enumerate(worst, 1):
        answers = {side: media[case] for side, media in sides.items() if case in media}
        if not answers or any(answer.kind == "video" for answer in answers.values()):
            continue
        drawn = _drawn(stills, case, files, answers)
        pictures = list(_encoded(stills, drawn))
        size = sum(len(picture.content) for picture in pictures)
        fits = page.bytes + size <= embed_bytes
        page.bytes += size if fits else 0
        entry: dict[str, Any] = {OF_CASE: {}, "places": drawn.places} | {side: {} for side in drawn.answers}
        for picture in pictures:
            name = f"{picture.group}-{picture.still.name}"
            entry[picture.group][picture.still.name] = medium = _medium(picture)
            if picture.content and fits:
                medium["id"] = f"still-{number}-{name}"
                page.embedded.append((medium["id"], base64.b64encode(picture.content).decode("ascii")))
            elif picture.content:
                suffix = "jpg" if picture.still.photo else "png"
                medium["source"] = f"{FOLDER}/{number:04}-{plain_name(case)}-{name}.{suffix}"
                _write(target_dir / medium["source"], picture.content)
        page.cases[case] = entry
    return page


def _drawn(stills: Stills, case: str, files: SuiteFiles | None, answers: dict[str, Medium]) -> CaseStills:
    """What the painter makes of the case; an answer that it cannot bear is a reason everywhere."""
    painter: Painter = load(stills.painter)
    paths = {side: answer.path for side, answer in answers.items()}
    try:
        return painter(files.of(case) if files is not None else None, paths)
    except Exception as error:  # the answer is hostile: what it does to a decoder is this case's fault
        reason = f"the pictures cannot be drawn: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        log.warning("case '%s': %s", case, reason, exc_info=error)
        return CaseStills(
            {still.name: reason for still in stills.of_case},
            {side: {still.name: reason for still in stills.of_answer} for side in answers},
            {},
        )


def _encoded(stills: Stills, drawn: CaseStills) -> Iterator[_Encoded]:
    groups = [(OF_CASE, stills.of_case, drawn.of_case)]
    groups += [(side, stills.of_answer, pictures) for side, pictures in drawn.answers.items()]
    for group, wanted, pictures in groups:
        for still in wanted:
            value = pictures.get(still.name, "it was not drawn")
            if isinstance(value, str):
                yield _Encoded(group, still, b"", (0, 0), value)
            else:
                yield _Encoded(group, still, *encoded(value, photo=still.photo), "")


def _medium(picture: _Encoded) -> dict[str, Any]:
    """A picture for the script: ``id`` of what is in the page, or ``source``; or a ``message`` in its place."""
    if not picture.content:
        return {"message": printable(picture.reason)}
    width, height = picture.size
    kind = "image/jpeg" if picture.still.photo else "image/png"
    return {"type": kind, "width": width, "height": height, "id": "", "source": ""}


def _write(path: Path, content: bytes) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(content)
