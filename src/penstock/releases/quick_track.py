"""The track verify, for steps that do not judge: what its runs are called, and which policy they have."""

from __future__ import annotations

from penstock.contract.policy import Policy

VERIFY = "verify"
"""The track of commits that are not released."""


def as_on_verify(policy: Policy) -> Policy:
    """The policy with the release's stored values as its baseline."""
    return policy.model_copy(update={"baseline": "stored"})
