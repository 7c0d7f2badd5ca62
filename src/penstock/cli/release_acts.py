"""``penstock rollback``, ``promote``, ``withdraw``: what people do with published releases."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penstock.cli.releases import CREDENTIALS_HELP, LOCAL_STORE, STORE_HELP

if TYPE_CHECKING:
    from penstock.notices.audience import Audience
    from penstock.notices.notify import Told
    from penstock.releases.acts import Act
    from penstock.store.store import Store
    from penstock.targets.delivery import Delivery
    from penstock.targets.news import News
    from penstock.tracking.mlflow_api import Mlflow

Model = Annotated[str, typer.Argument(help="The model's name.")]
Version = Annotated[str, typer.Argument(help="The release: 'penstock releases MODEL' lists them.")]
Reason = Annotated[str, typer.Option(help="Why; it stays on record.")]
PromotionReason = Annotated[str, typer.Option(help="Why, if there is more to say than that its verdict stands.")]
By = Annotated[str, typer.Option(help="Who says so; user and machine by default.")]
StoreUri = Annotated[str, typer.Option("--store", help=STORE_HELP)]
ActedStore = Annotated[
    str, typer.Option("--store", help=f"{STORE_HELP} By default what targets.yaml names, else {LOCAL_STORE}.")
]
Credentials = Annotated[Path | None, typer.Option("--store-credentials", help=CREDENTIALS_HELP)]
Notify = Annotated[
    Path | None, typer.Option(help="Who is told: a file with one address a line, or a folder with 'urls' and 'links'.")
]
MlflowUrl = Annotated[str, typer.Option(help="An MLflow server whose alias 'current' follows.")]
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
    store: ActedStore = "",
    store_credentials: Credentials = None,
    notify: Notify = None,
    mlflow: MlflowUrl = "",
    as_json: AsJson = False,
) -> None:
    """Make an earlier release the current one again, which the next release is judged against.

    With a target it is served there first. Given twice it goes back once: to go further back, say --to. With --to the
    current release is brought to its target once more: for a target that could not be put back. Waivers that are over
    since do not stop a rollback.

    Example: penstock rollback sonic-lite --reason "users see flicker" --store s3://releases/penstock
    """
    from penstock.notices.audience import open_audience
    from penstock.releases.acts import roll_back

    audience, opened, server = open_audience(notify), acted_store(targets, store, store_credentials), _mlflow(mlflow)
    serving = _serving(opened, targets, secrets, by, audience)
    act = roll_back(opened, model, to or None, reason=reason, by=by, serving=serving)
    _say(act, partial(_unmoved, named=bool(to)), audience, as_json)
    _follow(server, opened, model)


def promote(
    model: Model,
    version: Version,
    reason: PromotionReason = "",
    by: By = "",
    targets: TargetsFile = None,
    secrets: SecretFiles = None,
    store: ActedStore = "",
    store_credentials: Credentials = None,
    notify: Notify = None,
    mlflow: MlflowUrl = "",
    as_json: AsJson = False,
) -> None:
    """Make a published release the current one: one that waits for its target, or an earlier one again.

    With a target its image and weights are brought there first; if they do not come to serve, what was there is put
    back (exit code 4) and the current release stays. The current release is brought there once more.

    Exit codes: 0 done; 1 its verdict is not signed by one of the platform's keys, or a waiver in it is over; 3 its
    canary was not decided; 2, 4 the message says.

    Example: penstock promote sonic-lite 1.2.0 --reason "ready" --targets targets.yaml --secrets DIR --store s3://releases/penstock
    """
    from penstock.notices.audience import open_audience
    from penstock.releases.acts import promote as make_current

    audience, opened, server = open_audience(notify), acted_store(targets, store, store_credentials), _mlflow(mlflow)
    serving = _serving(opened, targets, secrets, by, audience)
    act = make_current(opened, model, version, reason=reason, by=by, serving=serving)
    _say(act, partial(_unmoved, named=True), audience, as_json)
    _follow(server, opened, model)


def withdraw(
    model: Model,
    version: Version,
    reason: Reason,
    by: By = "",
    store: StoreUri = LOCAL_STORE,
    store_credentials: Credentials = None,
    notify: Notify = None,
    mlflow: MlflowUrl = "",
    as_json: AsJson = False,
) -> None:
    """Mark a release as one that nobody should use: it is never current or published again. Roll back first.

    Example: penstock withdraw sonic-lite 1.1.0 --reason "trained on data we may not use" --store s3://releases/penstock
    """
    from penstock.notices.audience import open_audience
    from penstock.releases.acts import withdraw as mark
    from penstock.store.open import existing_store

    audience, opened, server = open_audience(notify), existing_store(store, store_credentials), _mlflow(mlflow)
    act = mark(opened, model, version, reason=reason, by=by)
    _say(act, _gone_before, audience, as_json)
    _follow(server, opened, model)


def acted_store(targets: Path | None, store: str, credentials: Path | None) -> Store:
    """The store that a command acts on: the platform's, if ``targets.yaml`` names one."""
    from penstock.store.open import existing_store
    from penstock.targets.platform_store import platform_store

    return existing_store(platform_store(targets, store) or LOCAL_STORE, credentials)


