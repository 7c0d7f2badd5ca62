"""A deployment repository: commits that bring a pair or take it back; rebased if the branch moved on, never forced."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from penstock.foundation.errors import PenstockError, UsageError, WorldError, one_line
from penstock.foundation.files import inside, read_regular
from penstock.foundation.yaml_text import KeyPath
from penstock.sources.git_session import GitSession, explain_failure, git_session
from penstock.sources.git_url import RepositoryUrl, parse_url
from penstock.targets.known_hosts import known_hosts
from penstock.targets.pair import ServedPair
from penstock.targets.secret_files import read_secret
from penstock.targets.targets_file import RepositorySettings, SetField
from penstock.targets.yaml_fields import MAX_FILE_BYTES, changes_only, get_fields, set_fields

GIT_TIMEOUT_S = 60.0
PUSHES = 5
LONGEST_GIT_S = (3 * PUSHES + 8) * GIT_TIMEOUT_S
"""To clone, to commit, and to push until nobody else is faster."""
TRAILER = "Penstock-Release"
"""Of a commit's message: ``Penstock-Release: MODEL VERSION``."""
AUTHOR = ("-c", "user.name=Penstock", "-c", "user.email=penstock@localhost", "-c", "commit.gpgSign=false")
MAX_SINCE = 20
"""Commits to the file since ours that are looked at: with more of them, what was there before is long past."""
MOVED = ("non-fast-forward", "fetch first", "[rejected]", "cannot lock ref", "incorrect old value")
Values = Mapping[KeyPath, str]
"""Place in the file → what stands there."""


