"""Cloning one revision of a model's repository, which is hostile until shown otherwise."""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from penstock.errors import UsageError, WorldError
from penstock.files import disk_errors, write_json
from penstock.sources.git_fetch import Fetcher, check_revision, resolve
from penstock.sources.git_session import git_session
from penstock.sources.git_url import parse_url
from penstock.sources.tree import lfs_pointers, tree_digest

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Clone:
    """What lies in the directory after :func:`clone`."""

    commit: str
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


def clone(
    url: str,
    revision: str,
    directory: Path,
    *,
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
    one that an earlier clone made is replaced; any other is refused. Hooks, filters and transport helpers of the
    repository never run.

    Args:
        url: see :func:`penstock.sources.git_url.parse_url`.
        revision: a branch, a tag (also as ``refs/…``), or a full or short commit; ``HEAD`` is the default branch.
        directory: its parent must be writable; it must not be a mount point itself.
        depth: commits of history; 0 is all.
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
            points outside, a directory that is not ours.
        WorldError: the repository cannot be reached, or the disk is full.
    """
    check_revision(revision)
    if depth < 0:
        raise UsageError(f"the depth is {depth}", where="depth", todo="Give 0 (all history) or more.")
    source = parse_url(url, allow_http=allow_http, allow_local=allow_local)
    directory = directory.absolute()
    wanted = {"url": source.text, "submodules": submodules, "lfs": lfs, "depth": depth}
    with (
        _alone(directory),
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
        _remove_leftovers(directory)
        here = _what_is_here(directory, wanted)
        if here is not None and here.commit == revision:
            log.info("%s holds commit %s already", directory, revision)
            return replace(here, version=_version("", revision))
        target, oid_length = resolve(session, source, revision)
        if here is not None and here.commit == target.commit:
            log.info("%s holds commit %s already", directory, target.commit)
            return replace(here, version=_version(target.tag, target.commit))
        with _partial(directory) as partial:
            fetcher = Fetcher(session, depth=depth, submodules=submodules, lfs=lfs, allow_http=allow_http)
            commit = fetcher.bring(source, target, partial, oid_length=oid_length)
            date = session.text("show", "-s", "--format=%cI", commit, cwd=partial)
            tree = tree_digest(partial)
            result = Clone(commit, source.text, date, _version(target.tag, commit), tree, lfs_pointers(partial))
            _put_in_place(partial, directory)
            write_json(_marker(directory), wanted | {"clone": asdict(result)})
        return result


def _version(tag: str, commit: str) -> str:
    name = re.sub(r"[^A-Za-z0-9._+-]", "-", tag)
    if name[:1] in ("v", "V") and name[1:2].isdigit():
        name = name[1:]
    return name or f"0.0.0+{commit[:12]}"


# What is in the directory


def _marker(directory: Path) -> Path:
    """The record of a finished clone lies beside the directory, where the model's own code does not write."""
    return directory.parent / f".{directory.name}.clone.json"


@contextlib.contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Hold a lock, so that two clones never meet in one directory."""
    with disk_errors(directory.parent), contextlib.ExitStack() as stack:
        directory.parent.mkdir(parents=True, exist_ok=True)
        lock = stack.enter_context((directory.parent / f".{directory.name}.clone.lock").open("a"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WorldError("another clone into this directory is running", where=str(directory)) from None
        yield


@contextlib.contextmanager
def _partial(directory: Path) -> Iterator[Path]:
    """A directory beside ``directory``, removed in the end."""
    with disk_errors(directory.parent):
        path = Path(tempfile.mkdtemp(prefix=f".{directory.name}.clone-", dir=directory.parent))
        try:
            path.chmod(0o755)
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)


def _remove_leftovers(directory: Path) -> None:
    prefix = f".{directory.name}.clone-"
    for leftover in directory.parent.iterdir():
        if leftover.name.startswith(prefix):
            log.info("removing what a killed clone left: %s", leftover.name)
            shutil.rmtree(leftover, ignore_errors=True)


def _what_is_here(directory: Path, wanted: dict[str, Any]) -> Clone | None:
    """The finished clone in the directory, if it is untouched and was made as ``wanted`` says.

    Raises:
        UsageError: the directory holds something that no clone has made.
    """
    if directory.is_symlink() or (directory.exists() and not directory.is_dir()):
        raise UsageError("this is not a directory", where=str(directory), todo="Choose another directory.")
    if not directory.exists() or not any(directory.iterdir()):
        return None
    if not _marker(directory).is_file():
        raise UsageError(
            "the directory is not empty, and no clone of ours made it",
            where=str(directory),
            todo="Choose another directory.",
        )
    try:
        record = json.loads(_marker(directory).read_text(encoding="utf-8"))
        fields = record.pop("clone")
        here = Clone(**{**fields, "pointers": tuple(fields["pointers"]), "unchanged": True})
        if record == wanted and tree_digest(directory) == here.tree:
            return here
    except (ValueError, KeyError, TypeError, AttributeError, UsageError, OSError) as error:
        log.debug("the earlier clone cannot be used: %s", error)
    log.info("%s holds another or a changed clone, which is replaced", directory)
    return None


def _put_in_place(partial: Path, directory: Path) -> None:
    # The marker is there before and after: whenever we are killed, what is in the directory is known to be ours, and
    # its tree's digest decides whether it can be used.
    if not directory.exists() or not any(directory.iterdir()):
        write_json(_marker(directory), {})
        partial.rename(directory)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{directory.name}.clone-", dir=directory.parent))
    directory.rename(old)
    partial.rename(directory)
    shutil.rmtree(old, ignore_errors=True)
