"""Moving a model's name to another repository: rare, by the people who run the store, and on record for good."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from penstock.foundation.errors import UsageError, WorldError
from penstock.releases.baseline import Transfer, current_release, finish, move, owner
from penstock.releases.moves import stated_reason
from penstock.releases.names import repository_identity
from penstock.store.store import Store

ATTEMPTS = 10


def transfer(
    store: Store,
    model: str,
    address: str,
    *,
    reason: str,
    by: str,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Transfer | None:
    """Let a name belong to the repository at ``address`` from now on; what was released stays the baseline.

    Args:
        store: where the model is released.
        model: its name.
        address: of the repository, in any of its forms.
        reason: why, for those who read the record.
        by: who says so.
        now: the time.

    Returns:
        The record, which is in the store under ``transfers/MODEL/``; ``None``: the name belongs to it already.

    Raises:
        UsageError: nothing of this name is released, the address is wrong or a path that is not there, or the reason is
            empty or too long.
        WorldError: the store cannot be reached.
    """
    why = stated_reason(reason)
    after = repository_identity(address)
    if after.startswith("/") and not Path(after).is_dir():
        todo = "Check the path, or write the address with 'https://' or as user@host:path."
        raise UsageError("there is no repository at this path", where=f"--to {address[:200]}", todo=todo)
    for _ in range(ATTEMPTS):
        current = current_release(store, model)
        if current is None:
            raise UsageError(
                f"no model '{model}' is released in this store",
                where=store.uri,
                todo="Check the name. The first release of a name binds it to its repository.",
            )
        finish(store, current.baseline)
        before, last = owner(store, current.baseline), current.baseline.transfer
        if before == after:
            return None
        record = Transfer(
            model=model,
            number=last.number + 1 if last is not None else 1,
            before=before,
            after=after,
            reason=why,
            by=by,
            time=now().astimezone(UTC).isoformat(timespec="seconds"),
        )
        moved = current.baseline.model_copy(update={"repository": after, "transfer": record})
        if move(store, moved, seen=current):
            return record
    raise WorldError("others keep moving the baseline's pointer", where=store.uri, todo="Try again.")
