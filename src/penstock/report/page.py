"""``report/index.html``: one page that a person reads, in one file that works from a mail attachment."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Run
from penstock.bundle.verdict_record import RuleResult, Verdict
from penstock.families.family import View
from penstock.families.registry import STAND_IN, find_family, is_stand_in
from penstock.foundation.errors import printable
from penstock.foundation.files import write_text
from penstock.gating.compare import Comparison
from penstock.gating.measured import SideMeans
from penstock.report.cases import CaseRow, Number, case_rows
from penstock.report.environment_section import environment_section
from penstock.report.export_outcome import export_outcome
from penstock.report.figure_section import figure_section
from penstock.report.interface_section import interface_section
from penstock.report.load_section import load_section
from penstock.report.media import EMBED_BYTES, Shown, show_media
from penstock.report.old_verdicts import read_verdict
from penstock.report.page_visit import page_visit
from penstock.report.provenance_table import facts, reproduce
from penstock.report.rating_section import rating_section
from penstock.report.rows import MetricRow, glossary, past_rows
from penstock.report.run_records import Side, read_side
from penstock.report.series import Series, read_series
from penstock.report.slice_rows import SliceSection, slice_section, slices_of
from penstock.report.still_section import still_section
from penstock.report.subject import QUIET, Subject, subject_of
from penstock.report.summary import markdown_summary
from penstock.report.trend import past_of

if TYPE_CHECKING:
    from jinja2 import Template

    from penstock.report.picture_files import DrawnPicture
    from penstock.report.stills import DrawEach

SCRIPTS = ("strip.js", "subtitles.js", "player.js", "stills.js", "viewer.js", "page.js")
WORST = 5
"""Cases on the first screen."""
MAX_REASONS = 14
"""Rules that did not hold, on the first screen; the table below has them all."""
SHOWN_CASES = 1000
"""Cases on the page, the worst; the others are counted. With :data:`SERIES_BYTES` and the media that are embedded it
keeps the page below some 30 MB, however large the suite is."""
SERIES_BYTES = 8 << 20
"""Frame by frame series are put into the page up to this size in all, the worst cases' first."""
COLUMNS = 4
"""Metrics in the table of cases; the viewer has them all."""
STATES = {
    "fail": "failed",
    "inconclusive": "inconclusive",
    "waived": "waived",
    "advisory": "advisory",
    "warning": "warning",
    "not-compared": "not compared (no baseline)",
    "bounds-only": "bounds held, margin not compared",
    "pass": "held",
}


def write_report(
    bundle: Bundle,
    baseline: Bundle | None,
    source: Path | None = None,
    *,
    each: DrawEach | None = None,
    pictures: Sequence[DrawnPicture] = (),
) -> str:
    """Write ``report/index.html`` and ``report/summary.md``; returns the summary.

    Args:
        bundle: a bundle with a verdict.
        baseline: the bundle that it was compared with, if there was one.
        source: the model's repository, whose suite's files are shown beside the answers; ``None``: it is not at hand.
        each: draws still pictures, see :data:`penstock.report.stills.DrawEach`; ``None``: one after the other.
        pictures: those beside the page that it leads to.

    Raises:
        UsageError: the bundle has no verdict or no measurements; the suite is not valid.
        WorldError: the disk is full.
    """
    verdict = read_verdict(bundle)
    write_page(bundle, baseline, verdict, bundle.report, source=source, each=each, pictures=pictures)
    summary = markdown_summary(bundle.run(), verdict)
    write_text(bundle.report / "summary.md", summary)
    return summary


