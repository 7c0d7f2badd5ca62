"""JUnit XML: the verdict as CI servers show it, one test case a rule.

There is no standard; this is what Jenkins' schema (``junit-10.xsd`` of its xUnit plugin) allows, and what GitLab and
the test reporters on GitHub read.

- A rule that stops the release is a ``failure``, also an inconclusive one (``type="inconclusive"``): only ``pass``
  publishes. Never an ``error``: that word is for a run that broke, and a broken run has no verdict.
- A rule that is broken and stops nothing (it only warns, is advisory, or is waived), and one that has only a margin and
  no baseline to compare with, is ``skipped`` with the reason: the one state that all of them show apart from a passed
  test without turning the build red. GitLab and GitHub do not show what a passed test has printed.
- The reason is an attribute and the text: Jenkins shows the attribute first, GitLab the text.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

from penstock.bundle.models import Run
from penstock.bundle.verdict_record import RuleResult, Verdict
from penstock.foundation.errors import printable
from penstock.foundation.files import write_text
from penstock.report.summary import rule_interval, rule_name, rule_numbers, rule_state, stops, waiver_words

PASSED = ("pass", "bounds-only")
"""States of a test that passed."""


def write_junit(verdict: Verdict, path: Path, *, run: Run | None = None) -> None:
    """Write ``path``, whole or not at all.

    Args:
        verdict: the gate's answer.
        path: the file; its directory is made.
        run: what ran, for the suite's properties and its time.

    Raises:
        WorldError: it cannot be written.
    """
    write_text(path, junit_xml(verdict, run=run))


def junit_xml(verdict: Verdict, *, run: Run | None = None) -> str:
    """The document. Texts of models and bundles are escaped; characters that XML cannot hold are written out."""
    failures = sum(stops(rule) for rule in verdict.rules)
    skipped = sum(rule_state(rule) not in PASSED and not stops(rule) for rule in verdict.rules)
    counts = {"tests": str(len(verdict.rules)), "failures": str(failures), "errors": "0"}
    root = ElementTree.Element("testsuites", {"name": "penstock", **counts})
    model = run.model if run is not None else ""
    details = {**counts, "skipped": str(skipped), "time": "0"}
    if run is not None and run.steps:
        details["timestamp"] = run.steps[-1].started[:19]  # ISO 8601 without an offset, as the format has it
    suite = ElementTree.SubElement(root, "testsuite", {"name": _xml(f"penstock {model}".strip()), **details})
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in _properties(verdict, run):
        ElementTree.SubElement(properties, "property", {"name": name, "value": _xml(value)})
    seen: Counter[tuple[str, str]] = Counter()
    for rule in verdict.rules:
        name = f"{rule_name(rule)}: {rule.limit}" if rule.limit else rule_name(rule)
        seen[rule.metric, name] += 1
        again = seen[rule.metric, name]  # GitLab shows only the first of two tests with one name
        attributes = {"classname": _xml(rule.metric), "name": _xml(f"{name} #{again}" if again > 1 else name)}
        _outcome(ElementTree.SubElement(suite, "testcase", {**attributes, "time": "0"}), rule)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _properties(verdict: Verdict, run: Run | None) -> list[tuple[str, str]]:
    rows = [
        ("verdict", verdict.verdict),
        ("candidate", verdict.candidate),
        ("baseline", verdict.baseline if verdict.baseline is not None else "none (first release)"),
        ("level", f"{verdict.level:g}"),
    ]
    if run is not None:
        rows += [("run", run.run_id), ("track", run.track), ("model", run.model)]
    if run is not None and run.source is not None:
        rows += [("commit", run.source.commit), ("version", run.source.version)]
    return rows


def _outcome(case: ElementTree.Element, rule: RuleResult) -> None:
    text = rule.reason
    if rule.waiver is not None:
        text += f"\n{waiver_words(rule.waiver)}"
    baseline, candidate, change = rule_numbers(rule)
    numbers = f"baseline {baseline}, candidate {candidate}, change {change}, interval {rule_interval(rule)}, n {rule.n}"
    if rule_state(rule) in PASSED:
        ElementTree.SubElement(case, "system-out").text = _xml(f"{text}\n{numbers}")
        return
    kind, child = rule_state(rule), "failure" if stops(rule) else "skipped"
    first = text if kind in (rule.verdict, "not-compared") else f"{kind}: {text}"
    element = ElementTree.SubElement(case, child, {"type": kind, "message": _xml(" ".join(first.split()))})
    element.text = _xml(f"{first}\n{numbers}")


def _xml(text: str) -> str:
    """XML 1.0 can hold no control characters, lone surrogates or non-characters in any form: they are written out."""
    return printable(text)
