"""Bring the model's repository at a revision, and begin the bundle."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Run, Source, SuiteOrigin
from penstock.bundle.rerun_bundle import released_errors
from penstock.bundle.steps import begin, recorded
from penstock.contract.placed_suite import suite_from_elsewhere
from penstock.foundation.errors import WorldError
from penstock.foundation.files import disk_errors
from penstock.sources.git import Clone, clone
from penstock.sources.image_registry import authfile
from penstock.steps.entrypoint import log, param, run_step, workspace
from penstock.suites.provided_suite import provide_place, provide_suite
from penstock.suites.suite_fetch import SuiteAccess


@dataclass(frozen=True)
class Arguments:
    """Clone a model's repository at a branch, tag or commit."""

    url: str = param("the repository: https://, ssh:// or git@host:path; a local path only with --allow-local=true")
    revision: str = param("branch, tag or commit")
    ref: str = param(
        "where the repository has that commit, if no branch or tag leads to it: refs/pull/7/head", default=""
    )
    base: str = param("branch or commit that it is merged into before it is tried; empty: as it is", default="")
    run_id: str = param("the run's name; becomes the bundle's run id")
    track: str = param("release or verify", default="release")
    depth: int = param("how many commits of history; 0 is all", default=1)
    submodules: bool = param("bring submodules too", default=True)
    lfs: bool = param("bring Git LFS files too", default=True)
    allow_local: bool = param("accept a path of this machine; never on a cluster", default=False)
    allow_http: bool = param("accept http:// without TLS", default=False)
    tls_verify: bool = param("the registry that a suite comes from has a certificate", default=True)
    fork: bool = param("the code is a fork's, whose suite is not kept in the cache", default=False)
    released: bool = param("what is cloned is the released model, to be run again beside the candidate", default=False)
    source: Path = workspace("where the repository goes")
    bundle: Path = workspace("the run's bundle")
    cache: Path = workspace("what outlives a run: a suite from elsewhere is fetched once")
    basic_auth: Path | None = workspace("user name and password, or .gitconfig and .git-credentials", optional=True)
    ssh_directory: Path | None = workspace("private key, known_hosts and config", optional=True)
    store_credentials: Path | None = workspace("for a suite on S3", optional=True)
    registry_credentials: Path | None = workspace("config.json of the registry that a suite comes from", optional=True)
    suite: Path | None = workspace("the suite, where the contract says workspace://suite", optional=True)


RESULTS: tuple[str, ...] = ("commit", "url", "committer-date", "version")


def step(arguments: Arguments) -> dict[str, str]:
    """Clone, then write ``run.json`` with what was found."""
    bundle = Bundle(arguments.bundle)
    started = begin(bundle, run_id=arguments.run_id, track=arguments.track)
    with recorded(bundle, "clone") as note, released_errors(arguments.released):
        cloned = clone(
            arguments.url,
            arguments.revision,
            arguments.source,
            ref=arguments.ref,
            base=arguments.base,
            depth=arguments.depth,
            submodules=arguments.submodules,
            lfs=arguments.lfs,
            credentials=arguments.basic_auth,
            ssh=arguments.ssh_directory,
            allow_local=arguments.allow_local,
            allow_http=arguments.allow_http,
        )
        note.inputs, note.unchanged = cloned.tree, cloned.unchanged
        note.note = f"merged into {cloned.base[:12]}" if cloned.base else ""
        if arguments.released:
            _hold_released(started, cloned)
        source = _source(cloned, arguments.revision)
        if arguments.released and started.source is not None:
            # by its commit alone the clone cannot tell which version it was released as
            source = source.model_copy(update={"version": started.source.version})
        origin = _suite(arguments)
        if origin is not None:
            log("suite", address=origin.address, files=origin.files)
            note.note = "; ".join(filter(None, (note.note, f"suite from {origin.address}")))
        bundle.update_run(started.model_copy(update={"source": source, "suite_from": origin}))
    return {
        "commit": cloned.commit,
        "url": cloned.url,
        "committer-date": cloned.committer_date,
        "version": cloned.version,
    }


def _suite(arguments: Arguments) -> SuiteOrigin | None:
    """Bring the suite, if it lies elsewhere. The released model is put to the candidate's, which lies with that one."""
    source = suite_from_elsewhere(arguments.source)
    if source is None:
        return None
    if arguments.released:
        provide_place(arguments.source)
        return None
    access = SuiteAccess(
        repository=arguments.url,
        basic_auth=arguments.basic_auth,
        ssh=arguments.ssh_directory,
        allow_http=arguments.allow_http,
        store_credentials=arguments.store_credentials,
        authfile=authfile(arguments.registry_credentials),
        tls_verify=arguments.tls_verify,
        bound=arguments.suite,
    )
    if not arguments.fork:
        return provide_suite(source, arguments.source, arguments.cache, access, fresh=True)
    with disk_errors(arguments.bundle), tempfile.TemporaryDirectory(prefix=".suite-", dir=arguments.bundle) as own:
        return provide_suite(source, arguments.source, Path(own), access, fresh=True)


def _hold_released(run: Run, cloned: Clone) -> None:
    """Check that this is the code that was released.

    Raises:
        WorldError: it is not: a file of Git LFS or a submodule has another content now.
    """
    if run.source is not None and run.source.tree != cloned.tree:
        raise WorldError(
            "the files at its commit are not those that were released",
            where=cloned.commit,
            todo="Bring back the content of its Git LFS files and submodules.",
        )


def _source(cloned: Clone, revision: str) -> Source:
    return Source(
        url=cloned.url,
        revision=revision,
        commit=cloned.commit,
        committer_date=cloned.committer_date,
        version=cloned.version,
        tree=cloned.tree,
        base=cloned.base,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Console script ``penstock-clone``."""
    return run_step("clone", Arguments, RESULTS, step, argv)


if __name__ == "__main__":
    sys.exit(main())
