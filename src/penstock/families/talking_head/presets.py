"""Known systems that make talking heads, and how they are called."""

from __future__ import annotations

from typing import Any

from penstock.families.family import Preset

SONIC_DEFAULTS: dict[str, Any] = {
    "min_resolution": 1024,
    "expand_ratio": 0.18,
    "inference_steps": 25,
    "dynamic_scale": 1.1,
    "motion_scale": 1.05,
    "lip_sync_align": True,
    "smooth_motion": True,
}

PRESETS = {
    "sonic": Preset(
        http={
            "method": "POST",
            "path": "/generate",
            "files": {"image": "image", "audio": "audio"},
            "fields": {name: f"{{{name}}}" for name in ("duration", *SONIC_DEFAULTS)},
            "response": "video/mp4",
        },
        parameters=SONIC_DEFAULTS,
    ),
}
"""``duration`` has no default: it is as long as the case's audio, unless the case says another."""
