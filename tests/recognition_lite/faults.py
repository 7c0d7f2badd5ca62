"""Which rule must stop each bad release of recognition-lite: ``python -m tests.faults --out DIR recognition-lite``."""

from __future__ import annotations

from tests.faults.fault_table import FaultTable

TABLE = FaultTable(
    model="recognition-lite",
    stopped_by={
        "v1.0.1-chinese": "cer (chinese)",
        "v1.0.2-overconfident": "ece",
        "v1.0.3-renamed": "label_f1",
        "v1.0.4-items": "schema_breaks",
        "v1.0.5-corners": "map50",
        "v1.0.6-slow-tail": "load_p95_ms",
        "v1.0.7-leak": "memory_growth",
        "v1.0.8-dies": "overload",
        "v1.0.9-early": "early_ready",
        "v1.0.10-error-inside": "label_f1 (under-640x480)",
        "v1.0.11-file-name": "label_f1",
        "v1.0.12-silent": "log",
        "v1.0.13-secret": "log",
        "v1.0.14-raw-image": "log",
        "v1.0.15-deaf": "stop_lost",
        "v1.0.16-abrupt": "stop_lost",
        "v1.0.17-cuda": "environment",
    },
    small=("--each", "10"),
    load={"seconds": 8, "stop_s": 5},
    figures=(
        *("label_f1", "label_precision", "label_recall", "phrases", "cer", "map50", "ece"),
        *("load_p95_ms", "memory_growth", "throughput"),
    ),
)
