"""Contracts with weights, for the tests of what is done with those."""

from __future__ import annotations

import hashlib

from penstock.contract.models import Contract


def digest_of(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def contract_with(*paths: str, source: str = "lfs") -> Contract:
    """A contract whose weights have these paths; the digest of each is that of its path."""
    return Contract.model_validate(
        {
            "version": 1,
            "name": "little",
            "family": "talking-head",
            "weights": [{"path": path, "sha256": digest_of(path), "source": source} for path in paths],
            "call": {"command": {"argv": ["x"]}},
            "suite": "suite",
            "policy": {"rules": [{"metric": "latency", "max": 1.0}]},
        }
    )
