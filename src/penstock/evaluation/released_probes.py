"""Probes of a canary that is named by its version: suite and answers are those of this release, from the store."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from penstock.contract.placed_suite import suite_from_elsewhere
from penstock.evaluation.probe_calls import ProbeCalls, ProbedSuite, probed_suite
from penstock.foundation.errors import PenstockError, UsageError, WorldError, one_line
from penstock.foundation.files import disk_errors
from penstock.releases.archived_answers import fetch_answers
from penstock.releases.baseline import published
from penstock.sources.git import clone
from penstock.store.store import Store
from penstock.suites.provided_suite import provide_suite
from penstock.suites.suite_fetch import SuiteAccess
from penstock.watch.probe_pairs import ProbePair
from penstock.watch.probe_policy import ProbePolicy

RETRY_S: Final = 30.0
"""A store or a repository that has failed is not asked again for so long."""


@dataclass(frozen=True)
class RepositoryAccess:
    """How the repository of a release is opened, and a suite that lies elsewhere."""

    credentials: Path | None = None
    """A basic-auth workspace, see :func:`penstock.sources.git_session.git_session`."""
    ssh: Path | None = None
    """An ssh-directory workspace, see there."""
    allow_http: bool = False
    allow_local: bool = False
    store: Path | None = None
    """For a suite on S3, see :func:`penstock.store.s3_client.s3_client`."""


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
            UsageError: it was never published; its suite cannot be put to a service, or is a workspace of the run; its
                answers cannot be compared.
            WorldError: the store, the repository or what holds the suite cannot be reached, or has other files than
                those that were released; a suite of a registry needs skopeo.
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
        self._bring_suite(source, release.url)
        record = fetch_answers(self.store, self.model, release, self.folder / "record")
        return probed_suite(source, record, slice_name=self.slice_name)

    def _bring_suite(self, source: Path, url: str) -> None:
        """Put a suite that lies elsewhere into the clone."""
        elsewhere = suite_from_elsewhere(source)
        if elsewhere is None:
            return
        if elsewhere.kind == "workspace":
            what = "the suite is bound by each run, and nothing says where a watch would find it"
            todo = "Write 'repository' and 'recorded' in place of 'probes.model'."
            raise UsageError(what, where=elsewhere.text, todo=todo)
        access = SuiteAccess(
            repository=url,
            basic_auth=self.access.credentials,
            ssh=self.access.ssh,
            allow_http=self.access.allow_http,
            store_credentials=self.access.store,
        )
        # nothing is kept for another release: the disk would fill up with their suites
        with disk_errors(self.folder), tempfile.TemporaryDirectory(prefix="suite-", dir=self.folder) as workshop:
            provide_suite(elsewhere, source, Path(workshop), access, fresh=True)


class ReleasedProbes:
    """Puts pairs of probes to whichever release is the canary. Use as a context manager.

    What a release needs is brought when the first pair of it is due, so that nobody who asks for a verdict waits for
    that, and tried again after a while where it failed.

    Args:
        suite_of: version → what is put, see :meth:`ReleasedSuites.of`.
        policy: where both sides are, and the seed.
        clock: Unix seconds; the watch's.
        retry_s: how long what has failed is not tried again.
    """

    def __init__(
        self,
        suite_of: Callable[[str], ProbedSuite],
        policy: ProbePolicy,
        clock: Callable[[], float] = time.time,
        *,
        retry_s: float = RETRY_S,
    ) -> None:
        self._suite_of, self._policy, self._clock, self._retry_s = suite_of, policy, clock, retry_s
        self._version, self._asked = "", ""
        self._calls: ProbeCalls | None = None
        self._failure: PenstockError | None = None
        self._again = 0.0
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
        if self._asked == version and self._calls is not None:
            return self._calls
        if self._asked == version and self._failure is not None and time.monotonic() < self._again:
            raise self._failure.with_traceback(None)
        self._open.close()  # its files are about to be replaced
        self._asked, self._calls, self._failure = version, None, None
        try:
            self._calls = self._open.enter_context(ProbeCalls(self._suite_of(version), self._policy, self._clock))
        except PenstockError as error:
            self._failure, self._again = error, time.monotonic() + self._retry_s
            raise
        return self._calls
