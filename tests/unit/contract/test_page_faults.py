"""A page that does not fit its call, its suite or its policy is told before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.contract.conftest import Write

from penstock.contract.check import check_repository
from penstock.contract.load import load_contract, load_suite
from penstock.contract.page import Page, PageResult
from penstock.contract.page_faults import page_case
from penstock.families.registry import directions
from penstock.foundation.errors import UsageError

PAGE = 'page: {upload: {"#in": image}, press: button, result: {selector: "#out"}%s}\nsuite: suite\n'
TWO = "  - name: second\n    inputs: {image: a.png, audio: a.wav}\n    parameters: {duration: 2.0}\n"


def told(root: Path) -> list[str]:
    return [str(fault) for fault in check_repository(root, metrics=directions()).faults if not fault.warning]


def test_a_page_that_fits_is_no_fault(repository: Write) -> None:
    assert told(repository(("suite: suite\n", PAGE % ""))) == []
    assert told(repository(("suite: suite\n", PAGE % ", case: portrait-01"))) == []


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (PAGE % ", case: portrait-1", "penstock.yaml:12: page.case: the suite has no case 'portrait-1'. Did you mean"),
        (PAGE.replace("image", "picture") % "", "page.upload.#in: the case 'portrait-01' has no input 'picture'"),
        (PAGE % ", pres: x", "page.pres: unknown field 'pres'. Did you mean 'press'?"),
        (PAGE.replace("button", '""') % "", "page.press: must not be empty"),
    ],
)
def test_a_page_that_does_not_fit_is_told_with_its_line(repository: Write, page: str, said: str) -> None:
    (fault,) = told(repository(("suite: suite\n", page)))
    assert said in fault


def test_a_program_has_no_page(repository: Write) -> None:
    root = repository(("suite: suite\n", PAGE % ""))
    text = (root / "penstock.yaml").read_text(encoding="utf-8")
    begin, end = text.index("call:"), text.index("page:")
    called = 'call:\n  command: {argv: ["python", "{image}", "{audio}", "{output}"]}\n'
    (root / "penstock.yaml").write_text(text[:begin] + called + text[end:], encoding="utf-8")
    assert any("a program has no page: 'page' goes with 'call.http'" in fault for fault in told(root))


def test_a_rule_for_a_page_that_there_is_not(repository: Write) -> None:
    (fault,) = told(repository(("  rules:\n", "  rules:\n    - {metric: page, min: 1}\n")))
    assert "'page' is the page's outcome, and the contract has no 'page'" in fault


def test_the_page_is_tried_with_the_first_case_that_must_be_answered(repository: Write) -> None:
    refused = "  - name: portrait-01\n    expect: {status: 422}\n"
    root = repository(suite=("  - name: portrait-01\n", refused))
    with (root / "suite/suite.yaml").open("a", encoding="utf-8") as file:
        file.write(TWO)
    suite = load_suite(root, load_contract(root))
    page = Page(result=PageResult(selector="#out"))
    assert page_case(page, suite).name == "second"
    assert page_case(page.model_copy(update={"case": "second"}), suite).name == "second"
    with pytest.raises(UsageError, match="the model must refuse the case 'portrait-01'"):
        page_case(page.model_copy(update={"case": "portrait-01"}), suite)
    only = suite.model_copy(update={"cases": suite.cases[:1]})
    with pytest.raises(UsageError, match="the suite has none"):
        page_case(page, only)
