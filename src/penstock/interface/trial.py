"""The process that tries a service: it gives up what it does not need before it looks at anything.

A process of its own, started by :mod:`penstock.interface.confined_trial` and ended by it when its time is over: the
document may hold patterns that take for ever, and schemas that take all memory. It keeps the files that are needed,
and no TCP port but the service's.
"""

from __future__ import annotations

import os
import resource
import sys
from typing import Final

from penstock.interface.trial_order import TrialOrder
from penstock.invocation.landlock import restrict
from penstock.invocation.privileges import PR_SET_NO_NEW_PRIVS, drop_capabilities, prctl
from penstock.invocation.sandbox import DEVICES

MAX_MEMORY: Final = 4 << 30


def main() -> int:
    """Read the order from standard input, give up what is not needed, try the service; ``trial.json`` is left."""
    order = TrialOrder.model_validate_json(sys.stdin.buffer.read())
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    files = [*order.inputs, *(answer.file for answer in order.answers if answer.file is not None)]
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
            "connect": [order.port] if order.port else [],
        }
    )
    os.chdir(order.folder)
    from penstock.interface.attempt import attempt

    attempt(order)
    return 0


if __name__ == "__main__":
    sys.exit(main())
