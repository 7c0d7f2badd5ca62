"""What a contract's ``page`` says against its call, suite and policy; and the case that the page is tried with."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.contract.faults import Fault, fault_at
from penstock.contract.models import Case, Contract, Suite
from penstock.contract.page import Page
from penstock.families.engine_metrics import PAGE_METRIC
from penstock.families.registry import did_you_mean
from penstock.foundation.errors import UsageError
from penstock.foundation.yaml_text import Document


def page_case(page: Page, suite: Suite) -> Case:
    """The case whose inputs are uploaded.

    Raises:
        UsageError: there is none, or the model must refuse it.
    """
    answered = [case for case in suite.cases if case.expect is None]
    if page.case is None:
        if not answered:
            raise UsageError("the page is tried with a case that the model must answer, and the suite has none")
        return answered[0]
    found = next((case for case in suite.cases if case.name == page.case), None)
    if found is None:
        raise UsageError(
            f"the suite has no case '{page.case}'",
            todo=did_you_mean(page.case, tuple(case.name for case in answered[:10])),
        )
    if found.expect is not None:
        raise UsageError(f"the model must refuse the case '{found.name}'", todo="Name one that it must answer.")
    return found


def page_faults(contract: Contract, suite: Suite | None, document: Document) -> Iterator[Fault]:
    """A page without a service, a case or an input that there is not, and a rule for a page that there is not."""
    page = contract.page
    if page is None:
        for place, rule in enumerate(contract.policy.rules):
            if rule.metric == PAGE_METRIC.name:
                what = f"'{rule.metric}' is the page's outcome, and the contract has no 'page'"
                todo = "Write a section 'page', or leave the rule out."
                yield fault_at(document, ("policy", "rules", place, "metric"), what, todo=todo)
        return
    if contract.call.http is None:
        yield fault_at(document, ("page",), "a program has no page: 'page' goes with 'call.http'", todo="Leave it out.")
    if suite is None:
        return
    try:
        case = page_case(page, suite)
    except UsageError as error:
        yield fault_at(document, ("page", "case"), error.what, todo=error.todo)
        return
    for selector, name in page.upload.items():
        if name not in case.inputs:
            what = f"the case '{case.name}' has no input '{name}'"
            yield fault_at(document, ("page", "upload", selector), what, todo=did_you_mean(name, tuple(case.inputs)))
