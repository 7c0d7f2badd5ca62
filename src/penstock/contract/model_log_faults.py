"""What a contract's ``log`` says against its policy."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.contract.faults import Fault, fault_at
from penstock.contract.models import Contract
from penstock.families.engine_metrics import LOG_METRIC
from penstock.foundation.yaml_text import Document


def model_log_faults(contract: Contract, document: Document) -> Iterator[Fault]:
    """A rule for a log of which nothing is said, and fields that are asked for twice."""
    log = contract.log
    if log is None:
        for place, rule in enumerate(contract.policy.rules):
            if rule.metric == LOG_METRIC.name:
                what = f"'{rule.metric}' is what was found in the model's log, and the contract has no 'log'"
                todo = "Write a section 'log', or leave the rule out."
                yield fault_at(document, ("policy", "rules", place, "metric"), what, todo=todo)
        return
    for place, name in enumerate(log.required):
        if name in log.required[:place]:
            yield fault_at(document, ("log", "required", place), f"'{name}' is there twice", todo="Leave one out.")
