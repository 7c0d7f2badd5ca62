"""What ``penstock bisect`` does: the row of commits, the suite of all of them, the search."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from penstock import __version__
from penstock.bisect.bisection import Bisector, Watcher
from penstock.bisect.commit_runs import CommitRuns
from penstock.bisect.commits import Commit, open_history, repository_root
from penstock.bisect.fixed_suite import Reference, load_reference
from penstock.bisect.library import Library
from penstock.bisect.pipeline import REFERENCE
from penstock.bisect.question import Question, question
from penstock.bisect.saved_bisection import Bisection, Outcome
from penstock.contract.placed_suite import suite_from_elsewhere
from penstock.foundation.errors import ExitCode, Interrupted, UsageError
from penstock.foundation.files import disk_errors, sha256_json
from penstock.local_run.policy_file import policy_at
from penstock.local_run.run_arguments import free_params, is_local, workspace_directories
from penstock.local_run.run_folder import OUT, prepare
from penstock.sources.git import clone
from penstock.sources.image_registry import authfile
from penstock.store.open import open_store
from penstock.store.store import Store
from penstock.suites.provided_suite import provide_suite
from penstock.suites.suite_fetch import SuiteAccess

CODES: Mapping[Outcome, ExitCode] = {
    "found": ExitCode.OK,
    "not worse": ExitCode.REJECTED,
    "inconclusive": ExitCode.INCONCLUSIVE,
    "suspects": ExitCode.INCONCLUSIVE,
}
OURS = ("url", "revision", "slice", "image")
"""Parameters that a bisection sets itself: each commit has an image of its own."""
Watching = Callable[[Question], AbstractContextManager[Watcher]]
"""Opened once it is known what is asked; what it yields is told what happens."""


@dataclass(frozen=True)
class Options:
    """The options of ``penstock bisect``, as they were given."""

    repo: str
    good: str
    bad: str
    metric: str
    slice_name: str = ""
    margin: str = ""
    policy: Path | None = None
    store: str = ""
    out: Path = OUT
    reuse: bool = True
    retry: bool = False
    params: tuple[str, ...] = ()
    workspaces: tuple[str, ...] = ()


@dataclass(frozen=True)
class Repository:
    """Where commits come from."""

    url: str
    local: bool
    allow_http: bool
    credentials: Path | None
    ssh: Path | None


@dataclass(frozen=True)
class FinishedBisection:
    """A bisection that came to its end."""

    bisection: Bisection
    asked: Question
    record: Path
    """The file that holds the bisection."""

    @property
    def code(self) -> ExitCode:
        """The exit code that tells how it ended."""
        assert self.bisection.outcome is not None  # noqa: S101
        return CODES[self.bisection.outcome]


def carry_out(options: Options, *, watching: Watching) -> FinishedBisection:
    """Find the commit.

    Args:
        options: as they were given.
        watching: opened while commits are run and compared.

    Raises:
        UsageError: an option, a revision, the contract or the policy is wrong; the good commit is not an ancestor of
            the bad one, or breaks the rule itself.
        WorldError: the repository or the store cannot be reached; the good or the bad commit cannot be run.
        Interrupted: Ctrl-C; the same command goes on.
    """
    params = free_params(options.params, ours=OURS, by="the bisection")
    workspaces = workspace_directories(options.workspaces, ours=("work", REFERENCE), by="the bisection")
    if not options.reuse:
        params = {"reuse": "false"} | params
    repository = _repository(options.repo, params, workspaces)
    out = options.out.absolute()
    prepare(out)
    try:
        return _find(options, repository, out, params, workspaces, watching)
    except (Interrupted, KeyboardInterrupt):
        raise Interrupted(
            "interrupted; what was found out is kept", where="bisect", todo="Give the same command again to go on."
        ) from None


def _find(
    options: Options,
    repository: Repository,
    out: Path,
    params: Mapping[str, str],
    workspaces: Mapping[str, Path],
    watching: Watching,
) -> FinishedBisection:
    row = _row(options, repository, out / "bisect" / "history")
    ends = [repository.url, row[0].hash, row[-1].hash]
    checkout = out / "bisect" / "references" / sha256_json(ends[::2])[:12]
    reference = _reference(options, repository, row[-1], checkout, _access(repository, params, workspaces))
    asked = _question(options, reference)
    wanted = [*ends, asked.policy.model_dump(mode="json"), params, options.slice_name, __version__]
    folder = out / "bisect" / sha256_json(wanted)[:12]
    with _alone(folder), watching(asked) as watcher:
        library = Library(
            reference,
            options.metric,
            runs=out / "runs",
            store=_store(options, out) if options.reuse else None,
            folder=out / "bisect" / "archived",
            image=bool(params.get("registry")) and params.get("build-mode") != "process",
        )
        if options.reuse:
            library.look()
        runs = CommitRuns(out, repository.url, reference, row[-1], params, workspaces, listening=watcher.run)
        record = folder / "bisect.json"
        bisector = Bisector(
            row,
            asked,
            reference,
            library,
            runs.run,
            repository=repository.url,
            record=record,
            retry=options.retry,
            watcher=watcher,
        )
        return FinishedBisection(bisector.find(), asked, record)


def _repository(repo: str, params: Mapping[str, str], workspaces: Mapping[str, Path]) -> Repository:
    if not repo:
        raise UsageError("the repository is empty", where="--repo", todo="Give a URL or a path.")
    local = is_local(repo)
    url = str(repository_root(Path(repo))) if local else repo
    allow_http = params.get("allow-http") == "true"
    return Repository(url, local, allow_http, workspaces.get("basic-auth"), workspaces.get("ssh-directory"))


def _row(options: Options, repository: Repository, folder: Path) -> list[Commit]:
    """The good commit, those after it, the bad one last."""
    directory = folder / f"{sha256_json(repository.url)[:12]}.git"
    with (
        _alone(directory.with_suffix(".lock"), wait=True),
        open_history(
            repository.url,
            directory,
            allow_local=repository.local,
            allow_http=repository.allow_http,
            credentials=repository.credentials,
            ssh=repository.ssh,
        ) as history,
    ):
        good = history.commit(options.good, "--good")
        bad = history.commit(options.bad, "--bad")
        return history.between(good, bad)


def _access(repository: Repository, params: Mapping[str, str], workspaces: Mapping[str, Path]) -> SuiteAccess:
    """What brings the bad commit's suite, if that lies elsewhere."""
    return SuiteAccess(
        repository=repository.url,
        basic_auth=repository.credentials,
        ssh=repository.ssh,
        allow_http=repository.allow_http,
        store_credentials=workspaces.get("store-credentials"),
        authfile=authfile(workspaces.get("registry-credentials")),
        tls_verify=params.get("tls-verify") != "false",
        bound=workspaces.get("suite"),
    )


