"""Interfaces of known systems that belong to no one family: any contract may name them.

An interface that says what a model *is* moves into its family's package with that family.
"""

from __future__ import annotations

from collections.abc import Mapping

from penstock.families.family import Preset

SHARED_PRESETS: Mapping[str, Preset] = {
    "cog": Preset(
        http={
            "ready": "/health-check",
            "ready_json": {"$.status": "READY"},
            "method": "POST",
            "path": "/predictions",
            "body": {"json": {"input": {}}},
            "answer": {"json": "$.output", "require": {"$.status": "succeeded"}},
        },
    ),
}
"""Name → what it fills.

``cog``: what a model's inputs are called and what it returns differ from model to model: ``body.json.input`` and
``response`` are the contract's.
"""
