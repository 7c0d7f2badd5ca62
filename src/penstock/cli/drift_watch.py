"""``penstock watch --scheduled``: the current release is run again, and compared with its own record."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from penstock.cli.drift_display import drift_exit_code, drift_lines

if TYPE_CHECKING:
    from penstock.local_run.scheduled_watch import ScheduledWatch


def watch_release(
    watch: ScheduledWatch,
    store: str,
    store_credentials: Path | None,
    notify: Path | None,
    *,
    quiet: bool,
    as_json: bool,
) -> int:
    """Run it, show what moved, tell the receivers; the command's exit code.

    Whom nobody can tell is a line on standard error: what moved is in the bundle either way.
    """
    from functools import partial

    from penstock.cli.run_display import Display, progress_line
    from penstock.local_run.scheduled_watch import run_again
    from penstock.notices.audience import open_audience, tell_drift
    from penstock.store.open import existing_store

    audience, opened = open_audience(notify), existing_store(store, store_credentials)
    done = run_again(watch, opened, listening=partial(Display, quiet=quiet), say=partial(progress_line, quiet=quiet))
    typer.echo(done.drift.model_dump_json(indent=2) if as_json else "\n".join(drift_lines(done.drift)))
    if (error := tell_drift(audience, done.drift).error()) is not None:
        sys.stderr.write(f"note: {error}\n")
    return drift_exit_code(done.drift)
