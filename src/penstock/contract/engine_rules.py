"""Rules that a contract brings with what it asks for: a page that works, an export that holds, a log that is right."""

from __future__ import annotations

from penstock.contract.export import with_export_rule
from penstock.contract.model_log import with_log_rule
from penstock.contract.models import Contract
from penstock.contract.page import with_page_rule
from penstock.contract.policy import Policy


def with_engine_rules(policy: Policy, contract: Contract) -> Policy:
    """The policy with these rules, each unless the policy has one for that metric already."""
    return with_log_rule(with_export_rule(with_page_rule(policy, contract.page), contract.export), contract.log)
