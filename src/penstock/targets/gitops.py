"""``gitops``: a commit in a deployment repository. Pushed, rebased if the branch has moved on, never forced."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from penstock.foundation.errors import UsageError, WorldError, one_line
from penstock.foundation.files import inside, read_regular
from penstock.foundation.yaml_text import KeyPath
from penstock.sources.git_session import GitSession, explain_failure, git_session
from penstock.sources.git_url import RepositoryUrl, parse_url
from penstock.targets.known_hosts import known_hosts
from penstock.targets.pair import ServedPair
from penstock.targets.secret_files import read_secret
from penstock.targets.short_answer import NoShortAnswerError, ask
from penstock.targets.targets_file import GitopsSettings, SetField
from penstock.targets.waiting import wait_until_served
from penstock.targets.yaml_fields import MAX_FILE_BYTES, get_fields, set_fields

GIT_TIMEOUT_S = 60.0
PUSHES = 5
LONGEST_GIT_S = (3 * PUSHES + 8) * GIT_TIMEOUT_S
"""To clone, to commit, and to push until nobody else is faster."""
LOOK_TIMEOUT_S = 10.0
TRAILER = "Penstock-Release"
"""Of a commit's message: ``Penstock-Release: MODEL VERSION``."""
AUTHOR = ("-c", "user.name=Penstock", "-c", "user.email=penstock@localhost", "-c", "commit.gpgSign=false")
MOVED = ("non-fast-forward", "fetch first", "[rejected]", "cannot lock ref", "incorrect old value")


