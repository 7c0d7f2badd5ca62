"""``page`` of the contract: what a preset fills, what is refused, and the rule that comes with it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from penstock.contract.models import Contract
from penstock.contract.page import Page, PageResult, with_page_rule
from penstock.contract.policy import Policy, Rule

SERVICE = {"argv": ["python", "serve.py", "{port}"]}


def contract(**more: Any) -> Contract:
    call = {"preset": "rmbg", "http": SERVICE}
    policy = {"rules": [{"metric": "latency", "max": 1.0}]}
    whole = {"version": 1, "name": "cut", "family": "talking-head", "call": call, "suite": "suite", "policy": policy}
    return Contract.model_validate(whole | more)


def test_a_contract_has_no_page_unless_it_says_so() -> None:
    assert contract().page is None
    assert contract(page=None).page is None


def test_the_preset_fills_what_the_page_leaves_out() -> None:
    page = contract(page={}).page
    assert page is not None
    assert (page.upload, page.press) == ({"#upload-input": "image"}, "button")
    assert page.result == PageResult(selector="#result-img", attribute="src", begins="data:image/png", alpha=True)
    other = contract(page={"press": "button:has-text('Start')", "result": {"alpha": False}}).page
    assert other is not None
    assert other.press == "button:has-text('Start')"
    assert (other.result.selector, other.result.alpha) == ("#result-img", False)


def test_without_a_preset_that_knows_a_page_it_says_all_itself() -> None:
    with pytest.raises(ValidationError, match=r"page\.result"):
        contract(call={"preset": "wanwu", "http": SERVICE}, page={})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"result": {"selector": "p", "text": "("}}, "no regular expression"),
        ({"result": {"selector": "p", "text": "done", "alpha": True}}, "not both"),
        ({"result": {"selector": "p", "text": "done", "attribute": "href"}}, "not both"),
        ({"path": "page"}, "pattern"),
        ({"tolerance": 256}, "255"),
        ({"timeout_s": 0.0}, "greater than 0"),
        ({"timeout_s": 7200.0}, "3600"),
        ({"selector": "#x"}, "Extra inputs"),
    ],
)
def test_what_cannot_be_meant_is_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Page.model_validate({"result": {"selector": "p"}} | changed)


def test_a_page_brings_a_rule_of_its_own() -> None:
    policy = Policy(rules=[Rule(metric="latency", max=1.0)])
    page = Page(result=PageResult(selector="#x"))
    assert with_page_rule(policy, None) is policy
    assert with_page_rule(policy, page).rules == [*policy.rules, Rule(metric="page", min=1.0)]


def test_the_policys_own_rule_about_the_page_stays_as_it_is() -> None:
    warns = Policy(rules=[Rule(metric="page", min=1.0, severity="warn")])
    assert with_page_rule(warns, Page(result=PageResult(selector="#x"))) is warns
