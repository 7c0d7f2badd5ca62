"""What a revision means at a remote repository, and bringing it here: objects, submodules, Git LFS."""

from __future__ import annotations

import difflib
import logging
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from penstock.foundation.errors import UsageError, WorldError
from penstock.sources.git_session import GitSession, explain_failure
from penstock.sources.git_url import RepositoryUrl, submodule_url
from penstock.sources.tree import lfs_pointers, pointer_oid

log = logging.getLogger(__name__)

MAX_REVISION_CHARACTERS = 255
MAX_SUBMODULES = 100
MAX_SUBMODULE_DEPTH = 5


class SubmoduleUsageError(UsageError):
    """A submodule cannot be brought as it is named; ``where`` is the submodule."""


class SubmoduleWorldError(WorldError):
    """A submodule could not be fetched; ``where`` is the submodule."""


LFS_MISSING = re.compile(r"does not exist|not found|\b404\b|missing object", re.IGNORECASE)
"""What git-lfs says where the server has no such object."""
_HEX = re.compile(r"^[0-9a-f]{4,64}$")
_FORBIDDEN = re.compile(r"[\s~^:?*\[\\]|\.\.|@\{|//|^/|/$|\.lock$|^@$")


@dataclass(frozen=True)
class Target:
    """What a revision means at the remote."""

    commit: str
    """Full or short; empty if only the remote's ref is known to exist."""
    ref: str = ""
    """``refs/…`` or ``HEAD`` to fetch; empty for a bare commit."""
    tag: str = ""
    exact: bool = False
    """``commit`` is what is wanted, whole: the ref only leads to it, and may have moved on."""


def check_revision(revision: str) -> None:
    """Refuse what cannot be a branch, tag or commit.

    Raises:
        UsageError: why.
    """
    if not revision:
        raise UsageError("the revision is empty", where="revision", todo="Give a branch, a tag or a commit.")
    if revision.startswith("-"):
        raise UsageError(
            f"the revision '{revision[:80]}' begins with '-' and would be read as an option", where="revision"
        )
    if not revision.isprintable() or len(revision) > MAX_REVISION_CHARACTERS or _FORBIDDEN.search(revision):
        raise UsageError(f"'{revision[:80]}' is not the name of a branch, tag or commit", where="revision")


# What a revision means


def resolve(session: GitSession, source: RepositoryUrl, revision: str) -> tuple[Target, int]:
    """Find the revision among the remote's refs. Returns the target and the length of an object id (40 or 64).

    Raises:
        UsageError: the repository is empty or has no such revision.
        WorldError: it cannot be reached.
    """
    listed = session.run("ls-remote", "--", source.text)
    if listed.code:
        raise explain_failure(listed.tail, where=source.text)
    refs: dict[str, str] = {}
    for line in listed.output.decode("utf-8", "replace").splitlines():
        oid, _, name = line.partition("\t")
        refs[name] = oid
    if not refs:
        raise UsageError("the repository is empty", where=source.text, todo="Push a commit first.")
    oid_length = len(next(iter(refs.values())))
    candidates = (
        [revision]
        if revision.startswith("refs/") or revision == "HEAD"
        else [f"refs/tags/{revision}", f"refs/heads/{revision}"]
    )
    for ref in candidates:
        if ref in refs and not ref.endswith("^{}"):
            tag = ref.removeprefix("refs/tags/") if ref.startswith("refs/tags/") else ""
            return Target(refs.get(f"{ref}^{{}}", refs[ref]), ref, tag), oid_length
    lowered = revision.lower()
    if _HEX.match(lowered) and len(lowered) <= oid_length:
        matching = {oid for name, oid in refs.items() if oid.startswith(lowered) and f"{name}^{{}}" not in refs}
        return Target(next(iter(matching)) if len(matching) == 1 else lowered), oid_length
    raise unknown_revision(revision, list(refs), source)


def unknown_revision(revision: str, refs: list[str], source: RepositoryUrl) -> UsageError:
    """The error for a revision that the repository does not have, with names that come near."""
    names = sorted(
        {
            ref.split("/", 2)[2]
            for ref in refs
            if ref.startswith(("refs/heads/", "refs/tags/")) and not ref.endswith("^{}")
        }
    )
    wanted = re.sub(r"^refs/[^/]+/", "", revision)
    near = difflib.get_close_matches(wanted, names, n=3, cutoff=0.5)
    hint = (
        f"Did you mean {' or '.join(repr(name) for name in near)}?"
        if near
        else f"It has {', '.join(names[:5]) or 'no branch or tag'}."
    )
    return UsageError(f"the repository has no branch, tag or commit '{revision[:80]}'", where=source.text, todo=hint)


