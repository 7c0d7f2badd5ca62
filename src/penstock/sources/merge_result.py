"""The head of a pull request, and what comes of merging it: the tree that the base branch would have afterwards.

No forge is asked for its own merge commit: Gitea has none, and GitHub's may be missing, or of an older base.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from penstock.foundation.errors import UsageError, printable
from penstock.sources.git_fetch import Target, check_revision, resolve
from penstock.sources.git_session import GitSession, explain_failure
from penstock.sources.git_url import RepositoryUrl

AUTHOR = ("Penstock", "penstock@localhost")
"""Of every merge commit: the same two commits have the same merge, byte for byte."""
MAX_NAMED = 5
_WHOLE = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True)
class ResolvedRequest:
    """What a pull request asks for."""

    head: Target
    base: Target | None
    """``None``: the head is tried as it is."""
    oid_length: int
    """40 or 64."""


def resolve_request(
    session: GitSession, source: RepositoryUrl, revision: str, *, ref: str, base: str
) -> ResolvedRequest:
    """Find head and base at the remote.

    Args:
        session: git.
        source: the base repository: also the head of a fork is brought from there.
        revision: the head; with ``ref`` a whole commit.
        ref: where the repository has the head (``refs/pull/7/head``); empty: ``revision`` says it.
        base: branch or commit that it is to be merged into; empty: it is not merged.

    Raises:
        UsageError: there is no such head, ref or base; ``revision`` is no whole commit although there is a ref.
        WorldError: the repository cannot be reached.
    """
    if not ref:
        head, oid_length = resolve(session, source, revision)
    else:
        check_revision(ref)
        if not ref.startswith("refs/"):
            raise UsageError(f"'{ref[:80]}' is no ref", where="ref", todo="Write it whole: refs/pull/7/head.")
        if not _WHOLE.fullmatch(revision):
            raise UsageError(
                f"'{revision[:80]}' is not a whole commit", where="revision", todo="With 'ref', name the head commit."
            )
        found, oid_length = resolve(session, source, ref)
        head = Target(revision, found.ref, exact=True)
    if not base:
        return ResolvedRequest(head, None, oid_length)
    check_revision(base)
    onto, _ = resolve(session, source, base)
    return ResolvedRequest(head, onto, oid_length)


def merged(session: GitSession, where: Path, head: str, base: str, *, onto: str, source: RepositoryUrl) -> str:
    """Merge ``head`` into ``base``; both are here with all their history. Nothing is checked out.

    Args:
        session: git.
        where: the repository here.
        head: whole commit.
        base: whole commit.
        onto: what the base was called, for messages.
        source: the repository, for messages.

    Returns:
        The merge commit, which depends on the two commits alone; ``head`` itself if it holds the base already.

    Raises:
        UsageError: they conflict, or have nothing in common.
    """
    if session.run("merge-base", "--is-ancestor", base, head, cwd=where).code == 0:
        return head
    tried = session.run("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", base, head, cwd=where)
    if tried.code not in (0, 1):
        if "unrelated histories" in tried.tail:
            raise UsageError(
                f"it cannot be merged into '{onto}': they have no commit in common",
                where=source.text,
                todo=f"Begin the branch at a commit of '{onto}'.",
            )
        raise explain_failure(tried.tail, where="git merge-tree")
    tree, *names = tried.output.decode("utf-8", "replace").rstrip("\0").split("\0")
    if tried.code == 1:
        shown = ", ".join(printable(name)[:200] for name in names[:MAX_NAMED])
        more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
        raise UsageError(
            f"it cannot be merged into '{onto}': conflicts in {shown}{more}",
            where=source.text,
            todo=f"Rebase it on '{onto}', or merge '{onto}' into it, and push.",
        )
    at = session.text("show", "-s", "--format=%cI", head, cwd=where)
    name, mail = AUTHOR
    who = {f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER") for part, value in _parts(name, mail, at)}
    known = replace(session, env={**session.env, **who})
    return known.text("commit-tree", tree, "-p", base, "-p", head, "-m", f"Merge {head} into {base}", cwd=where)


def _parts(name: str, mail: str, at: str) -> tuple[tuple[str, str], ...]:
    return ("NAME", name), ("EMAIL", mail), ("DATE", at)
