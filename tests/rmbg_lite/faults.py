"""Which rule must stop each bad release of rmbg-lite: ``python -m tests.faults --out DIR rmbg-lite``."""

from __future__ import annotations

from tests.faults.fault_table import FaultTable

TABLE = FaultTable(
    model="rmbg-lite",
    stopped_by={
        "v1.0.1-halo": "boundary_iou",
        "v1.0.2-fringe": "fringe (hair)",
        "v1.0.3-shift": "spurious",
        "v1.0.4-staircase": "boundary_iou",
        "v1.0.5-speck": "spurious",
        "v1.0.6-shadow-cut": "mae (shadow-keep)",
        "v1.0.7-shadow-kept": "mae (shadow-drop)",
        "v1.0.8-drift": "export",
        "v1.0.9-inverted": "mae",
        "v1.0.10-jpeg": "mae",
        "v1.0.11-dead-button": "page",
        "v1.0.12-opaque-page": "page",
    },
    falls_back=frozenset({"v1.0.8-drift"}),
    small=(
        *("--only", "hair=14", "fur=6"),
        *("shadow-keep=20", "shadow-drop=20"),
    ),
    slice="hair",
    page={"timeout_s": 10},
    figures=("mae", "grad", "boundary_iou", "spurious", "fringe"),
    slices={"v1.0.6-shadow-cut": "shadow-keep", "v1.0.7-shadow-kept": "shadow-drop"},
)