class GitopsTarget:
    """One file in a deployment repository."""

    def __init__(self, name: str, settings: GitopsSettings, secrets: Path | None) -> None:
        """See :class:`penstock.targets.target_driver.TargetDriver`.

        Raises:
            UsageError: a secret is missing.
        """
        self._settings, self._where = settings, f"target '{name}'"
        self._login = read_secret(secrets, settings.credentials) if settings.credentials else b""
        self._key = read_secret(secrets, settings.key) if settings.key else b""
        self._tried: list[str] = []
        """The commits that we made and tried to push: one that was not answered may be there all the same."""
        self._current: ServedPair | None = None

    @property
    def longest_s(self) -> float:
        """See the protocol."""
        return 2 * (self._settings.timeout_s + LOOK_TIMEOUT_S + LONGEST_GIT_S)

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

    def state(self) -> str:
        """The branch's commit now; its file has all of the fields."""
        with self._clone() as (git, folder):
            self._values(folder)
            return git.text("rev-parse", "HEAD", cwd=folder)

    def deploy(self, pair: ServedPair, current: ServedPair | None) -> None:
        """Commit, push, and wait for what applies it."""
        self._current = current
        wanted = {tuple(field.at): _value(field, pair) for field in self._settings.fields}
        with self._clone() as (git, folder):
            if self._values(folder) != wanted:
                if not self._revert_brings(git, folder, current, wanted):
                    self._write(folder, wanted)
                    self._commit(git, folder, _message(pair))
                self._push(git, folder, wanted)
        self._wait(pair)

    def restore(self, state: str) -> None:
        """Revert the commit, if it was pushed, and wait for what served before."""
        if not self._tried:
            return
        with self._clone() as (git, folder):
            ours = [commit for commit in self._tried if not self._lacks(git, folder, commit)]
            if not ours:
                return
            shown = git.run("show", f"{state}:{self._settings.file}", cwd=folder)
            if shown.code:
                raise explain_failure(shown.tail, where=self._where)
            wanted = get_fields(shown.output, self._places, where=self._settings.file)
            if self._values(folder) != wanted:
                reverted = git.run(*AUTHOR, "revert", "--no-edit", ours[-1], cwd=folder)
                if reverted.code or self._values(folder) != wanted:
                    raise WorldError(
                        f"the commit {ours[-1][:12]} cannot be reverted: others have changed its lines since",
                        where=self._where,
                        todo="Put the file right by hand.",
                    )
                self._push(git, folder, wanted)
        current = self._current
        # somebody may have put another image there by hand: then nobody can say what `ready` names
        if current is not None and all(wanted[tuple(f.at)] == _value(f, current) for f in self._settings.fields):
            self._wait(current)

    def _lacks(self, git: GitSession, folder: Path, commit: str) -> bool:
        return git.run("merge-base", "--is-ancestor", commit, "HEAD", cwd=folder).code != 0

    @property
    def _places(self) -> list[KeyPath]:
        return [tuple(field.at) for field in self._settings.fields]

    def _values(self, folder: Path) -> dict[KeyPath, str]:
        return get_fields(self._read(folder), self._places, where=self._settings.file)

    def _read(self, folder: Path) -> bytes:
        path = inside(folder, self._settings.file, where=self._where)
        return read_regular(path, max_bytes=MAX_FILE_BYTES, where=self._settings.file)

    def _write(self, folder: Path, wanted: dict[KeyPath, str]) -> None:
        changed = set_fields(self._read(folder), wanted, where=self._settings.file)
        inside(folder, self._settings.file, where=self._where).write_bytes(changed)

    def _revert_brings(
        self, git: GitSession, folder: Path, current: ServedPair | None, wanted: dict[KeyPath, str]
    ) -> bool:
        """Whether reverting what brought the current release brings the wanted one: then that is a commit now."""
        if current is None:
            return False
        line = f"{TRAILER}: {one_line(current.model)} {one_line(current.version)}"
        found = git.text("log", "-1", "--format=%H", "--fixed-strings", f"--grep={line}", cwd=folder)
        if not found or line not in git.text("log", "-1", "--format=%B", found, cwd=folder).splitlines():
            return False
        if git.run("revert", "--no-commit", found, cwd=folder).code:
            git.run("revert", "--abort", cwd=folder)
            return False
        changed = git.text("diff", "--cached", "--name-only", "-z", cwd=folder).split("\0")
        # a squashed commit of others may carry our line and change more
        if [name for name in changed if name] != [self._settings.file] or self._values(folder) != wanted:
            git.text("reset", "--hard", "--quiet", "HEAD", cwd=folder)
            return False
        self._commit(git, folder, f"Revert {one_line(current.model)} {one_line(current.version)}\n\n{found}")
        return True

    def _commit(self, git: GitSession, folder: Path, message: str) -> None:
        git.text("add", "--", self._settings.file, cwd=folder)
        git.text(*AUTHOR, "commit", "--quiet", "--message", message, cwd=folder)

    def _push(self, git: GitSession, folder: Path, wanted: dict[KeyPath, str]) -> None:
        branch = self._settings.branch
        for _ in range(PUSHES):
            self._tried.append(git.text("rev-parse", "HEAD", cwd=folder))
            pushed = git.run("push", "--quiet", "origin", f"HEAD:refs/heads/{branch}", cwd=folder)
            if not pushed.code:
                return
            if not any(word in pushed.tail for word in MOVED):
                raise explain_failure(pushed.tail, where=self._where)
            git.text("fetch", "--quiet", "origin", branch, cwd=folder)
            rebased = git.run(*AUTHOR, "rebase", "--quiet", "FETCH_HEAD", cwd=folder)
            if rebased.code or self._values(folder) != wanted:
                git.run("rebase", "--abort", cwd=folder)
                raise WorldError(
                    "somebody else has changed the same lines of the deployment repository meanwhile",
                    where=f"{self._where}: {self._settings.file}",
                    todo="Nothing was pushed. Look at the branch, and decide again.",
                )
        raise WorldError("others keep pushing to the branch", where=self._where, todo="Try again.")

    def _wait(self, pair: ServedPair) -> None:
        ready = self._settings.ready

        def look() -> str:
            try:
                answer = ask("GET", ready.url, timeout_s=LOOK_TIMEOUT_S)
            except NoShortAnswerError as error:
                return str(error)
            if answer.status != 200:
                return f"its address 'ready' answers {answer.status}"
            text = answer.content.decode("utf-8", "replace")
            missing = [word for what in ready.says for word in pair.says(what) if word not in text]
            return f"its address 'ready' does not name {missing[0]}" if missing else ""

        what, settings = f"{pair.model} {pair.version}", self._settings
        wait_until_served(look, timeout_s=settings.timeout_s, poll_s=settings.poll_s, where=self._where, what=what)

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
    name = f"{one_line(pair.model)} {one_line(pair.version)}"
    return f"{name}\n\nimage {one_line(pair.image)}\n{weights}evidence {one_line(pair.evidence)}\n\n{TRAILER}: {name}\n"
