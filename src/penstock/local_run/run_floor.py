"""``--policy-floor``: the platform's rules, read before a run begins and kept with it."""

from __future__ import annotations

import shutil
from pathlib import Path

from penstock.foundation.files import disk_errors

FLOOR = "policy-floor"
"""The workspace, and the run's folder, that hold the file."""


def check_floor(file: Path) -> None:
    """Check that a file is a policy floor.

    Raises:
        UsageError: what is wrong with it.
    """
    from penstock.gating.floor import read_floor
    from penstock.gating.gate import hold_policy

    hold_policy(read_floor(file).rules.as_policy(), str(file))


def keep_floor(folder: Path, file: Path | None) -> None:
    """Keep a copy with the run, so that it is judged by the same rules when it is resumed.

    Args:
        folder: the run's.
        file: checked; ``None``: there is no floor.
    """
    if file is None:
        return
    from penstock.contract.floor import FLOOR_FILE

    kept = folder / FLOOR / FLOOR_FILE
    with disk_errors(kept):
        kept.parent.mkdir(exist_ok=True)
        shutil.copyfile(file, kept)
