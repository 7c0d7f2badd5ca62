"""Where the evidence of a run that releases nothing is kept: apart from the runs that releases rest on."""

from __future__ import annotations

import re

from penstock.foundation.errors import UsageError
from penstock.store.archive import name_part

PULLS = "pulls"
FORKS = "forks"
NO_NUMBER = "0"
"""In place of a number, of runs that belong to no pull request: forges count from 1."""


def pull_key(model: str, run_id: str, *, number: str = "", fork: bool = False) -> str:
    """``pulls/MODEL/NUMBER/RUN``; of a fork ``forks/pulls/MODEL/NUMBER/RUN``.

    Nothing below these prefixes is ever a release or a baseline: they can be given a lifetime of their own.

    Args:
        model: the model's name.
        run_id: the run.
        number: of the pull or merge request; empty: the run belongs to none, and the key has a 0.
        fork: whether the code is that of a fork.

    Raises:
        UsageError: a name cannot be part of a key; ``number`` is not a number.
    """
    if not re.fullmatch(r"([1-9][0-9]{0,9})?", number):
        raise UsageError(f"'{number[:40]}' is not the number of a pull request", where="pull-request")
    root = f"{PULLS}/{name_part(model, 'model')}/{number or NO_NUMBER}/{name_part(run_id, 'run')}"
    return f"{FORKS}/{root}" if fork else root
