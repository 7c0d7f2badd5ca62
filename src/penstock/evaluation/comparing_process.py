"""The process that compares two answers: it gives up what it does not need before it opens them.

A process of its own, started by :mod:`penstock.evaluation.confined_comparison` and ended by it when its time is over: a
file may keep a decoder busy for ever, or end it. It keeps the answers, and no network.
"""

from __future__ import annotations

import sys
from typing import Final

from penstock.evaluation.comparison_order import COMPARED, ComparedAnswers, ComparisonOrder
from penstock.invocation.helper_confinement import keep_only

MAX_MEMORY: Final = 8 << 30
"""Of address space: what a minute of video in two answers takes, and what libraries map."""


def main() -> int:
    """Read the order from standard input, give up what is not needed, compare; ``compared.json`` is left."""
    order = ComparisonOrder.model_validate_json(sys.stdin.buffer.read())
    files = [*order.one.values(), *order.other.values()]
    keep_only(readable=[*order.readable, *files], folder=order.folder, max_memory=MAX_MEMORY)
    from penstock.evaluation.answers_apart import answers_apart

    found = answers_apart(order.compare, order.limits, order.one, order.other, order.given)
    made = ComparedAnswers(values=found.values, fault=found.fault)
    (order.folder / COMPARED).write_text(made.model_dump_json(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