# Fetching


@dataclass
class Fetcher:
    """Brings a repository and all that belongs to it into an empty directory."""

    session: GitSession
    depth: int = 1
    submodules: bool = True
    lfs: bool = True
    allow_http: bool = False
    _count: int = 0

    def bring(self, source: RepositoryUrl, target: Target, where: Path, *, oid_length: int, level: int = 0) -> str:
        """Fetch ``target`` into ``where`` with its Git LFS files and its submodules. Returns the full commit.

        Raises:
            UsageError: no such commit, or a submodule that points outside, or too many of them.
            WorldError: a server cannot be reached.
        """
        self.prepare(source, where, oid_length)
        commit = self.objects(source, target, where, oid_length)
        self.check_out(source, commit, where, level=level)
        return commit

    def objects(self, source: RepositoryUrl, target: Target, where: Path, oid_length: int) -> str:
        """Fetch the objects of ``target`` into a repository that :meth:`prepare` has made. Returns the full commit.

        Raises:
            UsageError: no such commit.
            WorldError: a server cannot be reached.
        """
        name = self._fetch(source, target, where, oid_length)
        return self._commit(source, target, name, where)

    def check_out(self, source: RepositoryUrl, commit: str, where: Path, *, level: int = 0) -> None:
        """Put the files of a commit that is here in place, with its Git LFS files and its submodules.

        Raises:
            UsageError: a submodule that points outside, or too many of them.
            WorldError: a server cannot be reached.
        """
        self.session.text("checkout", "--quiet", "--detach", "--force", commit, cwd=where)
        if self.lfs:
            self._large_files(source, where)
        if self.submodules:
            self._submodules(source, where, level + 1)

    def prepare(self, source: RepositoryUrl, where: Path, oid_length: int) -> None:
        """Make an empty repository that fetches from ``source``."""
        object_format = f"--object-format={'sha256' if oid_length == 64 else 'sha1'}"
        self.session.text("init", "--quiet", "--template=", object_format, "--initial-branch=main", ".", cwd=where)
        self.session.text("config", "remote.origin.url", source.text, cwd=where)

    def _fetch(self, source: RepositoryUrl, target: Target, where: Path, oid_length: int) -> str:
        """Fetch the objects; returns the name under which the target is known here."""
        shallow = [f"--depth={self.depth}"] if self.depth else []
        fetch = ["fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-commit-graph"]
        everything = ["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"]
        if target.ref:
            branch = "refs/remotes/origin/" + target.ref.removeprefix("refs/heads/").removeprefix("refs/")
            name = target.ref if target.tag else branch
            refspecs = [f"+{target.ref}:{name}", *([] if shallow else everything)]
            fetched = self.session.run(*fetch, *shallow, "--", source.text, *refspecs, cwd=where)
            if target.exact and fetched.code == 0:
                name = target.commit
                if self._lacks(name, where):  # pushed over: most servers still give out what no ref leads to
                    self.session.run(*fetch, *shallow, "--", source.text, name, cwd=where)
        elif shallow and len(target.commit) == oid_length:
            name = target.commit
            fetched = self.session.run(*fetch, *shallow, "--", source.text, name, cwd=where)
            if fetched.code:  # a server may refuse a commit that no ref names
                fetched = self.session.run(*fetch, "--", source.text, *everything, cwd=where)
        else:  # a short commit can only be found in the whole history
            name = target.commit
            fetched = self.session.run(*fetch, "--", source.text, *everything, cwd=where)
        if fetched.code:
            raise explain_failure(fetched.tail, where=source.text)
        return name

    def _lacks(self, commit: str, where: Path) -> bool:
        return self.session.run("cat-file", "-e", f"{commit}^{{commit}}", cwd=where).code != 0

    def _commit(self, source: RepositoryUrl, target: Target, name: str, where: Path) -> str:
        found = self.session.run("rev-parse", "--verify", "--end-of-options", f"{name}^{{commit}}", cwd=where)
        if found.code == 0:
            return found.output.decode().strip()
        if "ambiguous" in found.tail:
            raise UsageError(f"more than one commit begins with '{name}'", where=source.text, todo="Give more digits.")
        if target.exact:
            raise UsageError(
                f"'{target.ref}' does not lead to the commit {name[:12]} any more",
                where=source.text,
                todo="It was pushed over meanwhile: the run of the new head is the one that counts.",
            )
        if target.ref:
            raise UsageError(f"'{target.ref}' names no commit", where=source.text)
        refs = self.session.text("for-each-ref", "--format=%(refname)", cwd=where).splitlines()
        raise unknown_revision(name, [ref.replace("refs/remotes/origin/", "refs/heads/") for ref in refs], source)

    def _submodules(self, source: RepositoryUrl, where: Path, level: int) -> None:
        """Bring each submodule that the checked-out commit names, as a repository of its own in its place."""
        listed = self.session.text("ls-tree", "-r", "-z", "--full-tree", "HEAD", cwd=where)
        entries = [entry.partition("\t") for entry in listed.split("\0") if entry.startswith("160000 ")]
        if entries and level > MAX_SUBMODULE_DEPTH:
            raise UsageError(f"submodules are nested deeper than {MAX_SUBMODULE_DEPTH}", where=source.text)
        addresses = self._gitmodules(where) if entries else {}
        for head, _, path in entries:
            self._count += 1
            if self._count > MAX_SUBMODULES:
                raise UsageError(f"there are more than {MAX_SUBMODULES} submodules", where=source.text)
            if path not in addresses:
                raise UsageError(f"'.gitmodules' has no address for the submodule '{path}'", where=source.text)
            address = submodule_url(source, addresses[path], name=path, allow_http=self.allow_http)
            commit = head.split()[2]
            place = where / path
            if not place.resolve().is_relative_to(where.resolve()):
                raise UsageError(f"the submodule '{path}' lies outside the repository", where=source.text)
            log.info("submodule %s at %s from %s", path, commit[:12], address.text)
            place.mkdir(parents=True, exist_ok=True)
            try:
                self.bring(address, Target(commit), place, oid_length=len(commit), level=level)
            except (SubmoduleUsageError, SubmoduleWorldError):
                raise  # of a submodule of this one, which it names
            except (UsageError, WorldError) as error:
                kind = SubmoduleUsageError if isinstance(error, UsageError) else SubmoduleWorldError
                about = f"submodule '{path}' from {address.text}"
                raise kind(error.what, where=about, todo=error.todo) from None

    def _gitmodules(self, where: Path) -> dict[str, str]:
        """Submodule path → address, from ``.gitmodules``."""
        file = where / ".gitmodules"
        if file.is_symlink() or not file.is_file():
            return {}
        listed = self.session.run("config", "--file", str(file), "--no-includes", "--null", "--list", cwd=where)
        if listed.code:
            raise UsageError("it cannot be read", where=".gitmodules", todo="Correct its syntax.")
        paths: dict[str, str] = {}
        addresses: dict[str, str] = {}
        for item in listed.output.decode("utf-8", "replace").split("\0"):
            key, _, value = item.partition("\n")
            name, _, option = key.removeprefix("submodule.").rpartition(".")
            if key.startswith("submodule.") and option == "path":
                paths[name] = value
            elif key.startswith("submodule.") and option == "url":
                addresses[name] = value
        return {path: addresses[name] for name, path in paths.items() if name in addresses}

    def _large_files(self, source: RepositoryUrl, where: Path) -> None:
        """Bring the content of Git LFS files. Without ``git-lfs`` they stay pointers: who needs one of them says so."""
        pointers = lfs_pointers(where)
        if not pointers:
            return
        if shutil.which("git-lfs", path=self.session.env.get("PATH")) is None:
            log.warning("%d files are in Git LFS, and git-lfs is not installed: they stay pointers", len(pointers))
            return
        if os.path.lexists(where / ".lfsconfig"):
            # It could send git-lfs, with our credentials at hand, to any server.
            raise UsageError(
                "the repository has a '.lfsconfig', which may name any server",
                where=source.text,
                todo="Remove it, or clone without LFS.",
            )
        log.info("Git LFS brings %d files", len(pointers))
        pulled = self.session.run("-c", "filter.lfs.smudge=git-lfs smudge -- %f", "lfs", "pull", "origin", cwd=where)
        if pulled.code:
            said = [line for line in pulled.tail.splitlines() if LFS_MISSING.search(line)]
            oids = {path: pointer_oid(where / path) for path in pointers}
            if lost := {path: oid for path, oid in oids.items() if oid and any(oid[:7] in line for line in said)}:
                raise missing_objects(lost, source)
            raise explain_failure(pulled.tail, where=f"git lfs pull from {source.text}")


def missing_objects(lost: dict[str, str], source: RepositoryUrl) -> WorldError:
    """The error for files whose content the server of Git LFS does not have.

    Args:
        lost: path → SHA-256 of the object.
        source: the repository.
    """
    (path, oid), *others = lost.items()
    names = ", ".join(f"'{name}'" for name, _ in others[:3])
    more = f" (and {len(others)} more: {names})" if others else ""
    return WorldError(
        f"Git LFS has no content for '{path}': object {oid} is missing there{more}",
        where=source.text,
        todo="Push it from where it is: git lfs push --all origin.",
    )
