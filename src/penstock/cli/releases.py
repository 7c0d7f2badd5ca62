"""``penstock releases``: what was released of a model, by whom, and what became of it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penstock.local_run.run_folder import OUT

if TYPE_CHECKING:
    from penstock.releases.history import PublishedRelease, ReleaseHistory
    from penstock.releases.moves import Move

STORE_HELP = "Where the model is released: a directory or s3://bucket/prefix."
CREDENTIALS_HELP = "A directory with AWS_ACCESS_KEY_ID and so on; the environment by default."
VERDICT = "pass"
"""Of every release: nothing else is ever published."""
LOCAL_STORE = str(OUT / "store")


def releases(
    model: Annotated[str, typer.Argument(help="The model's name.")],
    store: Annotated[str, typer.Option(help=STORE_HELP)] = LOCAL_STORE,
    log: Annotated[bool, typer.Option("--log", help="What was done, entry by entry, with the reasons.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: the releases and the log.")] = False,
    store_credentials: Annotated[Path | None, typer.Option(help=CREDENTIALS_HELP)] = None,
) -> None:
    """List a model's releases, the newest first: version, commit, image, weights, verdict, when, who.

    The current one is marked. One that is published and waits for its target is not current yet: 'penstock promote'
    brings it there.

    Example: penstock releases sonic-lite --store s3://releases/penstock
    """
    from penstock.releases.history import history
    from penstock.store.open import existing_store

    found = history(existing_store(store, store_credentials), model)
    if as_json:
        typer.echo(json.dumps(as_object(found), indent=2))
    elif log:
        _print(
            ("no.", "when", "what", "version", "until then", "by", "reason"), [_log_cells(move) for move in found.moves]
        )
    else:
        titles = ("", "version", "commit", "image", "weights", "verdict", "released", "by", "")
        _print(titles, [_cells(release) for release in found.releases])


def as_object(found: ReleaseHistory) -> dict[str, Any]:
    """What ``--json`` prints."""
    return {
        "model": found.current.model,
        "current": found.current.current_version,
        "published": next((line.release.version for line in found.releases if line.withdrawn is None), None),
        "repository": found.current.repository,
        "releases": [_release_object(release) for release in found.releases],
        "log": [move.model_dump(mode="json", exclude={"schema_version", "model"}) for move in found.moves],
    }


def _release_object(found: PublishedRelease) -> dict[str, Any]:
    release, gone = found.release, found.withdrawn
    return {
        "version": release.version,
        "current": found.current,
        "target": release.target,
        "waits": found.waits,
        "commit": release.commit,
        "image": release.image.digest,
        "weights": {file.path: file.sha256 for file in release.weights},
        "use_onnx": release.use_onnx,
        "verdict": VERDICT,
        "run": release.run_id,
        "evidence": found.evidence,
        "replaces": release.replaces,
        "notes": release.notes,
        "by": found.published.by if found.published else None,
        "time": found.published.time if found.published else None,
        "withdrawn": {"reason": gone.reason, "by": gone.by, "time": gone.time} if gone else None,
    }


def _cells(found: PublishedRelease) -> tuple[str, ...]:
    release, entry = found.release, found.published
    weights = ", ".join(file.sha256[:12] for file in release.weights) or "–"
    state = f"withdrawn: {found.withdrawn.reason}" if found.withdrawn else ""
    if found.waits and not found.withdrawn:
        state = f"waits for its target '{release.target}'"
    when, who = (_minute(entry.time), entry.by) if entry else ("–", "–")
    mark = "→" if found.current else ""
    pair = (release.commit[:12], release.image.digest[:19], weights)
    return mark, release.version, *pair, VERDICT, when, who, state


def _log_cells(move: Move) -> tuple[str, ...]:
    return str(move.number), _minute(move.time), move.kind, move.version, move.before or "–", move.by, move.reason


def _minute(time: str) -> str:
    return time[:16].replace("T", " ")


def _print(titles: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from penstock.cli.gate import PLAIN_WIDTH
    from penstock.foundation.errors import one_line

    table = Table(*titles, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(one_line(cell)) for cell in row))
    Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH, highlight=False).print(table)
