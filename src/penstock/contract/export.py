"""The model that is exported from trained weights, and compared with them: ``export`` of the contract."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field, FiniteFloat

from penstock.contract.http_call import Seconds
from penstock.contract.placeholders import VariableName
from penstock.contract.policy import Policy, Rule, Strict
from penstock.families.engine_metrics import EXPORT_METRIC

OUTPUT: Final = "output"
"""``{output}`` in ``argv``: the file that the exporter writes."""


class Export(Strict):
    """How the exported file comes of the trained weights, and how a model is told which of them to compute with."""

    argv: Annotated[list[str], Field(min_length=1, max_length=200)]
    """Exports anew: program and arguments; `{output}` is the file to write. It runs confined, where the model runs."""
    weights: Annotated[str, Field(min_length=1, max_length=500)]
    """The exported file that is released: the path of one of `weights`."""
    switch: VariableName = "USE_ONNX"
    """The environment variable that tells the model: `true`, compute with the exported file, or `false`, with the
    trained weights."""
    slice: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    """Only the cases that carry this slice are compared; left out, all that the model must answer."""
    limits: dict[str, Annotated[FiniteFloat, Field(ge=0)]] = Field(default_factory=dict)
    """How far the two answers to a case may differ, in place of the family's own limits: value → the largest that is
    allowed."""
    timeout_s: Seconds = 600.0
    """For the exporter."""


def with_export_rule(policy: Policy, export: Export | None) -> Policy:
    """The policy of a contract, with the rule that warns where its export is not used, unless it has a rule for that.

    So such a release goes on with the trained weights; `{metric: export, min: 1}` stops it.
    """
    if export is None or any(rule.metric == EXPORT_METRIC.name for rule in policy.rules):
        return policy
    rule = Rule(metric=EXPORT_METRIC.name, min=1.0, severity="warn")
    return policy.model_copy(update={"rules": [*policy.rules, rule]})