def _reference(
    options: Options, repository: Repository, bad: Commit, directory: Path, access: SuiteAccess
) -> Reference:
    """Check the bad commit out: its suite and extractors are what all are measured with."""
    clone(
        repository.url,
        bad.hash,
        directory,
        allow_local=repository.local,
        allow_http=repository.allow_http,
        credentials=repository.credentials,
        ssh=repository.ssh,
    )
    if (source := suite_from_elsewhere(directory)) is not None:
        provide_suite(source, directory, options.out.absolute() / "cache", access, fresh=True)
    try:
        return load_reference(directory, options.slice_name)
    except UsageError as error:
        raise UsageError(error.what, where=f"{bad.hash[:12]} (--bad): {error.where}", todo=error.todo) from None


def _question(options: Options, reference: Reference) -> Question:
    directory, policy, where = reference.directory, reference.contract.policy, "the policy of --bad"
    if options.policy is not None:
        directory, policy, where = options.policy.parent, policy_at(options.policy), str(options.policy)
    return question(
        policy,
        directory,
        options.metric,
        slice_name=options.slice_name or None,
        margin=options.margin,
        where=where,
    )


def _store(options: Options, out: Path) -> Store | None:
    """The store to look into; it is never made, and nothing is ever written to it."""
    location = options.store or str(out / "store")
    if location.startswith("s3://"):
        return open_store(location)
    if not Path(location).is_dir():
        if options.store:
            raise UsageError("there is no store", where=f"--store {location}", todo="Check the path, or leave it out.")
        return None
    return open_store(Path(location).absolute())


@contextlib.contextmanager
def _alone(folder: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold a folder's lock.

    Raises:
        UsageError: another process holds it, and it is not waited for.
    """
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise UsageError(
                "this bisection is going on in another process", where=str(folder), todo="Wait for it, or stop it."
            ) from None
        yield
    finally:
        os.close(handle)
