"""Rules that a contract brings with what it asks for: a page, an export, a log, a load, an interface."""

from __future__ import annotations

from penstock.contract.export import with_export_rule
from penstock.contract.interface import with_interface_rules
from penstock.contract.model_log import with_log_rule
from penstock.contract.models import Contract
from penstock.contract.page import with_page_rule
from penstock.contract.policy import Policy
from penstock.contract.serving import with_load_rules


def with_engine_rules(policy: Policy, contract: Contract) -> Policy:
    """The policy with these rules, each unless the policy has one for that metric already."""
    policy = with_export_rule(with_page_rule(policy, contract.page), contract.export)
    policy = with_load_rules(with_log_rule(policy, contract.log), contract.load)
    return with_interface_rules(policy, contract.interface)
