"""Which rule must stop bad releases of sonic-lite: ``python -m tests.faults --out DIR sonic-lite``.

Its others (a crash, a service that falls silent) have tests of their own in ``tests/sonic_lite``.
"""

from __future__ import annotations

from tests.faults.fault_table import FaultTable

TABLE = FaultTable(
    model="sonic-lite",
    stopped_by={
        "v1.0.1-desync": "av_offset_abs",
        "v1.0.2-duration": "duration_error",
        "v1.0.6-open-lips": "lip_closure",
        "v1.0.7-wide-mouth": "mouth_opening",
        "v1.0.8-small": "size_error",
        "v1.1.0": "lse_d",
    },
    better="v1.2.0",
    figures=("lse_d", "lse_c", "kid", "sharpness", "lip_closure", "mouth_opening"),
)
