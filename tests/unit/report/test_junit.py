"""JUnit XML: in the shape that CI servers read, whatever the texts are."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.report.verdicts import ALL, FIRST, RUN, WAIVER, rule, verdict_of

from penstock.report.junit import junit_xml, write_junit

SCHEMA: dict[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": ({"testsuite"}, set(), {"name", "time", "tests", "failures", "errors"}),
    "testsuite": (
        {"properties", "testcase", "system-out", "system-err", "testsuite"},
        {"name", "tests", "failures", "errors"},
        {"group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"},
    ),
    "properties": ({"property"}, set(), set()),
    "property": (set(), {"name", "value"}, set()),
    "testcase": ({"skipped", "error", "failure", "system-out", "system-err"}, {"name"}, {"time", "classname", "group"}),
    "skipped": (set(), set(), {"type", "message"}),
    "failure": (set(), set(), {"type", "message"}),
    "system-out": (set(), set(), set()),
}
"""What Jenkins' junit-10.xsd allows: element → its children, required and optional attributes."""


def parse(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text.encode())  # noqa: S314 (our own document)


def hold(element: ElementTree.Element) -> None:
    children, required, optional = SCHEMA[element.tag]
    assert required <= set(element.keys()) <= required | optional, element.tag
    assert re.fullmatch(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?", element.get("time", ""))
    for child in element:
        assert child.tag in children, f"{child.tag} in {element.tag}"
        hold(child)


def test_each_rule_is_a_test_case_in_the_shape_of_jenkins(tmp_path: Path) -> None:
    write_junit(ALL, tmp_path / "out" / "junit.xml", run=RUN)
    root = parse((tmp_path / "out" / "junit.xml").read_text(encoding="utf-8"))
    hold(root)
    (suite,) = root
    counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "8", "failures": "3", "errors": "0", "skipped": "3"}
    cases = suite.findall("testcase")
    assert [(case.get("classname"), case[0].tag, case[0].get("type")) for case in cases] == [
        ("fid", "system-out", None),
        ("lse_d", "skipped", "warning"),
        ("lse_c", "failure", "inconclusive"),
        ("jitter", "skipped", "advisory"),
        ("sharpness", "skipped", "waived"),
        ("kid", "failure", "fail"),
        ("latency", "system-out", None),
        ("lse_d", "failure", "fail"),
    ]
    assert cases[-1].get("name") == "LSE-D: ≤ 9"
    assert cases[-1][0].get("message") == "LSE-D rose from 7.9 to 9.26"
    assert (cases[-1][0].text or "").startswith("LSE-D rose from 7.9 to 9.26\nbaseline 7.900, candidate 9.260")
    assert "waived until 2026-12-31 by Ada" in (cases[4][0].get("message") or "")
    properties = {entry.get("name"): entry.get("value") for entry in suite[0]}
    assert (properties["baseline"], properties["commit"], properties["verdict"]) == ("release-6", "c" * 40, "fail")


def test_a_rule_without_a_baseline_is_skipped_and_no_passed_test() -> None:
    root = parse(junit_xml(FIRST))
    hold(root)
    assert (root[0].get("skipped"), root[0].get("failures")) == ("2", "0")
    assert [(case[0].tag, case[0].get("type"), case[0].get("message")) for case in root.iter("testcase")] == [
        ("system-out", None, None),
        ("system-out", None, None),
        ("skipped", "not-compared", "not compared: there is no baseline (first release)"),
        ("skipped", "not-compared", "not compared: there is no baseline (first release)"),
    ]


def test_no_two_test_cases_have_one_name() -> None:
    root = parse(junit_xml(verdict_of(rule(), rule("pass"), rule(limit="≤ 8"))))
    assert [case.get("name") for case in root.iter("testcase")] == ["LSE-D: ≤ 9", "LSE-D: ≤ 9 #2", "LSE-D: ≤ 8"]


def test_every_character_leaves_the_document_readable() -> None:
    for first in range(0, 0x3000, 0x100):
        text = "".join(map(chr, range(first, first + 0x100)))
        parse(junit_xml(verdict_of(rule(reason=text))))
    for text in ("\ud800", "\ufffe\uffff", "]]>", "<!ENTITY x SYSTEM 'file:///etc/passwd'>&x;", "\U0001f600"):
        root = parse(junit_xml(verdict_of(rule(reason=text))))
        assert len(list(root.iter("failure"))) == 1


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60), st.text(max_size=20))
def test_whatever_the_texts_are_there_is_one_test_case(text: str, name: str) -> None:
    waiver = WAIVER.model_copy(update={"reason": text})
    bad = rule(reason=text, metric=f"m{name}", slice=text, limit=text, waiver=waiver)
    root = parse(junit_xml(verdict_of(bad, candidate=text), run=RUN.model_copy(update={"model": name})))
    hold(root)
    assert [case.tag for case in root[0][1]] == ["skipped"]
