"""The arithmetic that a candidate's values will be compared in: the policy's, or that of the current release."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

from penstock.contract.arithmetic import arithmetic_in
from penstock.contract.policy import Policy
from penstock.foundation.errors import UsageError, WorldError
from penstock.releases.baseline import baseline
from penstock.store.archive import fetch
from penstock.store.store import Store

log = logging.getLogger(__name__)


def arithmetic_to_follow(policy: Policy, store: Store | None, model: str) -> str:
    """What *measure* computes in where nothing else is asked for.

    Args:
        policy: its ``arithmetic`` comes first.
        store: where releases are kept; ``None``: there is none.
        model: the model's name.

    Returns:
        An arithmetic; empty where the policy names none and there is no release whose networks were all computed alike.

    Raises:
        WorldError: the release that is compared with cannot be read.
        UsageError: its record is of another version of Penstock.
    """
    if policy.arithmetic is not None:
        return policy.arithmetic
    pointer = baseline(store, model) if store is not None else None
    if store is None or pointer is None:
        return ""
    try:
        with tempfile.TemporaryDirectory(prefix="penstock-arithmetic-") as folder:
            released = fetch(
                store,
                model,
                pointer.run_id,
                Path(folder),
                only=("run.json",),
                manifest_sha256=pointer.manifest_sha256,
            )
            extractors = released.run().extractors
    except (UsageError, WorldError) as error:
        if policy.baseline == "stored":  # the gate could not compare with it either
            raise
        log.warning("how the current release was measured cannot be read: %s", error.what)
        return ""
    found = {arithmetic_in(label) for label in extractors.values()}
    return found.pop() if len(found) == 1 else ""
