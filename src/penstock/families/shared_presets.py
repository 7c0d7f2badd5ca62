"""Interfaces of known systems that belong to no one family: any contract may name them.

An interface that says what a model *is* moves into its family's package with that family.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.families.family import Preset

_FEATURE: dict[str, Any] = {"path": "/feature", "response": "application/json"}

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
    "face-ood": Preset(
        http={
            "ready": "/health",
            "calls": {
                "first": {**_FEATURE, "files": {"image": "first"}},
                "second": {**_FEATURE, "files": {"image": "second"}},
                "compare": {
                    "path": "/compare",
                    "files": {"image1": "first", "image2": "second"},
                    "response": "application/json",
                },
            },
        },
    ),
    "wanwu": Preset(
        http={"method": "POST", "path": "/recognize", "files": {"image": "image"}, "response": "application/json"},
    ),
}
"""Name → what it fills.

``cog``: what a model's inputs are called and what it returns differ from model to model: ``body.json.input`` and
``response`` are the contract's. ``face-ood``: a case is a pair of images.
"""