def _mlflow(url: str) -> Mlflow | None:
    """The server, looked at before anything is done."""
    from penstock.tracking.mlflow_api import Mlflow, mlflow_at

    return Mlflow(mlflow_at(url)) if url else None


def _follow(server: Mlflow | None, store: Store, model: str) -> None:
    """Let MLflow's alias follow; also where nothing had to be done, since it may have been missed then."""
    from penstock.foundation.errors import PenstockError
    from penstock.tracking.track import follow_release

    if server is None:
        return
    try:
        follow_release(server, store, model)
    except PenstockError as error:
        typer.echo(f"warning: {error}", err=True)


def _serving(store: Store, targets: Path | None, secrets: Path | None, by: str, audience: Audience) -> Delivery | None:
    from penstock.notices.audience import tell_news
    from penstock.targets.delivery import Delivery

    def heard(news: News) -> None:
        if error := tell_news(audience, news).error():
            typer.echo(f"warning: {error}", err=True)

    return Delivery(store, targets, secrets, by=by, heard=heard) if targets is not None else None


def _unmoved(act: Act, *, named: bool) -> str:
    if act.target is not None:
        return f"{act.current.model}: {act.current.version} serves at the target '{act.target}', it was current already"
    release = act.current.release
    where = release.target if release is not None else None
    if named and where is not None:
        todo = f"to bring it to its target '{where}' once more, say --targets targets.yaml"
        return f"{act.current.model}: {act.current.version} is the current release already; {todo}"
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


def _say(act: Act, already: Callable[[Act], str], audience: Audience, as_json: bool) -> None:
    """Show what was done, then tell the others: if somebody is not told, it is done all the same."""
    from penstock.notices.audience import tell_act

    if as_json:
        told = tell_act(audience, act)
        typer.echo(json.dumps(_as_json(act, told), indent=2))
    else:
        typer.echo(_in_words(act, already))
        told = tell_act(audience, act)
    error = told.error()
    if error is not None:
        typer.echo(f"warning: {error}", err=True)


def _as_json(act: Act, told: Told) -> dict[str, object]:
    entry = act.move or act.withdrawal
    return {
        "model": act.current.model,
        "current": act.current.current_version,
        "changed": act.move is not None,
        "entry": entry.model_dump(mode="json", exclude={"schema_version", "model"}) if entry else None,
        "told": told.sent,
    }


def _in_words(act: Act, already: Callable[[Act], str]) -> str:
    from penstock.foundation.errors import one_line

    move = act.move
    if move is None:
        return one_line(already(act))
    if move.kind == "withdrawn":
        stays = f"{move.before} stays current" if move.before is not None else "no release is current yet"
        return one_line(f"{move.model}: {move.version} is withdrawn; {stays}")
    serves = f"serves at the target '{act.target}' and " if act.target is not None else ""
    before = f"it was {move.before}" if move.before is not None else "the first"
    return one_line(f"{move.model}: {move.version} {serves}is the current release now, {before}")
