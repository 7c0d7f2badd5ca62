"""The process that tries a service: it gives up what it does not need before it looks at anything.

A process of its own, started by :mod:`penstock.interface.confined_trial` and ended by it when its time is over: the
document may hold patterns that take for ever, and schemas that take all memory. It keeps the files that are needed,
and no TCP port but the service's.
"""

from __future__ import annotations

import sys
from typing import Final

from penstock.interface.trial_order import TrialOrder
from penstock.invocation.helper_confinement import keep_only

MAX_MEMORY: Final = 4 << 30


def main() -> int:
    """Read the order from standard input, give up what is not needed, try the service; ``trial.json`` is left."""
    order = TrialOrder.model_validate_json(sys.stdin.buffer.read())
    files = [*order.inputs, *(answer.file for answer in order.answers if answer.file is not None)]
    keep_only(
        readable=[*order.readable, *files],
        folder=order.folder,
        ports=[order.port] if order.port else [],
        max_memory=MAX_MEMORY,
    )
    from penstock.interface.attempt import attempt

    attempt(order)
    return 0


if __name__ == "__main__":
    sys.exit(main())
