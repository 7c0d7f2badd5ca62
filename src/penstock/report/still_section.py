"""All that a page has of still pictures: those of single cases, and the scenes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.bundle.directory import Bundle
from penstock.families.family import Still, Stills
from penstock.report.case_files import suite_files
from penstock.report.cases import CaseRow
from penstock.report.media import media_of

if TYPE_CHECKING:
    from penstock.report.scenes import Scene
    from penstock.report.stills import DrawEach


@dataclass(frozen=True)
class StillSection:
    """Empty for a family without still pictures."""

    cases: dict[str, dict[str, Any]] = field(default_factory=dict)
    """See :attr:`penstock.report.stills.StillPage.cases`."""
    embedded: list[tuple[str, str]] = field(default_factory=list)
    """Id and base64 of each picture that is in the page."""
    bytes: int = 0
    """Of those."""
    scenes: list[Scene] = field(default_factory=list)
    scene_still: Still | None = None
    """What the scenes show of an answer."""


def still_section(
    stills: Stills | None,
    bundle: Bundle,
    baseline: Bundle | None,
    cases: Sequence[CaseRow],
    ranked: Sequence[CaseRow],
    source: Path | None,
    target_dir: Path,
    *,
    embed_bytes: int,
    each: DrawEach | None = None,
) -> StillSection:
    """Draw what the page shows. There are scenes where there is a baseline, and cases have slices.

    Args:
        stills: what the family shows; ``None``: it shows none.
        bundle: the candidate.
        baseline: what it is compared with, if anything.
        cases: the page's, worst first.
        ranked: all of the suite's, also those that the page has no room for.
        source: the repository with the suite; ``None``: it is not at hand.
        target_dir: the page's folder, for what does not fit into the page.
        embed_bytes: the room in the page.
        each: draws the cases; ``None``: one after the other.

    Raises:
        UsageError: the suite is not valid.
        WorldError: the disk is full.
    """
    if stills is None:
        return StillSection()
    # decoders, which other pages do not need
    from penstock.report.scenes import scene_cases, scenes, slice_sizes
    from penstock.report.stills import one_by_one, show_stills, shown_small

    names = [case.name for case in cases]
    files = suite_files(bundle, source) if source is not None else None
    sizes = slice_sizes(ranked)
    chosen = scene_cases(cases, _pictured(bundle, baseline, names), sizes) if baseline is not None else {}
    drawn = show_stills(
        stills,
        bundle,
        baseline,
        names,
        files,
        target_dir,
        embed_bytes=embed_bytes,
        small={name for of_slice in chosen.values() for name in of_slice},
        each=each or one_by_one,
    )
    return StillSection(
        drawn.cases, drawn.embedded, drawn.bytes, scenes(chosen, cases, drawn.thumbs, sizes), shown_small(stills)
    )


def _pictured(bundle: Bundle, baseline: Bundle, names: list[str]) -> set[str]:
    """The cases that both sides answered with a picture."""
    both = (media_of(bundle, names), media_of(baseline, names))
    here, there = ({name for name, medium in media.items() if medium.kind == "image"} for media in both)
    return here & there
