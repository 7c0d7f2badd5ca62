"""Cloning one revision of a model's repository, which is hostile until shown otherwise."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import re
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from penstock.foundation.errors import UsageError, WorldError
from penstock.foundation.files import disk_errors
from penstock.sources.clone_target import CloneTarget, place_for
from penstock.sources.git_fetch import Fetcher, check_revision
from penstock.sources.git_session import git_session
from penstock.sources.git_url import parse_url
from penstock.sources.merge_result import merged, resolve_request
from penstock.sources.tree import lfs_pointers, tree_digest

log = logging.getLogger(__name__)

OTHER_CLONE_S = 120.0
"""So long is waited for another clone into the same directory."""


@dataclass(frozen=True)
class Clone:
    """What lies in the directory after :func:`clone`."""

    commit: str
    """The one that was asked for; with a ``base`` the files are those of its merge."""
    url: str
    """Without user name and password."""
    committer_date: str
    """ISO 8601, with the committer's time zone."""
    version: str
    """The tag's name without its leading ``v``, else ``0.0.0+`` and twelve digits of the commit."""
    tree: str
    """SHA-256 over the checked-out files."""
    pointers: tuple[str, ...] = ()
    """Files whose content Git LFS did not bring."""
    unchanged: bool = False
    """The directory held this very commit already."""
    base: str = ""
    """The commit that it was merged into; empty: it is as it was committed."""


def clone(
    url: str,
    revision: str,
    directory: Path,
    *,
    ref: str = "",
    base: str = "",
    depth: int = 1,
    submodules: bool = True,
    lfs: bool = True,
    credentials: Path | None = None,
    ssh: Path | None = None,
    allow_http: bool = False,
    allow_local: bool = False,
    timeout_s: float = 1800.0,
    git: str = "git",
) -> Clone:
    """Bring one revision of a repository into ``directory``, whole or not at all.

    It is fetched beside ``directory`` and renamed. A directory that holds the same commit, untouched, is left as it is;
    one that an earlier clone made is replaced; any other is refused. A mount point (a workspace of Tekton) cannot be
    replaced: it is filled, and filled anew each time. Hooks, filters and transport helpers of the repository never run.

    Args:
        url: see :func:`penstock.sources.git_url.parse_url`.
        revision: a branch, a tag (also as ``refs/…``), or a full or short commit; ``HEAD`` is the default branch.
        directory: where the files go.
        ref: where the repository has the revision, a whole commit, if no branch or tag leads to it:
            ``refs/pull/7/head``.
        base: a branch or commit that the revision is merged into: the files are then those of the merge.
        depth: commits of history; 0 is all. A merge takes all of it.
        submodules: bring submodules, each from an address that is allowed.
        lfs: bring the content of Git LFS files where ``git-lfs`` is installed.
        credentials: a basic-auth workspace, see :func:`penstock.sources.git_session.git_session`.
        ssh: an ssh-directory workspace, see there.
        allow_http: accept unencrypted http (a git server inside the cluster).
        allow_local: accept a path or ``file://`` (the local run).
        timeout_s: limit of each git command.
        git: the program.

    Raises:
        UsageError: a refused address or revision, an unknown revision, an empty repository, a link or submodule that
            points outside, a directory that is not ours, a merge with conflicts.
        WorldError: the repository cannot be reached, or the disk is full.
    """
    check_revision(revision)
    if depth < 0:
        raise UsageError(f"the depth is {depth}", where="depth", todo="Give 0 (all history) or more.")
    source = parse_url(url, allow_http=allow_http, allow_local=allow_local)
    directory = directory.absolute()
    wanted = {"url": source.text, "submodules": submodules, "lfs": lfs, "depth": depth}
    wanted |= {"base": base} if base else {}
    with (
        _alone(directory) as place,
        git_session(
            source,
            credentials=credentials,
            ssh=ssh,
            allow_http=allow_http,
            allow_local=allow_local,
            timeout_s=timeout_s,
            git=git,
        ) as session,
    ):
        here = place.prepare(wanted)
        if here is not None and not base and here["commit"] == revision:
            log.info("%s holds commit %s already", directory, revision)
            return _recorded(here, _version("", revision))
        request = resolve_request(session, source, revision, ref=ref, base=base)
        target, onto, oid_length = request.head, request.base, request.oid_length
        same_base = onto is None or here is None or here.get("base") == onto.commit
        if here is not None and same_base and here["commit"] == target.commit:
            log.info("%s holds commit %s already", directory, target.commit)
            return _recorded(here, _version(target.tag, target.commit))
        with place.partial() as partial:
            history = 0 if onto is not None else depth
            fetcher = Fetcher(session, depth=history, submodules=submodules, lfs=lfs, allow_http=allow_http)
            fetcher.prepare(source, partial, oid_length)
            commit = fetcher.objects(source, target, partial, oid_length)
            tried, merged_into = commit, ""
            if onto is not None:
                merged_into = fetcher.objects(source, onto, partial, oid_length)
                branch = base.removeprefix("refs/heads/")
                tried = merged(session, partial, commit, merged_into, onto=branch, source=source)
            fetcher.check_out(source, tried, partial)
            date = session.text("show", "-s", "--format=%cI", commit, cwd=partial)
            tree = tree_digest(partial)
            result = Clone(
                commit, source.text, date, _version(target.tag, commit), tree, lfs_pointers(partial), base=merged_into
            )
            place.put(partial, wanted, asdict(result))
        return result


def _recorded(record: dict[str, Any], version: str) -> Clone:
    return Clone(**{**record, "pointers": tuple(record["pointers"]), "version": version, "unchanged": True})


def _version(tag: str, commit: str) -> str:
    name = re.sub(r"[^A-Za-z0-9._+-]", "-", tag)
    if name[:1] in ("v", "V") and name[1:2].isdigit():
        name = name[1:]
    return name or f"0.0.0+{commit[:12]}"


@contextlib.contextmanager
def _alone(directory: Path) -> Iterator[CloneTarget]:
    """Hold a lock, so that two clones never meet in one directory."""
    with disk_errors(directory), contextlib.ExitStack() as stack:
        place = place_for(directory)
        handle = os.open(place.lock, os.O_RDONLY if place.lock.is_dir() else os.O_RDWR | os.O_CREAT, 0o644)
        stack.callback(os.close, handle)
        _lock(handle, directory)
        yield place


def _lock(handle: int, directory: Path) -> None:
    """Wait for another clone: of a pod that was lost and made anew, two may be at work on the same try for a while."""
    deadline = time.monotonic() + OTHER_CLONE_S
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise WorldError("another clone into this directory is running", where=str(directory)) from None
            time.sleep(0.1)
        else:
            return
