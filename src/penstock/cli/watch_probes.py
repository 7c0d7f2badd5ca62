"""The probes of ``penstock watch``: put while somebody watches, or those that were kept."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.foundation.errors import UsageError

if TYPE_CHECKING:
    from penstock.watch.probe_journal import ProbeJournal
    from penstock.watch.records import RecordsSource
    from penstock.watch.watch_policy import WatchPolicy
    from penstock.watch.watcher import ProbeSource


@contextlib.contextmanager
def probes_of(
    rules: WatchPolicy, policy: Path, journal: ProbeJournal | None, *, growing: bool, clock: Callable[[], float]
) -> Iterator[ProbeSource | None]:
    """Where the pairs come from while the watch lasts; ``None``: the policy has no probes.

    Args:
        rules: the policy.
        policy: its file; paths in it are relative to where that lies.
        journal: see :func:`journal_of`.
        growing: the watch goes on for a while, so that there is time to put them.
        clock: Unix seconds; the one that the watch looks by.

    Raises:
        UsageError: suite, record or journal cannot be used.
    """
    from penstock.evaluation.probe_calls import ProbeCalls, read_probed_suite
    from penstock.watch.prober import KeptProbes, Prober

    if rules.probes is None or journal is None:
        yield None
    elif not growing:
        yield KeptProbes(journal)
    else:
        probed = read_probed_suite(rules.probes, policy.parent)
        with (
            ProbeCalls(probed, rules.probes, clock) as calls,
            Prober(rules.probes, calls.put, journal, clock) as prober,
        ):
            yield prober


def journal_of(rules: WatchPolicy, policy: Path, *, growing: bool) -> ProbeJournal | None:
    """The pairs that are there already; ``None``: the policy has no probes.

    Raises:
        UsageError: nothing is kept, and there is no time to put probes; the journal holds something else.
    """
    from penstock.watch.probe_journal import ProbeJournal

    if rules.probes is None:
        return None
    if not growing and rules.probes.journal is None:
        todo = "Give --follow or --serve; or 'probes.journal', and look at what another watch has put."
        raise UsageError("a single look has no time to put probes", where=str(policy), todo=todo)
    return ProbeJournal(policy.parent / rules.probes.journal if rules.probes.journal is not None else None)


def last_moment(log: RecordsSource | None, journal: ProbeJournal | None) -> float:
    """Of a single look, Unix seconds: that of the last record or pair, now where there is no log."""
    if log is None:
        return time.time()
    known = [at for at in (log.last_time, journal.last_time if journal is not None else None) if at is not None]
    return max(known, default=time.time())
