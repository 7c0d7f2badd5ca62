"""``penstock rollback``, ``promote``, ``withdraw``: what people do with published releases."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penstock.cli.releases import CREDENTIALS_HELP, LOCAL_STORE, STORE_HELP

if TYPE_CHECKING:
    from penstock.releases.acts import Act
    from penstock.store.store import Store
    from penstock.targets.delivery import Delivery

Model = Annotated[str, typer.Argument(help="The model's name.")]
Version = Annotated[str, typer.Argument(help="The release: 'penstock releases MODEL' lists them.")]
Reason = Annotated[str, typer.Option(help="Why; it stays on record.")]
By = Annotated[str, typer.Option(help="Who says so; user and machine by default.")]
StoreUri = Annotated[str, typer.Option("--store", help=STORE_HELP)]
Credentials = Annotated[Path | None, typer.Option("--store-credentials", help=CREDENTIALS_HELP)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
TargetsFile = Annotated[
    Path | None, typer.Option("--targets", help="The platform's targets.yaml, for a release that has a target.")
]
SecretFiles = Annotated[Path | None, typer.Option("--secrets", help="The directory of the targets' secrets.")]


def rollback(
    model: Model,
    reason: Reason,
    to: Annotated[str, typer.Option(help="To which release; by default the one before the current.")] = "",
    by: By = "",
    targets: TargetsFile = None,
    secrets: SecretFiles = None,
    store: StoreUri = LOCAL_STORE,
    store_credentials: Credentials = None,
    as_json: AsJson = False,
) -> None:
    """Make an earlier release the current one again, which the next release is judged against.

    With a target it is served there first. Given twice it goes back once: to go further back, say --to.

    Example: penstock rollback sonic-lite --reason "users see flicker" --store s3://releases/penstock
    """
    from penstock.releases.acts import roll_back
    from penstock.store.open import existing_store

    opened = existing_store(store, store_credentials)
    serving = _serving(opened, targets, secrets, by)
    _say(roll_back(opened, model, to or None, reason=reason, by=by, serving=serving), _unmoved, as_json)


def promote(
    model: Model,
    version: Version,
    reason: Reason,
    by: By = "",
    targets: TargetsFile = None,
    secrets: SecretFiles = None,
    store: StoreUri = LOCAL_STORE,
    store_credentials: Credentials = None,
    as_json: AsJson = False,
) -> None:
    """Make a published release the current one: one that waits for its target, or an earlier one again.

    With a target its image and weights are brought there first; if they do not come to serve, what was there is put
    back (exit code 4) and the current release stays. The current release is brought there once more.

    Exit codes: 0 done; 1 its verdict is not signed by one of the platform's keys; 2, 4 the message says.

    Example: penstock promote sonic-lite 1.2.0 --reason "ready" --targets targets.yaml --secrets DIR --store s3://releases/penstock
    """
    from penstock.releases.acts import promote as make_current
    from penstock.store.open import existing_store

    opened = existing_store(store, store_credentials)
    serving = _serving(opened, targets, secrets, by)
    _say(make_current(opened, model, version, reason=reason, by=by, serving=serving), _unmoved, as_json)


def withdraw(
    model: Model,
    version: Version,
    reason: Reason,
    by: By = "",
    store: StoreUri = LOCAL_STORE,
    store_credentials: Credentials = None,
    as_json: AsJson = False,
) -> None:
    """Mark a release as one that nobody should use: it is never current or published again. Roll back first.

    Example: penstock withdraw sonic-lite 1.1.0 --reason "trained on data we may not use" --store s3://releases/penstock
    """
    from penstock.releases.acts import withdraw as mark
    from penstock.store.open import existing_store

    _say(mark(existing_store(store, store_credentials), model, version, reason=reason, by=by), _gone_before, as_json)


def _serving(store: Store, targets: Path | None, secrets: Path | None, by: str) -> Delivery | None:
    from penstock.targets.delivery import Delivery

    return Delivery(store, targets, secrets, by=by) if targets is not None else None


def _unmoved(act: Act) -> str:
    if act.target is not None:
        return f"{act.current.model}: {act.current.version} serves at the target '{act.target}', it was current already"
    move = act.current.became
    if move is not None and move.kind == "rolled back":
        since = f"rolled back to from {move.before} at {move.time} by {move.by}: {move.reason}"
        return (
            f"{act.current.model}: {act.current.version} is the current release already, {since}. Further: --to VERSION"
        )
    return f"{act.current.model}: {act.current.version} is the current release already"


def _gone_before(act: Act) -> str:
    gone = act.withdrawal
    since = f", at {gone.time} by {gone.by}: {gone.reason}" if gone is not None else ""
    return f"{act.current.model}: that version was withdrawn already{since}"


def _say(act: Act, already: Callable[[Act], str], as_json: bool) -> None:
    from penstock.foundation.errors import one_line

    move = act.move
    if as_json:
        entry = move or act.withdrawal
        done = entry.model_dump(mode="json", exclude={"schema_version", "model"}) if entry else None
        current = act.current.current_version
        whole = {"model": act.current.model, "current": current, "changed": move is not None, "entry": done}
        typer.echo(json.dumps(whole, indent=2))
    elif move is None:
        typer.echo(one_line(already(act)))
    elif move.kind == "withdrawn":
        stays = f"{move.before} stays current" if move.before is not None else "no release is current yet"
        typer.echo(one_line(f"{move.model}: {move.version} is withdrawn; {stays}"))
    else:
        serves = f"serves at the target '{act.target}' and " if act.target is not None else ""
        before = f"it was {move.before}" if move.before is not None else "the first"
        typer.echo(one_line(f"{move.model}: {move.version} {serves}is the current release now, {before}"))
