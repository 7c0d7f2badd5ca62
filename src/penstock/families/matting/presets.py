"""Known systems that remove backgrounds, and how they are called."""

from __future__ import annotations

from penstock.families.family import Preset

PRESETS = {
    "rmbg": Preset(
        http={
            "method": "POST",
            "path": "/api/remove-bg",
            "body": {"json": {"image": "{image|base64}"}},
            "answer": {"json": "$.image"},
            "response": "image/png",
        },
        parameters={"scale_over": 2000, "scale_to": 1024},
        page={
            "upload": {"#upload-input": "image"},
            "press": "button",
            "result": {"selector": "#result-img", "begins": "data:image/png", "alpha": True},
        },
    ),
}
"""``rmbg``: RMBG-1.4 and RMBG-2.0. One request at a time; a photo with a side over 2000 px comes back scaled, so that
its longer side is 1024."""
