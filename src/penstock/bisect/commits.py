"""Which commits lie between two revisions: read in a repository of our own, whose configuration nobody else writes."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from penstock.foundation.errors import UsageError
from penstock.foundation.files import disk_errors, read_regular, write_text
from penstock.sources.git_fetch import check_revision, resolve
from penstock.sources.git_session import GitSession, explain_failure, git_session
from penstock.sources.git_url import RepositoryUrl, parse_url

SUFFIX = re.compile(r"^([~^][0-9]{0,6}){0,50}$")
FIELDS = "%H%n%P%n%an%n%ae%n%aI%n%s"
MAX_SHALLOW_BYTES = 16 << 20


@dataclass(frozen=True)
class Commit:
    """One commit. ``author``, ``email`` and ``subject`` are what somebody wrote: escape them before they are shown."""

    hash: str
    parents: tuple[str, ...]
    author: str
    email: str
    date: str
    """When it was written, ISO 8601."""
    subject: str


class CommitHistory:
    """The commits of a repository. Made by :func:`open_history`."""

    def __init__(self, session: GitSession, source: RepositoryUrl, directory: Path) -> None:
        self._session = session
        self._source = source
        self._directory = directory
        self._fetched = False

    def commit(self, revision: str, option: str) -> Commit:
        """The commit that a revision means: a branch, a tag, a commit, ``HEAD``, each also with ``~3`` or ``^``.

        Args:
            revision: as it was given.
            option: where, for messages.

        Raises:
            UsageError: it is no revision, or the repository does not have it.
            WorldError: the repository cannot be reached.
        """
        cut = re.search(r"[~^]", revision)
        name, suffix = (revision[: cut.start()], revision[cut.start() :]) if cut else (revision, "")
        try:
            check_revision(name)
        except UsageError as error:
            raise UsageError(error.what, where=option, todo=error.todo) from None
        if not SUFFIX.match(suffix):
            raise UsageError(f"'{revision[:80]}' is not a revision", where=option, todo="Example: v1.0.0, main~3.")
        target, oid_length = resolve(self._session, self._source, name)
        self._fetch(oid_length)
        wanted = f"{target.commit}{suffix}^{{commit}}"
        found = self._run("rev-parse", "--verify", "--quiet", "--end-of-options", wanted)
        if found is None:
            raise UsageError(
                f"the repository has no commit '{revision[:80]}' on a branch or tag",
                where=option,
                todo=self._shallow() or "Check the revision, or push it.",
            )
        return self._commits("--no-walk", found)[0]

    def between(self, good: Commit, bad: Commit) -> list[Commit]:
        """``good``, then every commit after it on the way to ``bad``, which is the last: along first parents.

        A merge counts as one commit. Of commits that do not descend from ``good`` there are none.

        Raises:
            UsageError: ``good`` is not an ancestor of ``bad``.
        """
        if good.hash == bad.hash:
            raise UsageError("good and bad are the same commit", where="--good, --bad", todo="Name two.")
        if not self._is_ancestor(good, bad):
            swapped = self._is_ancestor(bad, good)
            raise UsageError(
                f"{good.hash[:12]} is not an ancestor of {bad.hash[:12]}",
                where="--good",
                todo="It comes after it: swap --good and --bad."
                if swapped
                else self._shallow() or "Name a good commit that the bad one descends from, such as their merge base.",
            )
        row = f"{good.hash}..{bad.hash}"
        descendants = set((self._run("rev-list", "--ancestry-path", row) or "").split())
        chain = [commit for commit in self._commits("--first-parent", row) if commit.hash in descendants]
        return [good, *reversed(chain)]

    def _is_ancestor(self, older: Commit, newer: Commit) -> bool:
        return self._run("merge-base", "--is-ancestor", older.hash, newer.hash) is not None

    def _commits(self, *arguments: str) -> list[Commit]:
        listed = self._session.text(
            *("log", "-z", "--no-mailmap", f"--format={FIELDS}", *arguments),
            cwd=self._directory,
        )
        return [_commit(entry) for entry in listed.split("\0") if entry]

    def _shallow(self) -> str:
        shallow = self._run("rev-parse", "--is-shallow-repository") == "true"
        return "The repository holds a part of its history only: `git fetch --unshallow` first." if shallow else ""

    def _run(self, *arguments: str) -> str | None:
        """What git says; ``None`` if it ends with an error."""
        finished = self._session.run(*arguments, cwd=self._directory)
        return finished.output.decode("utf-8", "replace").strip() if finished.code == 0 else None

    def _fetch(self, oid_length: int) -> None:
        """Bring all branches and tags, once.

        Not a partial fetch of the commits alone: in its repository git asks the server for whatever it misses, which a
        hostile or a shallow one can make go on for ever. Of a repository on this machine nothing is copied.
        """
        if self._fetched:
            return
        where, local = self._directory, self._source.scheme == "local"
        with disk_errors(where):
            if local:  # it is made in no time, and what lies at the same path may be another repository by now
                shutil.rmtree(where, ignore_errors=True)
            where.mkdir(parents=True, exist_ok=True)
        object_format = f"--object-format={'sha256' if oid_length == 64 else 'sha1'}"
        self._session.text("init", "--quiet", "--bare", "--template=", object_format, ".", cwd=where)
        if local:
            write_text(where / "objects" / "info" / "alternates", f"{self._of_source('objects')}\n")
            shallow = self._of_source("shallow")
            if shallow.is_file():  # nothing is fetched, so that git would not find it out
                content = read_regular(shallow, max_bytes=MAX_SHALLOW_BYTES, where=str(shallow))
                write_text(where / "shallow", content.decode("ascii", "replace"))
        fetched = self._session.run(
            *("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--prune", "--update-shallow"),
            *("--no-write-commit-graph", "--", self._source.text),
            *("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*", "+HEAD:refs/penstock/head"),
            cwd=where,
        )
        if fetched.code:
            raise explain_failure(fetched.tail, where=self._source.text)
        self._fetched = True

    def _of_source(self, name: str) -> Path:
        """A path in the ``.git`` of the repository on this machine, wherever that is."""
        root = Path(self._source.text)
        return (root / self._session.text("rev-parse", "--git-path", name, cwd=root)).resolve()


def _commit(entry: str) -> Commit:
    oid, parents, author, email, date, subject = entry.split("\n", 5)
    return Commit(oid, tuple(parents.split()), author, email, date, subject)


@contextmanager
def open_history(
    url: str,
    directory: Path,
    *,
    allow_local: bool = False,
    allow_http: bool = False,
    credentials: Path | None = None,
    ssh: Path | None = None,
    timeout_s: float = 1800.0,
) -> Iterator[CommitHistory]:
    """The history of a repository.

    Args:
        url: see :func:`penstock.sources.git_url.parse_url`.
        directory: where what was fetched is kept between calls.
        allow_local: accept a path of this machine.
        allow_http: accept http without TLS.
        credentials: a basic-auth workspace.
        ssh: an ssh-directory workspace.
        timeout_s: limit of each git command.

    Raises:
        UsageError: the address is refused.
    """
    source = parse_url(url, allow_http=allow_http, allow_local=allow_local)
    with git_session(
        source, credentials=credentials, ssh=ssh, allow_http=allow_http, allow_local=allow_local, timeout_s=timeout_s
    ) as session:
        yield CommitHistory(session, source, directory)


def repository_root(path: Path) -> Path:
    """The repository that a path of this machine lies in; the path itself if there is none around it."""
    path = path.absolute()
    for candidate in (path, *path.parents):
        if (candidate / ".git").exists() or ((candidate / "HEAD").is_file() and (candidate / "objects").is_dir()):
            return candidate
    return path
