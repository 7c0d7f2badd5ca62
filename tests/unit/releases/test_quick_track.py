"""On the track verify nothing is run a second time, whatever the policy says."""

from __future__ import annotations

from penstock.contract.policy import Policy
from penstock.releases.quick_track import as_on_verify


def test_the_stored_values_are_the_baseline() -> None:
    policy = Policy.model_validate({"baseline": "rerun", "rules": [{"metric": "latency", "max": 5.0}]})
    assert as_on_verify(policy) == policy.model_copy(update={"baseline": "stored"})
    assert policy.baseline == "rerun"
