"""Probes of a canary that is named by its version: suite and answers are those of this release, from the store."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from penstock.evaluation.probe_calls import ProbeCalls, ProbedSuite, probed_suite
from penstock.foundation.errors import UsageError, WorldError, one_line
from penstock.releases.archived_answers import fetch_answers
from penstock.releases.baseline import published
from penstock.sources.git import clone
from penstock.store.store import Store
from penstock.watch.probe_pairs import ProbePair
from penstock.watch.probe_policy import ProbePolicy


@dataclass(frozen=True)
class RepositoryAccess:
    """How the repository of a release is opened."""

    credentials: Path | None = None
    """A basic-auth workspace, see :func:`penstock.sources.git_session.git_session`."""
    ssh: Path | None = None
    """An ssh-directory workspace, see there."""
    allow_http: bool = False
    allow_local: bool = False


@dataclass(frozen=True)
class ReleasedSuites:
    """What is put to each release of a model."""

    store: Store
    model: str
    folder: Path
    """Where the suite and the record lie: of one release, replaced by those of the next."""
    access: RepositoryAccess = RepositoryAccess()
    slice_name: str = ""
    """Only cases that carry it; empty: all."""

    def of(self, version: str) -> ProbedSuite:
        """Bring the suite at the commit of a release, and its answers.

        Raises:
            UsageError: it was never published; its suite cannot be put to a service, or its answers not compared.
            WorldError: the store or the repository cannot be reached, or has other files than those that were released.
        """
        release = published(self.store, self.model, version)
        if release is None:
            where, todo = f"{self.model} {one_line(version)[:80]}", "'penstock releases MODEL' lists what was released."
            raise UsageError("the store has no such release", where=where, todo=todo)
        access, source = self.access, self.folder / "source"
        cloned = clone(
            release.url,
            release.commit,
            source,
            credentials=access.credentials,
            ssh=access.ssh,
            allow_http=access.allow_http,
            allow_local=access.allow_local,
        )
        if cloned.tree != release.tree:
            what = "the files at its commit are not those that were released"
            todo = "Bring back the content of its Git LFS files and submodules."
            raise WorldError(what, where=f"{release.url} {cloned.commit[:12]}", todo=todo)
        record = fetch_answers(self.store, self.model, release, self.folder / "record")
        return probed_suite(source, record, slice_name=self.slice_name)


class ReleasedProbes:
    """Puts pairs of probes to whichever release is the canary. Use as a context manager.

    What a release needs is brought when the first pair of it is due, so that nobody who asks for a verdict waits for
    that, and tried again with the next pair where it failed.

    Args:
        suite_of: version → what is put, see :meth:`ReleasedSuites.of`.
        policy: where both sides are, and the seed.
        clock: Unix seconds; the watch's.
    """

    def __init__(
        self, suite_of: Callable[[str], ProbedSuite], policy: ProbePolicy, clock: Callable[[], float] = time.time
    ) -> None:
        self._suite_of, self._policy, self._clock = suite_of, policy, clock
        self._version, self._brought = "", ""
        self._calls: ProbeCalls | None = None
        self._open = contextlib.ExitStack()

    def __enter__(self) -> ReleasedProbes:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def choose(self, version: str) -> None:
        """Say which release is the canary from now on."""
        self._version = version

    def put(self, number: int) -> ProbePair:
        """As :meth:`penstock.evaluation.probe_calls.ProbeCalls.put`; a pair of a canary that is over is put anew.

        Raises:
            UsageError: as of :meth:`ReleasedSuites.of`.
            WorldError: as there, or the disk is full.
        """
        while True:
            version = self._version
            pair = self._calls_of(version).put(number)
            if version == self._version:
                return pair

    def _calls_of(self, version: str) -> ProbeCalls:
        if self._calls is None or self._brought != version:
            self._open.close()  # its files are about to be replaced
            self._calls = None
            self._calls = self._open.enter_context(ProbeCalls(self._suite_of(version), self._policy, self._clock))
            self._brought = version
        return self._calls
