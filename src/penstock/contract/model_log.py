"""What the lines of a model's log must be: ``log`` of the contract."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from penstock.contract.placeholders import Scalar
from penstock.contract.policy import Policy, Rule, Strict
from penstock.families.engine_metrics import LOG_METRIC

FieldName = Annotated[str, Field(min_length=1, max_length=200)]


class ModelLog(Strict):
    """The model writes JSON lines to its standard output or error. Secrets, pictures and vectors in them are faults."""

    required: Annotated[list[FieldName], Field(min_length=1, max_length=50)]
    """Fields that a line must have, not `null`: `[event, image_hash, latency_ms, objects_found]`."""
    where: dict[FieldName, Scalar] = Field(default_factory=dict)
    """Which lines must have them: those with these values, `{event: recognize}`; left out, every line."""
    each_call: bool = True
    """There is at least one such line for each call that the model answered."""
    plain: bool = False
    """Lines that are no JSON objects are allowed beside the others."""


def with_log_rule(policy: Policy, log: ModelLog | None) -> Policy:
    """The policy of a contract, with the rule that its log must be right, unless the policy has a rule for it already.

    So a log with a fault stops a release; `{metric: log, min: 1, severity: warn}` lets it only warn.
    """
    if log is None or any(rule.metric == LOG_METRIC.name for rule in policy.rules):
        return policy
    return policy.model_copy(update={"rules": [*policy.rules, Rule(metric=LOG_METRIC.name, min=1.0)]})
