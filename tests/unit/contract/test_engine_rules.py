"""What a contract asks for comes with a rule of its own."""

from __future__ import annotations

from tests.unit.contract.conftest import Write

from penstock.contract.engine_rules import with_engine_rules
from penstock.contract.load import load_contract

PAGE = 'page: {upload: {"#in": image}, result: {selector: "#out"}}\n'
SECTIONS = f"{PAGE}log: {{required: [event]}}\nload: {{rate: 5}}\nsuite: suite\n"


def test_each_section_adds_its_rule(repository: Write) -> None:
    contract = load_contract(repository(("suite: suite\n", SECTIONS)))
    own = {rule.metric for rule in contract.policy.rules}
    assert {rule.metric for rule in with_engine_rules(contract.policy, contract).rules} == (
        own
        | {"page", "log"}
        | {"early_ready", "load_errors", "load_dropped", "overload", "stop_lost", "recovered"}
        | {"mixed_answers", "oom_recovered"}
    )
    bare = load_contract(repository())
    assert with_engine_rules(bare.policy, bare) == bare.policy
