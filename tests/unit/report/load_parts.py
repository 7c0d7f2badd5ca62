"""Parts of a load, as the step *load* keeps them."""

from __future__ import annotations

import math

from penstock.bundle.load_record import (
    LoadPart,
    MemoryLine,
    OverloadRecord,
    RecoveryRecord,
    RequestLine,
    StartRecord,
    StopRecord,
)


def load_part(part: str = "1/1", *, slow: float = 1.0, lost: tuple[int, ...] = (), leak: float = 0.0) -> LoadPart:
    """10 requests a second for 20 s after 2 s of warm-up, of some 20 ms each; every 15th takes ten times as long."""
    count = 220
    latency = [20 * slow * (10 if n % 15 == 7 else 1) + 3 * math.sin(n) for n in range(count)]
    return LoadPart(
        part=part,
        rate=10,
        seconds=20,
        warmup_s=2,
        timeout_s=10,
        start=StartRecord(ready_s=1.25, true_s=1.5),
        requests=RequestLine(
            due_s=[n / 10 for n in range(count)],
            latency_ms=latency,
            ending=[3 if n in lost else 1 for n in range(count)],
            status=[500 if n in lost else 200 for n in range(count)],
            samples={"status": "500 <Internal>"} if lost else {},
        ),
        memory=MemoryLine(
            at_s=[n / 10 for n in range(count)],
            done=list(range(count)),
            mib=[200 + leak * n + 2 * math.sin(n / 3) for n in range(count)],
        ),
        overload=OverloadRecord(problem=None, refused=12, good=88),
        stop=StopRecord(sent=9, lost=1, sample="connection reset", ended_s=0.3),
        recovery=RecoveryRecord(problem=None, ready_s=1.4),
    )
