"""The process that compares two answers: it gives up what it does not need before it opens them.

A process of its own, started by :mod:`penstock.evaluation.confined_comparison` and ended by it when its time is over: a
file may keep a decoder busy for ever, or end it. It keeps the answers, and no network.
"""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path
from typing import Final

from penstock.evaluation.comparison_order import COMPARED, ComparedAnswers, ComparisonOrder
from penstock.invocation.landlock import restrict
from penstock.invocation.privileges import PR_SET_NO_NEW_PRIVS, drop_capabilities, prctl
from penstock.invocation.sandbox import DEVICES

MAX_MEMORY: Final = 8 << 30
"""Of address space: what a minute of video in two answers takes, and what libraries map."""
CGROUPS: Final = Path("/sys/fs/cgroup")
_LIMITS: Final = ("memory.max", "memory/memory.limit_in_bytes")
"""Of a container, in versions 2 and 1 of cgroups."""


def max_data(cgroups: Path = CGROUPS) -> int:
    """How many bytes may be written to: half of what the container has, at most :data:`MAX_MEMORY`.

    So this process runs out of memory before the container does, which would be killed as a whole. What is only mapped,
    as libraries are, does not count.
    """
    for name in _LIMITS:
        try:
            return min(MAX_MEMORY, int((cgroups / name).read_text(encoding="ascii")) // 2)
        except (OSError, ValueError):  # it is not there, or says "max"
            continue
    return MAX_MEMORY


def main() -> int:
    """Read the order from standard input, give up what is not needed, compare; ``compared.json`` is left."""
    order = ComparisonOrder.model_validate_json(sys.stdin.buffer.read())
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    resource.setrlimit(resource.RLIMIT_DATA, (most := max_data(), most))
    files = [*order.one.values(), *order.other.values()]
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    drop_capabilities()
    restrict(
        {
            "readable": [*order.readable, *map(str, files)],
            "listable": [],
            "writable": [str(order.folder)],
            "devices": [*DEVICES],
            "thread_names": [],
            "bind": [],
            "connect": [],
        }
    )
    os.chdir(order.folder)
    from penstock.evaluation.answers_apart import answers_apart

    found = answers_apart(order.compare, order.limits, order.one, order.other, order.given)
    made = ComparedAnswers(values=found.values, fault=found.fault)
    (order.folder / COMPARED).write_text(made.model_dump_json(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
