"""The model's own page, tried in a browser: ``page`` of the contract."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import Field, field_validator, model_validator

from penstock.contract.http_call import Seconds, UrlPath
from penstock.contract.placeholders import Scalar
from penstock.contract.policy import Policy, Rule, Strict
from penstock.families.engine_metrics import PAGE_METRIC

Selector = Annotated[str, Field(min_length=1, max_length=500)]
"""A CSS selector, or another of Playwright's, such as ``text=Start``."""
ATTRIBUTE: Final = "src"
AttributeName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,63}$")]


class PageResult(Strict):
    """Where the page shows what the model answered, and what it must be."""

    selector: Selector
    """A CSS selector: one element."""
    attribute: AttributeName = ATTRIBUTE
    """The element's attribute that holds the URL of the result: `data:`, `blob:`, or a path of the service."""
    begins: Annotated[str, Field(max_length=200)] = ""
    """How that URL must begin, such as `data:image/png`; until then the result is waited for."""
    text: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    """In place of the attribute: a regular expression that must be found in the element's text."""
    alpha: bool = False
    """The result is a picture that has transparency: an alpha channel that is neither empty nor full."""

    @field_validator("text")
    @classmethod
    def _is_a_pattern(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                re.compile(value)
            except re.error as error:
                raise ValueError(f"is no regular expression: {error}") from None
        return value

    @model_validator(mode="after")
    def _one_kind(self) -> PageResult:
        if self.text is not None and (self.begins or self.alpha or self.attribute != ATTRIBUTE):
            raise ValueError(
                "a result is 'text', or the URL in an attribute ('attribute', 'begins', 'alpha'): not both"
            )
        return self


class Page(Strict):
    """What somebody does on the model's own page, and what must come of it. A preset may fill it."""

    path: UrlPath = "/"
    """Where the service has the page."""
    case: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    """The case whose inputs are uploaded; by default the first that the model must answer."""
    upload: dict[Selector, str] = Field(default_factory=dict)
    """Selector of a file input → the case's input that is put into it."""
    fill: dict[Selector, Scalar] = Field(default_factory=dict)
    """Selector of a field → what is written into it."""
    press: Selector | None = None
    """The button that is pressed then; left out, the page starts by itself."""
    result: PageResult
    tolerance: Annotated[int, Field(ge=0, le=255, strict=True)] = 2
    """By how many of 255 levels a picture may differ from the API's answer to the same case, in any pixel."""
    timeout_s: Annotated[Seconds, Field(le=3600)] = 60.0
    """From opening the page to its result."""
    card: bool = False
    """The model needs a graphics card for this; otherwise it is started without one."""


def with_page_rule(policy: Policy, page: Page | None) -> Policy:
    """The policy of a contract, with the rule that its page must work, unless the policy has a rule for it already.

    So a page that does not work stops a release; `{metric: page, min: 1, severity: warn}` lets it only warn.
    """
    if page is None or any(rule.metric == PAGE_METRIC.name for rule in policy.rules):
        return policy
    return policy.model_copy(update={"rules": [*policy.rules, Rule(metric=PAGE_METRIC.name, min=1.0)]})
