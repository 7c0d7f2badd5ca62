"""Which rule must stop each bad release of face-lite: ``python -m tests.faults --out DIR face-lite``."""

from __future__ import annotations

from tests.faults.fault_table import FaultTable

TABLE = FaultTable(
    model="face-lite",
    stopped_by={
        "v1.0.1-half": "eer",
        "v1.0.2-nan": "eer",
        "v1.0.3-unbounded": "auroc",
        "v1.0.4-inverted": "auroc",
        "v1.0.5-everything": "bands",
        "v1.0.6-no-reason": "bands",
        "v1.0.7-rotated": "gallery_eer",
        "v1.0.8-large": "fnmr (large)",
        "v1.0.9-slow-tail": "load_p95_ms",
        "v1.0.10-leak": "memory_growth",
        "v1.0.11-dies": "overload",
        "v1.0.12-early": "early_ready",
        "v1.0.13-hidden-error": "wrongly_accepted",
        "v1.0.14-renamed": "eer",
        "v1.0.15-file-name": "bands",
        "v1.0.16-log": "log",
        "v1.0.17-secret": "log",
        "v1.0.18-cuda": "environment",
    },
    small=("--odd-each", "6"),
    load={"seconds": 6},
    figures=(
        *("eer", "tar_1e-2", "auroc", "fpr95", "gallery_eer"),
        *("fnmr", "fmr", "face_quality"),
    ),
)
