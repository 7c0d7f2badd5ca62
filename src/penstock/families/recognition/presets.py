"""Known services that recognise what is in a picture, and how they are called."""

from __future__ import annotations

from penstock.families.family import Preset

PRESETS = {
    "wanwu": Preset(
        http={
            "ready": "/healthz",
            "method": "POST",
            "path": "/recognize",
            "files": {"image": "image"},
            "response": "application/json",
        },
    ),
}
"""``wanwu``: one picture as a form; ``/healthz`` answers 503 until the model is loaded."""
