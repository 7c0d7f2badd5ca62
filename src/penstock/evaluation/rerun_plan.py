"""The released model beside the candidate: how it is called, and in which turns the two are run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from penstock.bundle.models import Image
from penstock.bundle.rerun_bundle import released_errors
from penstock.bundle.shards import MAX_SHARDS, Shard
from penstock.contract.models import Contract
from penstock.foundation.errors import UsageError, WorldError

Beside = Literal["", "turns", "blocks", "block"]
"""How the released model is run beside the candidate.

``turns``: both in one step, one case after another. ``blocks``: each in its own image, so in steps of their own: the
candidate over the first half of the suite, the released model over the first half, then over the second, the candidate
over the second. ``block``: the same where there is one case, which cannot be halved. Empty: it is not run.
"""


def called_alike(candidate: Contract, released: Contract) -> Contract:
    """The released model's contract, over the candidate's suite, with the candidate's parameters, limit and warm-up.

    How it is started and called is its own; the conditions are the candidate's.

    Raises:
        WorldError: the released model is of another family.
    """
    if released.family != candidate.family:
        with released_errors():
            raise WorldError(f"it is of the family '{released.family}', the candidate of '{candidate.family}'")
    conditions = {
        "parameters": candidate.call.parameters,
        "timeout_s": candidate.call.timeout_s,
        "warmup": candidate.call.warmup,
    }
    call = released.call.model_copy(update=conditions)
    return released.model_copy(update={"suite": candidate.suite, "call": call})


def how(candidate: Image, released: Image | None, cases: int) -> Beside:
    """How the two can be run beside each other.

    Raises:
        WorldError: the candidate has an image, and the released model none: they would not run under the same
            conditions.
    """
    if candidate.kind == "process":
        return "turns"
    if released is None or released.kind != "image":
        with released_errors():
            raise WorldError(
                "the candidate runs in its image, and the released model was released without one",
                where="image",
                todo="Run with build-mode=process, so that both run as a process.",
            )
    return "blocks" if cases > 1 else "block"


def parts_for(beside: Beside, shards: int) -> int:
    """Into how many parts the suite is split.

    In turns one call is made at a time, whatever ``shards`` says: the latencies are to be compared.

    Raises:
        UsageError: there cannot be so many.
    """
    if beside == "turns":
        return 1
    if beside and not 1 <= shards <= MAX_SHARDS // 2:
        raise UsageError(
            f"{shards} shards cannot be with 'baseline: rerun'",
            where="--shards",
            todo=f"Choose 1 to {MAX_SHARDS // 2}.",
        )
    return 2 * shards if beside else shards


@dataclass(frozen=True)
class Halves:
    """The shards that are run first, and those that are run after the released model has had its two blocks."""

    first: tuple[Shard, ...]
    second: tuple[Shard, ...]


def halves(beside: Beside, shards: Sequence[Shard]) -> Halves:
    """Which shards belong to which block; all to the first, if there is none but the candidate's."""
    middle = (len(shards) + 1) // 2 if beside == "blocks" else len(shards)
    return Halves(tuple(shards[:middle]), tuple(shards[middle:]))
