"""What ``penstock watch --scheduled`` does: the current release is run again here, and compared with its evidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.bundle.drift_record import WATCH_TRACK, DriftRecord, write_drift
from penstock.bundle.failures import first_failure
from penstock.foundation.errors import ExitCode, PenstockError, UsageError, WorldError
from penstock.gating.drift import drift_of
from penstock.local_run.engine import Listening, measure_here
from penstock.local_run.exit_codes import track_exit_code
from penstock.local_run.own_pipelines import measuring_run
from penstock.local_run.run_arguments import free_params, is_local, repository_params, workspace_directories
from penstock.local_run.run_folder import OUT, begin, mark_refused, prepare
from penstock.local_run.run_names import made_up_name
from penstock.releases.watched_release import begin_watched, find_watched
from penstock.store.store import Store

OURS = ("url", "revision", "reuse", "weights", "image", "allow-local")
"""Parameters that the release itself says."""
RECORD_FOLDER = "released"
"""Below the run's folder: the evidence of the release."""


@dataclass(frozen=True)
class ScheduledWatch:
    """What is to be run again."""

    model: str
    out: Path = OUT
    python: str = ""
    params: tuple[str, ...] = ()
    workspaces: tuple[str, ...] = ()


@dataclass(frozen=True)
class WatchedRun:
    """What came of it."""

    drift: DriftRecord
    folder: Path
    """The run's."""


def run_again(
    watch: ScheduledWatch,
    store: Store,
    *,
    listening: Listening,
    say: Callable[[str], None],
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> WatchedRun:
    """Run the current release of a model over its suite, as it was released, and compare. The store is only read.

    Args:
        watch: which model, and where the run lies.
        store: where it is released.
        listening: opened while the pipeline runs.
        say: is told in a line what is run.
        now: the time.

    Raises:
        UsageError: an option is wrong, or no release is current.
        WorldError: the release cannot be run again, or the store or the machine failed.
        Interrupted: Ctrl-C.
    """
    params = free_params(watch.params, ours=OURS, by="the release")
    workspaces = workspace_directories(watch.workspaces, ours=("work",), by="--out")
    out = watch.out.absolute()
    prepare(out)
    folder = out / "runs" / made_up_name(f"watch-{watch.model}")
    begin(folder, {"what": "watch", "params": {"model": watch.model, "store": store.uri}, "workspaces": {}})
    bundle = Bundle(folder / "bundle")
    try:
        watched = find_watched(store, watch.model, folder / RECORD_FOLDER)
        release = watched.release
        params |= repository_params(release.url, watch.python) | {"revision": release.commit, "reuse": "false"}
        begin_watched(watched, bundle, run_id=folder.name)
        say(f"{release.model} {release.version}, as it was released by the run {release.run_id} ({folder})")
        run = measuring_run(folder.name, WATCH_TRACK)
        ended = measure_here(folder, run, params, workspaces | {"work": out}, listening=listening)
    except UsageError:
        mark_refused(folder)
        raise
    if not ended.succeeded:
        raise _failed(bundle, track_exit_code(ended), ended.message, local=is_local(release.url))
    drift = drift_of(watched.evidence, bundle, version=release.version, now=now())
    write_drift(bundle, drift)
    return WatchedRun(drift, folder)


def _failed(bundle: Bundle, code: ExitCode, message: str, *, local: bool) -> PenstockError:
    """Why it could not be run again. It was accepted once: whatever it is, the world has changed, or failed."""
    failure = first_failure(bundle)
    step = f", {failure.step}" if failure is not None else ""
    told = failure.error if failure is not None else message
    if code == ExitCode.BUG:
        return PenstockError(told, where=f"watch{step}")
    todo = "Its repository is a path of this machine: run it where that is." if local else ""
    return WorldError(f"the release cannot be run again: {told}", where=f"watch{step}", todo=todo)
