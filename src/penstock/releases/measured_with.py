"""The arithmetic that a candidate's values will be compared in: the policy's, or that of the current release."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from penstock.contract.arithmetic import arithmetic_by_role, arithmetic_in
from penstock.contract.policy import Policy
from penstock.foundation.errors import UsageError, WorldError
from penstock.releases.baseline import baseline
from penstock.store.archive import fetch
from penstock.store.store import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class MeasuredWith:
    """What *measure* is to know of what its values are compared with."""

    follow: str = ""
    """What it computes in where nothing else is asked for: the policy's arithmetic, or that of the current release;
    empty where the policy names none and there is no release whose networks were all computed alike."""
    stored: str = ""
    """What the stored values that the gate compares with were computed in: ``frechet=f32,lipsync=f32``; empty where it
    compares with none, or where that is what the policy asks for: it takes nothing else of the candidate either."""


def measured_with(policy: Policy, store: Store | None, model: str) -> MeasuredWith:
    """What the policy, and how the current release was measured, ask of *measure*.

    Args:
        policy: its ``arithmetic`` comes first.
        store: where releases are kept; ``None``: there is none.
        model: the model's name.

    Raises:
        WorldError: the release that is compared with cannot be read.
        UsageError: its record is of another version of Penstock.
    """
    stored = policy.baseline == "stored"
    if policy.arithmetic is not None and not stored:
        return MeasuredWith(policy.arithmetic)
    try:
        labels = _released_extractors(store, model) if store is not None else {}
    except (UsageError, WorldError) as error:
        if stored:  # the gate could not compare with it either
            raise
        log.warning("how the current release was measured cannot be read: %s", error.what)
        labels = {}
    own = as_recorded(labels).follow
    as_asked = policy.arithmetic is not None and policy.arithmetic == own
    return MeasuredWith(policy.arithmetic or own, arithmetic_by_role(labels) if stored and not as_asked else "")


def as_recorded(labels: Mapping[str, str]) -> MeasuredWith:
    """What a released model that is run again is measured with: as the release's own values were.

    Args:
        labels: role → label of the networks of its release.
    """
    found = {arithmetic_in(label) for label in labels.values()}
    return MeasuredWith(found.pop() if len(found) == 1 else "")


def _released_extractors(store: Store, model: str) -> dict[str, str]:
    """Role → label, of the current release; empty before the first."""
    pointer = baseline(store, model)
    if pointer is None:
        return {}
    with tempfile.TemporaryDirectory(prefix="penstock-arithmetic-") as folder:
        released = fetch(
            store, model, pointer.run_id, Path(folder), only=("run.json",), manifest_sha256=pointer.manifest_sha256
        )
        return released.run().extractors
