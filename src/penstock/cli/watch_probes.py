"""The probes of ``penstock watch``: put while somebody watches, or those that were kept."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from penstock.foundation.errors import UsageError

if TYPE_CHECKING:
    from penstock.evaluation.released_probes import ReleasedSuites
    from penstock.watch.probe_journal import ProbeJournal
    from penstock.watch.records import RecordsSource
    from penstock.watch.watch_policy import WatchPolicy
    from penstock.watch.watcher import ProbeSource

_SWITCHES: Final = ("allow-http", "allow-local")
_WORKSPACES: Final = ("basic-auth", "ssh-directory")


@dataclass(frozen=True)
class ReleasesAt:
    """Where the releases of ``probes.model`` are, as the command line says it."""

    store: str
    credentials: Path | None
    params: Sequence[str] = ()
    workspaces: Sequence[str] = ()


@dataclass(frozen=True)
class WatchedProbes:
    """Where the pairs come from."""

    source: ProbeSource | None
    """``None``: the policy has no probes."""
    choose: Callable[[str], None]
    """Is told the version of the canary, empty if nobody says it.

    Raises:
        UsageError: the policy needs one, or knows none.
    """


@contextlib.contextmanager
def probes_of(
    rules: WatchPolicy,
    policy: Path,
    journal: ProbeJournal | None,
    *,
    growing: bool,
    clock: Callable[[], float],
    releases: ReleasesAt,
) -> Iterator[WatchedProbes]:
    """Where the pairs come from while the watch lasts.

    Args:
        rules: the policy.
        policy: its file; paths in it are relative to where that lies.
        journal: see :func:`journal_of`.
        growing: the watch goes on for a while, so that there is time to put them.
        clock: Unix seconds; the one that the watch looks by.
        releases: for ``probes.model``.

    Raises:
        UsageError: suite, record, journal or store cannot be used.
    """
    from penstock.evaluation.probe_calls import ProbeCalls, read_probed_suite
    from penstock.evaluation.released_probes import ReleasedProbes
    from penstock.watch.prober import KeptProbes, Prober

    probes = rules.probes
    if probes is None or journal is None:
        yield WatchedProbes(None, _any_version)
    elif not growing:
        yield WatchedProbes(KeptProbes(journal), _any_version)
    elif probes.model is None:
        with (
            ProbeCalls(read_probed_suite(probes, policy.parent), probes, clock) as calls,
            Prober(probes, calls.put, journal, clock) as prober,
        ):
            yield WatchedProbes(prober, _no_version)
    else:
        slice_name = probes.slice or ""
        with (
            tempfile.TemporaryDirectory(prefix="penstock-watch-") as folder,
            ReleasedProbes(_suites(probes.model, slice_name, releases, Path(folder)).of, probes, clock) as released,
            Prober(probes, released.put, journal, clock) as prober,
        ):

            def choose(version: str) -> None:
                if not version:
                    todo = "Ask for /verdict?since=TIME&version=1.2.0, or give --release 1.2.0."
                    raise UsageError("which release is the canary?", where="version", todo=todo)
                released.choose(version)

            yield WatchedProbes(prober, choose)


def _any_version(_version: str) -> None:
    """Users' requests, and pairs that were put before, are looked at whatever the release."""


def _no_version(version: str) -> None:
    if version:
        todo = "Leave it out, or write 'probes.model' in place of 'repository' and 'recorded'."
        raise UsageError("this policy names one suite, whatever the release", where="version", todo=todo)


def _suites(model: str, slice_name: str, releases: ReleasesAt, folder: Path) -> ReleasedSuites:
    from penstock.evaluation.released_probes import ReleasedSuites, RepositoryAccess
    from penstock.local_run.run_arguments import pairs, workspace_directories
    from penstock.steps.entrypoint import is_missing_secret
    from penstock.store.open import existing_store

    switches = pairs(releases.params, "--param")
    for name, value in switches.items():
        if name not in _SWITCHES or value not in ("true", "false"):
            todo = f"Of a canary there are {' and '.join(_SWITCHES)}, each true or false."
            raise UsageError(f"'{name}={value}' means nothing here", where="--param", todo=todo)
    workspaces = workspace_directories(releases.workspaces)
    if unknown := [name for name in workspaces if name not in _WORKSPACES]:
        todo = f"Of a canary there are {' and '.join(_WORKSPACES)}."
        raise UsageError(f"'{unknown[0]}' means nothing here", where="--workspace", todo=todo)
    given = {name: path for name, path in workspaces.items() if not is_missing_secret(path)}
    return ReleasedSuites(
        existing_store(releases.store, releases.credentials),
        model,
        folder,
        RepositoryAccess(
            given.get("basic-auth"),
            given.get("ssh-directory"),
            allow_http=switches.get("allow-http") == "true",
            allow_local=switches.get("allow-local") == "true",
            store=releases.credentials,
        ),
        slice_name,
    )


@contextlib.contextmanager
def journal_of(rules: WatchPolicy, policy: Path, *, growing: bool) -> Iterator[ProbeJournal | None]:
    """The pairs that are there already, while the watch lasts; ``None``: the policy has no probes.

    Raises:
        UsageError: nothing is kept, and there is no time to put probes; the journal holds something else, or another
            watch writes it.
    """
    from penstock.watch.probe_journal import ProbeJournal, journal_lock

    if rules.probes is None:
        yield None
        return
    path = policy.parent / rules.probes.journal if rules.probes.journal is not None else None
    if not growing and path is None:
        todo = "Give --follow or --serve; or 'probes.journal', and look at what another watch has put."
        raise UsageError("a single look has no time to put probes", where=str(policy), todo=todo)
    with journal_lock(path) if growing and path is not None else contextlib.nullcontext():
        yield ProbeJournal(path)


def last_moment(log: RecordsSource | None, journal: ProbeJournal | None) -> float:
    """Of a single look, Unix seconds: that of the last record or pair, now where there is no log."""
    if log is None:
        return time.time()
    known = [at for at in (log.last_time, journal.last_time if journal is not None else None) if at is not None]
    return max(known, default=time.time())