def write_page(
    bundle: Bundle,
    baseline: Bundle | None,
    about: Verdict | Comparison | SideMeans,
    target_dir: Path,
    *,
    source: Path | None = None,
    embed_bytes: int = EMBED_BYTES,
    each: DrawEach | None = None,
    pictures: Sequence[DrawnPicture] = (),
) -> None:
    """Write ``index.html`` for any two bundles; media that are not in the page lie below ``target_dir``.

    Args:
        bundle: the candidate; ``run.json``, ``invocations.jsonl`` and the outputs may be absent.
        baseline: what it is compared with, if anything.
        about: the gate's answer; or, without a policy, what changed, or what was measured: then nothing is said to be
            accepted.
        target_dir: where the page goes; made if it is not there.
        source: the repository with the suite, for views that show its files; ``None``: it is not at hand.
        embed_bytes: so many bytes of media go into the page itself, the worst cases' first.
        each: draws still pictures, see :data:`penstock.report.stills.DrawEach`; ``None``: one after the other.
        pictures: those beside the page that it leads to.

    Raises:
        UsageError: there are no measurements, a record of a bundle is broken, or the suite is not valid.
        WorldError: the disk is full.
    """
    candidate, before = read_side(bundle), read_side(baseline) if baseline else None
    if before is not None and isinstance(about, Verdict) and about.cases:
        before = before.of_cases(candidate.calls)
    past = past_of(candidate)
    subject = subject_of(about, candidate, before, past)
    ranked = case_rows(candidate, before, subject.criteria)
    cases = ranked[:SHOWN_CASES]
    view = view_of(candidate.run)
    names = [case.name for case in cases]
    stills = still_section(
        view.stills, bundle, baseline, cases, ranked, source, target_dir, embed_bytes=embed_bytes, each=each
    )
    others = [name for name in names if name not in stills.cases]
    media: dict[str, dict[str, Shown]] = {name: {} for name in names}
    media |= show_media(bundle, baseline, others, target_dir, embed_bytes=embed_bytes - stills.bytes)
    style, script = _own("page.css"), "\n".join(_own(name) for name in SCRIPTS)
    page = _template().render(
        candidate=candidate,
        baseline=before,
        subject=subject,
        states=STATES,
        quiet=QUIET,
        counts=_counts(subject.rows) if subject.judged else [],
        rows=subject.rows,
        reasons=[row for row in subject.rows if row.state not in QUIET],
        max_reasons=MAX_REASONS,
        cases=cases,
        all_cases=len(ranked),
        worst=cases[:WORST],
        columns=_columns(subject, cases),
        stand_ins={found.metric for found in candidate.measurements if is_stand_in(found.extractor)},
        stand_in=STAND_IN,
        glossary=glossary(found.metric for found in candidate.measurements),
        past=past,
        past_rows=past_rows(candidate, past) if past else [],
        slices=_slices(candidate, before, subject),
        scenes=stills.scenes,
        scene_still=stills.scene_still,
        facts=facts(candidate.run, before.run if before else None),
        command=reproduce(candidate.run),
        figures=figure_section(bundle, baseline, names, rules_of(about), source),
        exported=export_outcome(bundle),
        built_with=environment_section(bundle),
        load=load_section(bundle, baseline),
        interface=interface_section(bundle),
        visit=page_visit(bundle),
        ratings=rating_section(bundle, about if isinstance(about, Verdict) else None, names),
        pictures=pictures,
        view=view,
        parts=_script_json(asdict(view)),
        data=_script_json(_data(candidate, before, cases, media, stills.cases, view)),
        media=[*_embedded(cases, media), *((id_, Markup(text)) for id_, text in stills.embedded)],  # noqa: S704 (base64)
        style=Markup(style),  # noqa: S704 (our own file)
        script=Markup(script),  # noqa: S704 (our own files)
        policy=_policy(style, script),
    )
    write_text(target_dir / "index.html", page)


def rules_of(about: Verdict | Comparison | SideMeans) -> dict[str, RuleResult]:
    """Metric → the rule on it for all cases; none where nothing is judged."""
    rules = about.rules if isinstance(about, Verdict) else []
    return {rule.metric: rule for rule in reversed(rules) if rule.slice is None}


@functools.cache
def _template() -> Template:
    """Compiled once, which takes longer than to fill it."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    def shown(value: Any) -> Any:
        # A bundle's names may hold control characters and ones that turn the direction of a line.
        return printable(value) if type(value) is str else value

    environment = Environment(
        loader=PackageLoader("penstock.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2")


def _own(name: str) -> str:
    """One of our files. Line ends stay as they are in the page: the policy names the text's digest."""
    return files("penstock.report").joinpath(name).read_text(encoding="utf-8").replace("\r\n", "\n").strip()


