"""``penstock track``: a run and its model's releases brought to MLflow, or brought up to date there."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penstock.cli.releases import CREDENTIALS_HELP
from penstock.local_run.run_folder import OUT

if TYPE_CHECKING:
    from penstock.bundle.directory import Bundle
    from penstock.store.store import Store


def track(
    run: Annotated[str, typer.Argument(help="The run: its name, or its bundle's directory; with --model, its id.")],
    mlflow: Annotated[
        str, typer.Option(envvar="MLFLOW_TRACKING_URI", help="The tracking server: https://HOST[:PORT].")
    ],
    model: Annotated[str, typer.Option(help="The model's name: the run is read from the store, wherever it ran.")] = "",
    runs: Annotated[Path, typer.Option(help="Where runs of this machine lie.")] = OUT,
    store: Annotated[str, typer.Option(help="Where releases are kept; RUNS/store by default.")] = "",
    store_credentials: Annotated[Path | None, typer.Option(help=CREDENTIALS_HELP)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show a run in MLflow, with its model's releases and the alias of the current one. It may be repeated at any time.

    A token or a password comes from MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD.

    Example: penstock track release-7 --mlflow https://mlflow.example.org --model sonic --store s3://releases/penstock
    """
    from penstock.foundation.errors import one_line
    from penstock.store.archive import run_key
    from penstock.tracking.mlflow_api import Mlflow, mlflow_at
    from penstock.tracking.track import follow_release, track_run

    server = Mlflow(mlflow_at(mlflow))
    opened = _store(store, store_credentials, runs)
    with tempfile.TemporaryDirectory() as folder:
        bundle = _bundle(run, model, runs, opened, Path(folder))
        found = bundle.run()
        key = run_key(found.model, found.run_id)
        archived = opened is not None and opened.digest(f"{key}/manifest.json") is not None
        tracked = track_run(server, bundle, opened.location(key) if opened is not None and archived else "")
    followed = follow_release(server, opened, found.model) if opened is not None else None
    if as_json:
        release = {"release": followed.release, "version": followed.version} if followed is not None else None
        typer.echo(json.dumps({"run": tracked.run, "changed": tracked.changed, "current": release}, indent=2))
        return
    typer.echo(one_line(f"run {found.run_id}: {'written' if tracked.changed else 'was there'} as {tracked.run}"))
    if followed is not None:
        now = "is now" if followed.changed else "was there"
        typer.echo(one_line(f"{found.model}@current: release {followed.release}, version {followed.version}, {now}"))


def _store(location: str, credentials: Path | None, runs: Path) -> Store | None:
    from penstock.store.open import existing_store

    if location:
        return existing_store(location, credentials)
    own = runs / "store"
    return existing_store(own) if own.is_dir() else None


def _bundle(run: str, model: str, runs: Path, store: Store | None, folder: Path) -> Bundle:
    """The run's records: from this machine, or with the model's name from the store."""
    from penstock.bundle.directory import Bundle
    from penstock.foundation.errors import UsageError
    from penstock.local_run.run_names import find_bundle
    from penstock.store.archive import fetch
    from penstock.tracking.track import RECORDS

    if not model:
        path = find_bundle(run, out=runs, store="")
        if path.is_dir():
            return Bundle(path)
        raise UsageError("this run is in the store", where=run, todo="Say whose it is: --model NAME.")
    if store is None:
        raise UsageError("there is no store", where=str(runs / "store"), todo="Say --store s3://bucket/prefix.")
    return fetch(store, model, run, folder, only=RECORDS)
