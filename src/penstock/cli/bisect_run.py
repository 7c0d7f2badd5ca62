"""What ``penstock bisect`` does: the row of commits, the suite, the engine for each commit, the exit code."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from penstock import __version__
from penstock.bisect.bisection import Bisector, Failed
from penstock.bisect.commits import Commit, open_history, repository_root
from penstock.bisect.fixed_suite import Reference, load_reference
from penstock.bisect.library import Library
from penstock.bisect.pipeline import REFERENCE, pipeline_run
from penstock.bisect.question import Question, question
from penstock.bundle.directory import Bundle
from penstock.bundle.failures import first_failure
from penstock.cli.bisect_display import BisectDisplay, show_end
from penstock.cli.run_request import SCHEME, environment, manifests, pairs, track_exit_code
from penstock.foundation.errors import ExitCode, Interrupted, UsageError, WorldError
from penstock.foundation.files import disk_errors, sha256_json, write_json
from penstock.local_run.policy_file import policy_at
from penstock.local_run.run_folder import OUT, prepare
from penstock.local_run.run_python import python_params
from penstock.local_run.run_scratch import scratch
from penstock.sources.git import clone
from penstock.store.open import open_store
from penstock.store.store import Store
from penstock.tekton.load_manifests import load_pipeline
from penstock.tekton.runner import run_pipeline

OURS = ("url", "revision", "slice")
"""Parameters that a bisection sets itself."""
CODES = {
    "found": ExitCode.OK,
    "not worse": ExitCode.REJECTED,
    "inconclusive": ExitCode.INCONCLUSIVE,
    "suspects": ExitCode.INCONCLUSIVE,
}


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
    as_json: bool = False
    verbose: bool = False
    quiet: bool = False


@dataclass(frozen=True)
class Repository:
    """Where commits come from."""

    url: str
    local: bool
    allow_http: bool
    credentials: Path | None
    ssh: Path | None


def carry_out(options: Options) -> int:
    """Find the commit; returns the exit code.

    Raises:
        UsageError: an option, a revision, the contract or the policy is wrong; the good commit is not an ancestor of
            the bad one, or breaks the rule itself.
        WorldError: the repository or the store cannot be reached; the good or the bad commit cannot be run.
        Interrupted: Ctrl-C; the same command goes on.
    """
    params, workspaces = pairs(options.params, "--param"), _workspaces(options)
    if own := [name for name in OURS if name in params]:
        raise UsageError(f"'{own[0]}' is set by the bisection", where="--param", todo="Leave it out.")
    if not options.reuse:
        params = {"reuse": "false"} | params
    repository = _repository(options.repo, params, workspaces)
    out = options.out.absolute()
    prepare(out)
    try:
        return _find(options, repository, out, params, workspaces)
    except (Interrupted, KeyboardInterrupt):
        raise Interrupted(
            "interrupted; what was found out is kept", where="bisect", todo="Give the same command again to go on."
        ) from None


def _find(
    options: Options, repository: Repository, out: Path, params: dict[str, str], workspaces: dict[str, Path]
) -> int:
    row = _row(options, repository, out / "bisect" / "history")
    ends = [repository.url, row[0].hash, row[-1].hash]
    checkout = out / "bisect" / "references" / sha256_json(ends[::2])[:12]
    reference = _reference(options, repository, row[-1], checkout)
    asked = _question(options, reference)
    wanted = [*ends, asked.policy.model_dump(mode="json"), params, options.slice_name, __version__]
    folder = out / "bisect" / sha256_json(wanted)[:12]
    with _alone(folder), BisectDisplay(asked, quiet=options.quiet, verbose=options.verbose) as display:
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
        engine = Engine(out, repository, reference, row[-1], params, workspaces, display)
        record = folder / "bisect.json"
        bisector = Bisector(
            row,
            asked,
            reference,
            library,
            engine.run,
            repository=repository.url,
            record=record,
            retry=options.retry,
            watcher=display,
        )
        bisection = bisector.find()
    show_end(bisection, asked, record, as_json=options.as_json)
    assert bisection.outcome is not None  # noqa: S101
    return int(CODES[bisection.outcome])


def _workspaces(options: Options) -> dict[str, Path]:
    found = {key: Path(value).absolute() for key, value in pairs(options.workspaces, "--workspace").items()}
    for key, path in found.items():
        if key in ("work", REFERENCE):
            raise UsageError(f"'{key}' is set by the bisection", where="--workspace", todo="Leave it out.")
        if not path.is_dir():
            raise UsageError(f"'{path}' is not a directory", where=f"--workspace {key}", todo="Name another.")
    return found


def _repository(repo: str, params: dict[str, str], workspaces: dict[str, Path]) -> Repository:
    if not repo:
        raise UsageError("the repository is empty", where="--repo", todo="Give a URL or a path.")
    local = not SCHEME.match(repo)
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


def _reference(options: Options, repository: Repository, bad: Commit, directory: Path) -> Reference:
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


class Engine:
    """Runs a commit up to its measurements, as ``penstock run`` runs a release."""

    def __init__(
        self,
        out: Path,
        repository: Repository,
        reference: Reference,
        bad: Commit,
        params: dict[str, str],
        workspaces: dict[str, Path],
        display: BisectDisplay,
    ) -> None:
        self._out = out
        self._reference = reference
        self._display = display
        local = {"allow-local": "true"} if repository.local else {}
        local |= python_params(Path(repository.url) if repository.local else None)
        self._params = {"url": repository.url, "slice": reference.slice} | local | params
        self._workspaces = {"work": out, REFERENCE: reference.directory} | workspaces
        # what a run depends on is in its name: another pipeline, suite or parameter is another run
        spec = pipeline_run(manifests(), "")["spec"]
        self._key = sha256_json([spec, self._params, bad.hash, __version__])[:10]

    def run(self, commit: Commit) -> Bundle | Failed:
        """Begin the commit's run, or go on with it.

        Raises:
            UsageError: a parameter is refused.
            WorldError: the machine failed, or the repository cannot be reached: not the commit's fault.
            Interrupted: Ctrl-C.
        """
        name = f"bisect-{commit.hash[:12]}-{self._key}"
        folder = self._out / "runs" / name
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        file = folder / "pipelinerun.json"
        write_json(file, pipeline_run(manifests(), name))
        loaded = load_pipeline(file, task_directories=[manifests() / "tasks"])
        with scratch(folder) as temporary, self._display.run() as listener:
            ended = run_pipeline(
                loaded,
                self._params | {"revision": commit.hash},
                self._workspaces,
                folder / "state",
                name=name,
                environment=environment(temporary),
                on_event=listener,
                resume=(folder / "state" / "state.json").exists(),
            )
        bundle = Bundle(folder / "bundle")
        if ended.succeeded:
            return bundle
        code = track_exit_code(ended)
        if ended.refused:
            raise UsageError(ended.message, where="--param, --workspace", todo="Correct it.")
        failure = first_failure(bundle)
        reason = f"{failure.step}: {failure.error}" if failure is not None else ended.message
        # no commit's fault: the next one would fail in the same way
        if code == ExitCode.WORLD and failure is not None and (failure.step == "clone" or failure.full_disk):
            raise WorldError(failure.error, where=failure.step, todo="Then give the same command again to go on.")
        return Failed(reason, int(code))