def _policy(style: str, script: str) -> str:
    """Nothing is loaded but media beside the page, and nothing runs but our own script, by its digest."""

    def digest(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    return (
        f"default-src 'none'; script-src {digest(script)}; style-src {digest(style)}; "
        "media-src blob: 'self' file:; img-src data: blob: 'self' file:; base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _counts(rows: Iterable[MetricRow]) -> list[tuple[str, int]]:
    """How many rules failed, held, and so on."""
    found = Counter(row.state for row in rows if row.state)
    return [(state, found[state]) for state in STATES if found[state]]


def _columns(subject: Subject, cases: list[CaseRow]) -> list[tuple[str, str]]:
    """The metrics of the table of cases, (name, title): what ranks them and single cases have, failed first."""
    measured = {number.metric: number.title for case in cases for number in case.numbers}
    titles = [row.name for row in subject.rows if row.state]
    ranked = sorted(
        dict.fromkeys(by.metric for by in subject.criteria if by.metric in measured),
        key=lambda metric: titles.index(measured[metric]) if measured[metric] in titles else len(titles),
    )
    return [(metric, measured[metric]) for metric in (ranked or list(measured))[:COLUMNS]]


def _slices(candidate: Side, baseline: Side | None, subject: Subject) -> SliceSection | None:
    table = slices_of(candidate, baseline, subject.criteria, subject.level)
    if table is None:
        return None
    through = {found.metric: found.extractor for found in candidate.measurements if found.value is not None}
    return slice_section(table, [through.get(metric) for metric in table.metrics])


def view_of(run: Run | None) -> View:
    """The view of the run's family. Bundles of measurements alone do not say theirs, and have nothing to view."""
    family = find_family(run.family) if run is not None and run.family else None
    return family.view if family is not None else View()


def _data(
    candidate: Side,
    baseline: Side | None,
    cases: list[CaseRow],
    media: dict[str, dict[str, Shown]],
    stills: dict[str, dict[str, Any]],
    view: View,
) -> list[dict[str, Any]]:
    """What the script needs to show a case, in the order of the cases."""
    names = [case.name for case in cases]
    sides = {"candidate": candidate, "baseline": baseline}
    series = _that_fit(names, {side: read_series(of.bundle, names, view) if of else {} for side, of in sides.items()})
    return [
        {
            "name": printable(case.name),
            "status": printable(case.status),
            "error": printable(case.error),
            "slices": [printable(name) for name in case.slices],
            "numbers": [
                [printable(text) for text in (n.title, _aside(n), n.baseline, n.candidate, n.change, n.error)]
                + [n.worse > 0 and n.metric == case.telling]
                for n in case.numbers
            ],
            "media": {side: _medium(shown) for side, shown in media[case.name].items()},
            "frames": series[case.name],
            "stills": stills.get(case.name),
        }
        for case in cases
    ]


def _that_fit(names: list[str], sides: dict[str, dict[str, Series]]) -> dict[str, dict[str, Series | None]]:
    """Case → side → series, as long as there is room for both sides of the next case."""
    room = SERIES_BYTES
    found: dict[str, dict[str, Series | None]] = {}
    for name in names:
        both = {side: series.get(name) for side, series in sides.items()}
        size = len(json.dumps(both))
        fits = size <= room
        room -= size if fits else 0
        found[name] = both if fits else dict.fromkeys(sides)
    return found


def _aside(number: Number) -> str:
    """What stands small beside a metric's name: its unit, and that its value is one of a stand-in."""
    return ", ".join(word for word in (number.unit, "stand-in" if number.stand_in else "") if word)


def _medium(shown: Shown) -> dict[str, Any]:
    return {
        "kind": shown.kind,
        "type": shown.type,
        "source": shown.source,
        "file": printable(shown.file),
        "embedded": bool(shown.content),
    }


def _embedded(cases: list[CaseRow], media: dict[str, dict[str, Shown]]) -> list[tuple[str, Markup]]:
    """The media that are in the page: an id, and base64, which needs no escaping."""
    return [
        (f"media-{number}-{side}", Markup(shown.content))  # noqa: S704 (base64)
        for number, case in enumerate(cases, 1)
        for side, shown in media[case.name].items()
        if shown.content
    ]


def _script_json(value: Any) -> Markup:
    """JSON that cannot end the script element that it stands in, nor begin a comment in it."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 (escaped above)