class DeploymentRepository:
    """One file in a deployment repository, for one change."""

    def __init__(self, settings: RepositorySettings, secrets: Path | None, *, where: str) -> None:
        """Read the secrets; nothing is asked yet.

        Args:
            settings: which.
            secrets: the directory of secrets.
            where: the target, for messages.

        Raises:
            UsageError: a secret is missing.
        """
        self._settings, self._where = settings, where
        self._login = read_secret(secrets, settings.credentials) if settings.credentials else b""
        self._key = read_secret(secrets, settings.key) if settings.key else b""
        self._tried: list[str] = []
        """The commits that we made and tried to push: one that was not answered may be there all the same."""
        self._before: str | None = None
        """Of a commit that an earlier promotion made: the one before it, which is what to put back."""

    def check(self, pair: ServedPair) -> None:
        """Refuse a pair of which the file would keep weights of another."""
        written = {field.path for field in self._settings.fields if field.value == "weights"}
        there = {file.path for file in pair.weights}
        if missing := sorted(there - written):
            todo = "The image would serve with the weights of another release: add a field with 'value: weights'."
            raise UsageError(f"'fields' writes no digest of '{missing[0]}'", where=self._where, todo=todo)
        if unknown := sorted(path for path in written - there if path is not None):
            todo = f"It has: {', '.join(sorted(there)) or 'none'}."
            raise UsageError(f"the release has no weights '{unknown[0]}'", where=self._where, todo=todo)

    def head(self) -> str:
        """The branch's commit now; its file has all of the fields.

        Raises:
            PenstockError: it cannot be read, or lacks a field.
        """
        with self._clone() as (git, folder):
            self._values(folder)
            return git.text("rev-parse", "HEAD", cwd=folder)

    def values_of(self, pair: ServedPair) -> Values:
        """What stands in the file once it brings a pair."""
        return {tuple(field.at): _value(field, pair) for field in self._settings.fields}

    def digests_in(self, values: Values) -> list[str]:
        """Those of the values that say which image and which weights: whatever serves them names all of these."""
        wanted = [field for field in self._settings.fields if field.value != "version"]
        return [values[tuple(field.at)] for field in wanted]

    def bring(self, pair: ServedPair, current: ServedPair | None) -> None:
        """Commit and push the pair, unless it is there already; then who brought it, and was killed, is taken over.

        Args:
            pair: what is to be served.
            current: what Penstock last brought there: where a revert of that brings the pair, it is reverted.

        Raises:
            WorldError: others have changed the same lines meanwhile, or keep pushing; git fails.
        """
        wanted = self.values_of(pair)
        with self._clone() as (git, folder):
            if self._values(folder) == wanted:
                # what is current is only brought once more: there is nothing before it to put back
                again = current is not None and self.values_of(current) == wanted
                if not again and (earlier := self._brought(git, folder, pair)):
                    self.own(earlier)
                return
            if not self._revert_brings(git, folder, current, pair):
                self._write(folder, wanted)
                self._commit(git, folder, _message(pair))
            self._push(git, folder, wanted)

    def brought(self, pair: ServedPair) -> str | None:
        """The commit of Penstock's that brought this very pair and nothing else, if the file has said so ever since."""
        with self._clone() as (git, folder):
            return self._brought(git, folder, pair)

    def own(self, commit: str) -> None:
        """Take a commit that an earlier promotion made for ours: :meth:`take_back` reverts it."""
        self._tried.append(commit)
        self._before = f"{commit}^"

    def pushed(self) -> bool:
        """Whether a commit of ours may be on the branch."""
        return bool(self._tried)

    def take_back(self, state: str) -> Values | None:
        """Revert our commit, if it was pushed.

        Args:
            state: the commit before ours, as :meth:`head` gave it; of one that an earlier promotion made, it is known.

        Returns:
            What stands in the file then; ``None``: ours never came there, and nothing was done.

        Raises:
            WorldError: others have changed its lines since; git fails.
        """
        if not self._tried:
            return None
        with self._clone() as (git, folder):
            ours = [commit for commit in self._tried if not self._lacks(git, folder, commit)]
            if not ours:
                return None
            wanted = self._values_at(git, folder, self._before or state)
            if self._values(folder) != wanted:
                reverted = git.run(*AUTHOR, "revert", "--no-edit", ours[-1], cwd=folder)
                if reverted.code or self._values(folder) != wanted:
                    raise WorldError(
                        f"the commit {ours[-1][:12]} cannot be reverted: others have changed its lines since",
                        where=self._where,
                        todo="Put the file right by hand.",
                    )
                self._push(git, folder, wanted)
            return wanted

    def _lacks(self, git: GitSession, folder: Path, commit: str) -> bool:
        return git.run("merge-base", "--is-ancestor", commit, "HEAD", cwd=folder).code != 0

    @property
    def _places(self) -> list[KeyPath]:
        return [tuple(field.at) for field in self._settings.fields]

    def _values(self, folder: Path) -> Values:
        return get_fields(self._read(folder), self._places, where=self._settings.file)

    def _read(self, folder: Path) -> bytes:
        path = inside(folder, self._settings.file, where=self._where)
        return read_regular(path, max_bytes=MAX_FILE_BYTES, where=self._settings.file)

    def _write(self, folder: Path, wanted: Values) -> None:
        changed = set_fields(self._read(folder), wanted, where=self._settings.file)
        inside(folder, self._settings.file, where=self._where).write_bytes(changed)

    def _values_at(self, git: GitSession, folder: Path, commit: str) -> Values:
        return get_fields(self._content_at(git, folder, commit), self._places, where=self._settings.file)

    def _content_at(self, git: GitSession, folder: Path, commit: str) -> bytes:
        shown = git.run("show", f"{commit}:{self._settings.file}", cwd=folder)
        if shown.code:
            raise explain_failure(shown.tail, where=self._where)
        return shown.output

    def _brought(self, git: GitSession, folder: Path, pair: ServedPair) -> str | None:
        """See :meth:`brought`. Of a commit that changed more, a revert would take others' work with it."""
        wanted, found = self.values_of(pair), self._last_of(git, folder, pair)
        if not found or self._values(folder) != wanted:
            return None
        changed = git.text("diff-tree", "--no-commit-id", "--name-only", "-r", "-z", found, cwd=folder).split("\0")
        if [name for name in changed if name] != [self._settings.file]:
            return None
        listed = ("rev-list", f"--max-count={MAX_SINCE}", f"{found}..HEAD", "--", self._settings.file)
        since = git.text(*listed, cwd=folder).split()
        try:
            stands = all(self._values_at(git, folder, commit) == wanted for commit in since)
            brings = self._values_at(git, folder, f"{found}^") != wanted
            before, after = (self._content_at(git, folder, commit) for commit in (f"{found}^", found))
        except PenstockError:  # the file was not there, or lacked a field
            return None
        alone = changes_only(before, after, wanted, where=self._settings.file)
        return found if stands and brings and alone and len(since) < MAX_SINCE else None

    def _revert_brings(self, git: GitSession, folder: Path, current: ServedPair | None, pair: ServedPair) -> bool:
        """Whether reverting what brought the current release brings the wanted one: then that is a commit now."""
        found, wanted = self._last_of(git, folder, current) if current is not None else "", self.values_of(pair)
        if current is None or not found:
            return False
        before = self._read(folder)
        if git.run("revert", "--no-commit", found, cwd=folder).code:
            git.run("revert", "--abort", cwd=folder)
            return False
        changed = git.text("diff", "--cached", "--name-only", "-z", cwd=folder).split("\0")
        # a squashed commit of others may carry our line and change more
        ours = [name for name in changed if name] == [self._settings.file] and self._values(folder) == wanted
        if not ours or not changes_only(before, self._read(folder), wanted, where=self._settings.file):
            git.text("reset", "--hard", "--quiet", "HEAD", cwd=folder)
            return False
        # by the last line it is found if we are killed: what is there came by this commit, not by that of long ago
        self._commit(git, folder, f"Revert {_name(current)}\n\n{found}\n\n{TRAILER}: {_name(pair)}\n")
        return True

    def _last_of(self, git: GitSession, folder: Path, pair: ServedPair) -> str:
        """The last commit whose message says that it brings a release; empty if there is none."""
        # the whole line: others begin in the same way (1.1.0-rc1), or quote it
        line = re.sub(r"([\\.\[\]*^$])", r"\\\1", f"{TRAILER}: {_name(pair)}")
        return git.text("log", "-1", "--format=%H", "--basic-regexp", f"--grep=^{line}$", cwd=folder)

    def _commit(self, git: GitSession, folder: Path, message: str) -> None:
        git.text("add", "--", self._settings.file, cwd=folder)
        git.text(*AUTHOR, "commit", "--quiet", "--message", message, cwd=folder)

    def _push(self, git: GitSession, folder: Path, wanted: Values) -> None:
        branch = self._settings.branch
        for _ in range(PUSHES):
            self._tried.append(git.text("rev-parse", "HEAD", cwd=folder))
            pushed = git.run("push", "--quiet", "origin", f"HEAD:refs/heads/{branch}", cwd=folder)
            if not pushed.code:
                return
            if not any(word in pushed.tail for word in MOVED):
                raise explain_failure(pushed.tail, where=self._where)
            git.text("fetch", "--quiet", "origin", branch, cwd=folder)
            # ours alone: what somebody has taken from the branch by force must not come back with it
            rebased = git.run(*AUTHOR, "rebase", "--quiet", "--onto", "FETCH_HEAD", "HEAD~1", cwd=folder)
            if rebased.code or self._values(folder) != wanted:
                git.run("rebase", "--abort", cwd=folder)
                raise WorldError(
                    "somebody else has changed the same lines of the deployment repository meanwhile",
                    where=f"{self._where}: {self._settings.file}",
                    todo="Nothing was pushed. Look at the branch, and decide again.",
                )
            if git.text("rev-parse", "HEAD", cwd=folder) == git.text("rev-parse", "FETCH_HEAD", cwd=folder):
                return  # somebody else has pushed the very same: nothing of ours is left, or to be reverted
        raise WorldError("others keep pushing to the branch", where=self._where, todo="Try again.")

    @contextmanager
    def _clone(self) -> Iterator[tuple[GitSession, Path]]:
        settings = self._settings
        url = parse_url(
            settings.repository,
            allow_http=settings.allow_http,
            allow_local=Path(settings.repository).is_absolute(),
        )
        with tempfile.TemporaryDirectory(prefix="penstock-gitops-") as name:
            folder = Path(name)
            with git_session(
                url,
                credentials=self._basic_auth(folder),
                ssh=self._ssh(folder, url),
                allow_http=settings.allow_http,
                allow_local=url.scheme == "local",
                timeout_s=GIT_TIMEOUT_S,
            ) as git:
                clone = folder / "clone"
                cloned = git.run(
                    *("clone", "--quiet", "--no-tags", "--single-branch", "--branch", settings.branch),
                    *("--", url.text, str(clone)),
                )
                if cloned.code:
                    raise explain_failure(cloned.tail, where=self._where)
                yield git, clone

    def _basic_auth(self, folder: Path) -> Path | None:
        if not self._login:
            return None
        user, colon, password = self._login.partition(b":")
        if not colon or not user or not password:
            where = f"secret '{self._settings.credentials}'"
            raise UsageError("it is not of the form USER:PASSWORD", where=where)
        return _secret_folder(folder / "basic-auth", {"username": user, "password": password})

    def _ssh(self, folder: Path, url: RepositoryUrl) -> Path | None:
        if not self._key:
            return None
        host, _, port = url.host.rpartition(":") if url.host.rpartition(":")[2].isdecimal() else (url.host, "", "22")
        hosts = known_hosts(host, int(port), self._settings.host_keys)
        return _secret_folder(folder / "ssh", {"ssh-privatekey": self._key, "known_hosts": hosts.encode()})


def _secret_folder(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(mode=0o700)
    for name, content in files.items():
        path = folder / name
        path.touch(mode=0o600)
        path.write_bytes(content)
    return folder


def _value(field: SetField, pair: ServedPair) -> str:
    if field.value == "weights":
        return next((file.sha256 for file in pair.weights if file.path == field.path), "")
    return pair.values[field.value]


def _message(pair: ServedPair) -> str:
    weights = "".join(f"weights {one_line(file.path)} sha256:{file.sha256}\n" for file in pair.weights)
    name = _name(pair)
    return f"{name}\n\nimage {one_line(pair.image)}\n{weights}evidence {one_line(pair.evidence)}\n\n{TRAILER}: {name}\n"


def _name(pair: ServedPair) -> str:
    return f"{one_line(pair.model)} {one_line(pair.version)}"
