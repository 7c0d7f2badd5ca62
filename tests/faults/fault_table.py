"""What a family's bad releases must be stopped by, what they were stopped by, and the Markdown table of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from penstock.bundle.verdict_record import RuleResult, Verdict
from penstock.families.engine_metrics import INTERFACE_METRICS, LOAD_METRICS, base_metric

GOOD, BETTER = "v1.0.0", "v1.1.0"
MARKS = {"pass": "", "inconclusive": "open", "fail": "fell"}
WORSE = ("", "open", "fell")
ON_REQUEST = {
    "page": ("page",),
    "export": ("export",),
    "interface": tuple(metric.name for metric in INTERFACE_METRICS),
    "load": tuple(metric.name for metric in LOAD_METRICS),
}
"""Section of a contract that costs seconds in every release → the metrics that come of it."""


@dataclass(frozen=True)
class FaultTable:
    """The releases of one reference model."""

    model: str
    """As in ``test-assets/models``."""
    stopped_by: Mapping[str, str]
    """Bad release → the rule that must fall: ``eer``, or ``fnmr (large)`` of a slice."""
    falls_back: frozenset[str] = frozenset()
    """Those that are published all the same, with the trained weights in place of the ONNX: the rule warns."""
    small: tuple[str, ...] = ()
    """Arguments of the program that draws the suite, for the short table's."""
    slice: str = ""
    """The short table judges over the cases that carry it; empty: over all."""
    slices: Mapping[str, str] = field(default_factory=dict)
    """Bad release → the slice that shows its fault, where that is another: 20 cases are enough for a rule of it."""
    load: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the contract's ``load`` that the short table changes."""
    page: Mapping[str, Any] = field(default_factory=dict)
    """The same of its ``page``."""
    better: str = BETTER
    """The release that is better than the first, and must be accepted."""
    figures: tuple[str, ...] = ()
    """The metrics by which its document compares the two good releases."""

    @property
    def tags(self) -> tuple[str, ...]:
        """All releases that are judged, in their order."""
        return (GOOD, *self.stopped_by, self.better)

    @property
    def parts(self) -> dict[str, tuple[str, ...]]:
        """Slice → the releases that the short table judges over it: the two good ones over each."""
        found: dict[str, list[str]] = {self.slice: []}
        for tag in self.stopped_by:
            found.setdefault(self.slices.get(tag, self.slice), []).append(tag)
        return {slice_: (GOOD, *tags, self.better) for slice_, tags in found.items()}

    def sections(self, tag: str, slice_: str) -> frozenset[str]:
        """Which of :data:`ON_REQUEST` are needed to judge a release: the good ones must hold all of them, once."""
        if tag in (GOOD, self.better):
            return frozenset(ON_REQUEST if slice_ == self.slice else ())
        section = section_of(self.stopped_by[tag])
        return frozenset([section] if section is not None else [])


@dataclass(frozen=True)
class Judged:
    """What came of one release."""

    word: str
    """``pass``, ``fail``, ``inconclusive``, or why there is no verdict."""
    rules: tuple[RuleResult, ...] = ()
    use_onnx: bool | None = None
    """What the model was told of its ONNX."""

    @classmethod
    def of(cls, verdict: Verdict, use_onnx: bool | None) -> Judged:
        """A release with a verdict."""
        return cls(verdict.verdict, tuple(verdict.rules), use_onnx)

    def beside(self, other: Judged) -> Judged:
        """The same release over two slices: accepted if it is over both."""
        return Judged(self.word if self.word != "pass" else other.word, (*self.rules, *other.rules), self.use_onnx)

    def fallen(self, *, only_warning: bool = False) -> list[str]:
        """The rules that fell: those that stop a release, or those that only warn."""
        return [named(rule) for rule in self.rules if rule.verdict == "fail" and rule.blocks != only_warning]

    @property
    def states(self) -> dict[str, str]:
        """Rule → what the table says of it; of a rule over two slices' cases, what is worse."""
        found: dict[str, str] = {}
        for rule in self.rules:
            state = MARKS.get(rule.verdict, rule.verdict)
            found[named(rule)] = max(found.get(named(rule), ""), state, key=WORSE.index)
        return found


def section_of(metric: str) -> str | None:
    """Which of :data:`ON_REQUEST` a metric comes of, ``load_p95_ms_at_10`` as ``load_p95_ms`` does."""
    return next((section for section, metrics in ON_REQUEST.items() if base_metric(metric) in metrics), None)


def named(rule: RuleResult) -> str:
    """``mae (hair)``."""
    return f"{rule.metric} ({rule.slice})" if rule.slice else rule.metric


def missed(table: FaultTable, judged: Mapping[str, Judged]) -> list[str]:
    """What did not go as it should, in words."""
    wrong = [f"{tag} is {judged[tag].word}: not accepted" for tag in (GOOD, table.better) if judged[tag].word != "pass"]
    for tag, rule in table.stopped_by.items():
        found, falls_back = judged[tag], tag in table.falls_back
        fell = found.fallen(only_warning=falls_back)
        if found.word != ("pass" if falls_back else "fail") or rule not in fell:
            wrong.append(f"{tag} is {found.word}, and {', '.join(sorted(fell)) or 'no rule'} fell: not {rule}")
        if falls_back and found.use_onnx is not False:
            wrong.append(f"{tag} computes with its ONNX")
    return wrong


def markdown(table: FaultTable, judged: Mapping[str, Judged]) -> str:
    """Which rules each release made fall: the one that must is bold; ``–`` where a rule was not asked.

    Rules that held in all of them have no column and are named below.
    """
    known = list(dict.fromkeys(name for found in judged.values() for name in found.states))
    rules = [name for name in known if any(found.states.get(name) for found in judged.values())]
    lines = ["| release | " + " | ".join(rules) + " |", "|---|" + "---|" * len(rules)]
    for tag, found in judged.items():
        wanted = table.stopped_by.get(tag)
        cells = [
            f"**{state}**" if (state := found.states.get(name, "–")) and name == wanted else state for name in rules
        ]
        lines.append(f"| {tag} | " + " | ".join(cells) + " |")
    held = [name for name in known if name not in rules]
    lines += ["", f"Held in all of them: {', '.join(held)}."] if held else []
    return "\n".join(lines) + "\n"
