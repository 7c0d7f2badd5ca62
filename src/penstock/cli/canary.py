"""``penstock canary status``, ``pause``, ``resume``, ``abort``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penstock.cli.release_acts import ActedStore, AsJson, By, Credentials, Reason, SecretFiles, acted_store

if TYPE_CHECKING:
    from penstock.store.store import Store
    from penstock.targets.canary import CanaryState
    from penstock.targets.canary_acts import Act, Canary, CanaryAct

Named = Annotated[str, typer.Argument(metavar="TARGET", help="A target of kind rollout, or the model that it serves.")]
TargetsFile = Annotated[Path, typer.Option("--targets", help="The platform's targets.yaml.")]


def status(named: Named, targets: TargetsFile, secrets: SecretFiles = None, as_json: AsJson = False) -> None:
    """Say how far a canary is. Nothing is changed.

    Example: penstock canary status studio --targets targets.yaml
    """
    canary = _canary(named, targets, secrets)
    state, control = canary.state(), canary.control()
    if as_json:
        beside = {"control_pods": control.pods, "control_weight": control.weight}
        typer.echo(json.dumps(_as_json(canary.target, state) | beside, indent=2))
        return
    said = "; ".join(filter(None, (state.told(), control.told(under_way=state.under_way))))
    typer.echo(f"{canary.target}: {said}")


def pause(
    named: Named,
    reason: Reason,
    targets: TargetsFile,
    by: By = "",
    secrets: SecretFiles = None,
    store: ActedStore = "",
    store_credentials: Credentials = None,
    as_json: AsJson = False,
) -> None:
    """Keep a canary at its share of the users. The promotion waits, until its time is over.

    Example: penstock canary pause studio --reason "a storm of traffic" --targets targets.yaml --store s3://releases/penstock
    """
    _do("pause", named, reason, by, targets, secrets, store, store_credentials, as_json)


def resume(
    named: Named,
    reason: Reason,
    targets: TargetsFile,
    by: By = "",
    secrets: SecretFiles = None,
    store: ActedStore = "",
    store_credentials: Credentials = None,
    as_json: AsJson = False,
) -> None:
    """Let a canary go on. Where its watch could not tell, it looks once more: nothing is promoted without it.

    Example: penstock canary resume studio --reason "more traffic now" --targets targets.yaml --store s3://releases/penstock
    """
    _do("resume", named, reason, by, targets, secrets, store, store_credentials, as_json)


def abort(
    named: Named,
    reason: Reason,
    targets: TargetsFile,
    by: By = "",
    secrets: SecretFiles = None,
    store: ActedStore = "",
    store_credentials: Credentials = None,
    as_json: AsJson = False,
) -> None:
    """Stop a canary: all users are back on the release that serves everybody. The promotion fails, and puts it back.

    Example: penstock canary abort studio --reason "faces are green" --targets targets.yaml --store s3://releases/penstock
    """
    _do("abort", named, reason, by, targets, secrets, store, store_credentials, as_json)


def _do(
    act: Act,
    named: str,
    reason: str,
    by: str,
    targets: Path,
    secrets: Path | None,
    store: str,
    store_credentials: Path | None,
    as_json: bool,
) -> None:
    from functools import cache

    @cache
    def opened() -> Store:
        return acted_store(targets, store, store_credentials)

    if act != "abort":  # who stops a canary must not stumble over the store first
        opened()
    done = _canary(named, targets, secrets).do(act, opened, reason=reason, by=by)
    typer.echo(json.dumps(_done_json(done), indent=2) if as_json else _in_words(act, done))


def _canary(named: str, targets: Path, secrets: Path | None) -> Canary:
    from penstock.targets.canary_acts import Canary
    from penstock.targets.targets_file import load_targets

    return Canary(load_targets(targets), named, secrets, where=str(targets))


def _in_words(act: Act, done: CanaryAct) -> str:
    state = done.state
    if done.entry is None:
        return f"{done.target}: nothing to {act}: {state.told()}"
    past = {"pause": "is paused", "resume": "goes on", "abort": "is stopped"}[act]
    return f"{done.target}: the canary {state.model} {state.version} {past}, it was at {state.weight} %"


def _done_json(done: CanaryAct) -> dict[str, object]:
    entry = done.entry.model_dump(mode="json", exclude={"schema_version", "model"}) if done.entry else None
    return _as_json(done.target, done.state) | {"changed": entry is not None, "entry": entry}


def _as_json(target: str, state: CanaryState) -> dict[str, object]:
    return {
        "target": target,
        "model": state.model,
        "version": state.version,
        "run": state.run_id,
        "since": state.since,
        "state": state.word,
        "weight": state.weight,
        "step": state.step,
        "steps": state.steps,
        "analysis": state.analysis,
        "message": state.message,
    }
