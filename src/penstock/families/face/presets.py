"""Known systems that recognise faces, and how they are called."""

from __future__ import annotations

from penstock.families.family import Preset

PRESETS = {
    "face-ood": Preset(
        http={
            "ready": "/health",
            "calls": {
                "feature": {
                    "path": "/feature",
                    "files": {"image": "image"},
                    "response": "application/json",
                    "optional": True,
                },
                "compare": {
                    "path": "/compare",
                    "files": {"image1": "first", "image2": "second"},
                    "response": "application/json",
                    "optional": True,
                },
            },
        },
        parameters={"feature_length": 512, "unit_norm": False},
    ),
}
"""``face-ood``: RTS behind HTTP. A single image goes to ``/feature``, a pair to ``/compare``."""
