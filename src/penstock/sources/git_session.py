"""A git that reads no configuration but ours, asks no questions, and speaks only the transports that were allowed."""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from penstock.foundation.errors import UsageError, WorldError
from penstock.foundation.files import disk_errors
from penstock.sources.git_url import RepositoryUrl, mask
from penstock.sources.program import Finished, run

# Faults of old but honest repositories, which say nothing about safety. All other checks of `git fsck` stay on,
# among them those for `.gitmodules` and for trees that write into `.git`.
_FORGIVEN = [
    "badDate",
    "badDateOverflow",
    "badEmail",
    "badName",
    "badTimezone",
    "missingEmail",
    "missingNameBeforeEmail",
    "missingSpaceBeforeDate",
    "missingSpaceBeforeEmail",
    "zeroPaddedDate",
    "zeroPaddedFilemode",
    "missingTaggerEntry",
    "badTagName",
    "nullSha1",
    "multipleAuthors",
]

_PASSED_ON = [
    "PATH",
    "TMPDIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
]


@dataclass(frozen=True)
class GitSession:
    """How git is run for one clone: its environment and its time limit. Made by :func:`git_session`."""

    program: str
    env: Mapping[str, str]
    timeout_s: float

    def run(self, *arguments: str, cwd: Path | None = None) -> Finished:
        """Run git; a non-zero exit is returned, not raised."""
        finished = run([self.program, *arguments], cwd=cwd, env=self.env, timeout_s=self.timeout_s)
        died = f"\nerror: git died of signal {-finished.code}" if finished.code < 0 else ""
        return replace(finished, tail=mask(finished.tail) + died)

    def text(self, *arguments: str, cwd: Path) -> str:
        """Run git on a repository that is here, and return its output without the last newline.

        Raises:
            WorldError: git failed.
        """
        finished = self.run(*arguments, cwd=cwd)
        if finished.code:
            raise explain_failure(finished.tail, where=f"git {arguments[0]}")
        return finished.output.decode("utf-8", "replace").rstrip("\n")


@contextmanager
def git_session(
    url: RepositoryUrl,
    *,
    credentials: Path | None,
    ssh: Path | None,
    allow_http: bool,
    allow_local: bool,
    timeout_s: float,
    git: str = "git",
) -> Iterator[GitSession]:
    """Prepare a home of its own for git (configuration, credentials, keys) and remove it afterwards.

    Args:
        url: the repository; ``username`` and ``password`` files are offered to its host only.
        credentials: a basic-auth directory: ``.git-credentials`` and ``.gitconfig``, or ``username`` and ``password``.
        ssh: an ssh directory: ``id_*`` keys, ``known_hosts``, ``config``.
        allow_http: let git speak unencrypted http.
        allow_local: let git read repositories on this machine.
        timeout_s: limit of every single git command.
        git: the program.

    Raises:
        UsageError: a workspace holds nothing that can be used.
    """
    with disk_errors(Path(tempfile.gettempdir())):
        home = Path(tempfile.mkdtemp(prefix="penstock-git-"))
    try:
        with disk_errors(home):
            stored = _credentials(home, url, credentials)
            (home / "gitconfig").write_text(
                _configuration(stored, allow_http=allow_http, allow_local=allow_local), encoding="utf-8"
            )
            env = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
            env |= {
                "HOME": str(home),
                "XDG_CONFIG_HOME": str(home),
                "LC_ALL": "C.UTF-8",
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_CONFIG_GLOBAL": str(home / "gitconfig"),
                "GIT_ATTR_NOSYSTEM": "1",
                "GIT_TERMINAL_PROMPT": "0",
                "GIT_ASKPASS": "true",
                "SSH_ASKPASS": "true",
                "GIT_LFS_SKIP_SMUDGE": "1",
                "GIT_SSH_COMMAND": _ssh_command(home, ssh),
                "GIT_SSH_VARIANT": "ssh",
            }
            if ssh is None and "SSH_AUTH_SOCK" in os.environ:
                env["SSH_AUTH_SOCK"] = os.environ["SSH_AUTH_SOCK"]
        yield GitSession(git, env, timeout_s)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _configuration(stored: Path | None, *, allow_http: bool, allow_local: bool) -> str:
    """Git's whole configuration. The workspace's ``.gitconfig`` comes first, so that it cannot loosen what follows."""
    home_config = [] if stored is None else ["[include]", f'path = "{stored.parent / ".gitconfig"}"']
    helper = [] if stored is None else ["[credential]", f'helper = "store --file={shlex.quote(str(stored))}"']
    allowed = {
        "https": True,
        "ssh": True,
        "http": allow_http,
        "file": allow_local,
        "ext": False,
        "fd": False,
        "git": False,
    }
    protocols = [
        line
        for name, yes in allowed.items()
        for line in (f'[protocol "{name}"]', f"allow = {'always' if yes else 'never'}")
    ]
    lines = [
        *home_config,
        *helper,
        "[protocol]",
        "allow = never",
        *protocols,
        "[safe]",
        "directory = *",
        "[core]",
        "hooksPath = /dev/null",
        "attributesFile = /dev/null",
        "excludesFile = /dev/null",
        "fsmonitor = false",
        "protectHFS = true",
        "protectNTFS = true",
        "autocrlf = false",
        "[http]",
        "followRedirects = initial",
        "lowSpeedLimit = 1",
        "lowSpeedTime = 60",
        "[transfer]",
        "fsckObjects = true",
        '[fetch "fsck"]',
        *(f"{name} = ignore" for name in _FORGIVEN),
        "[submodule]",
        "recurse = false",
        "[gc]",
        "auto = 0",
        "[maintenance]",
        "auto = false",
        "[advice]",
        "detachedHead = false",
        "[log]",
        "showSignature = false",
        # Files of Git LFS are checked out as pointers; `git lfs pull` brings their content where it is wanted.
        '[filter "lfs"]',
        "clean = git-lfs clean -- %f",
        "smudge = cat",
        "required = false",
    ]
    return "\n".join(lines) + "\n"


def _credentials(home: Path, url: RepositoryUrl, workspace: Path | None) -> Path | None:
    """Gather credentials in a file that only git's ``store`` helper reads; nothing of them enters the clone."""
    entries: list[str] = []
    config = ""
    if url.username or url.password:
        entries.append(f"{url.scheme}://{url.username}:{url.password}@{url.host}")
    if workspace is not None:
        found = False
        if (workspace / ".git-credentials").is_file():
            entries += (workspace / ".git-credentials").read_text(encoding="utf-8").splitlines()
            found = True
        if (workspace / ".gitconfig").is_file():
            config = (workspace / ".gitconfig").read_text(encoding="utf-8")
            found = True
        if (workspace / "password").is_file():
            user = (
                (workspace / "username").read_text(encoding="utf-8").strip()
                if (workspace / "username").is_file()
                else "git"
            )
            password = (workspace / "password").read_text(encoding="utf-8").strip("\r\n")
            if url.scheme in ("https", "http"):
                entries.append(f"{url.scheme}://{quote(user, safe='')}:{quote(password, safe='')}@{url.host}")
            found = True
        if not found:
            raise UsageError(
                "the basic-auth workspace holds none of '.git-credentials', '.gitconfig', 'username' and 'password'",
                where=str(workspace),
                todo="Mount a secret of type kubernetes.io/basic-auth, or leave the workspace out.",
            )
    if not entries and not config:
        return None
    (home / ".gitconfig").write_text(config, encoding="utf-8")
    return _private(home / ".git-credentials", "".join(line + "\n" for line in entries if line.strip()).encode())


def _ssh_command(home: Path, workspace: Path | None) -> str:
    """The ssh that git calls: no questions, known hosts only; with a workspace, its keys and no other."""
    options = "-o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=20"
    if workspace is None:
        return f"ssh {options}"
    folder = home / ".ssh"
    folder.mkdir(mode=0o700)
    keys = sorted(path for path in workspace.glob("id_*") if path.is_file() and path.suffix != ".pub")
    if (workspace / "ssh-privatekey").is_file():
        keys.append(workspace / "ssh-privatekey")
    if not keys:
        raise UsageError("the ssh-directory workspace holds no key ('id_*' or 'ssh-privatekey')", where=str(workspace))
    # ssh refuses keys that others may read, which is how a mounted secret looks; so they are copied.
    copies = [_private(folder / f"key-{number}", _key_bytes(key)) for number, key in enumerate(keys)]
    identities = "".join(f" -i {shlex.quote(str(copy))}" for copy in copies)
    known = folder / "known_hosts"
    known.write_bytes((workspace / "known_hosts").read_bytes() if (workspace / "known_hosts").is_file() else b"")
    config = folder / "config"
    config.write_bytes((workspace / "config").read_bytes() if (workspace / "config").is_file() else b"")
    hosts = f"-o UserKnownHostsFile={shlex.quote(str(known))} -o GlobalKnownHostsFile=/dev/null"
    return f"ssh -F {shlex.quote(str(config))} {options} {hosts} -o IdentitiesOnly=yes{identities}"


def _key_bytes(path: Path) -> bytes:
    content = path.read_bytes()
    return content if content.endswith(b"\n") else content + b"\n"  # ssh calls a key without its last newline invalid


def _private(path: Path, content: bytes) -> Path:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    return path


def explain_failure(tail: str, *, where: str) -> WorldError | UsageError:
    """Turn what git said into one error: whose fault it is, and what to do."""
    lowered = tail.lower()
    lines = [line.strip() for line in tail.splitlines() if line.strip()]
    said = next(
        (line for line in lines if line.startswith(("fatal:", "error:", "remote:"))),
        lines[-1] if lines else "git said nothing",
    )
    if (
        "no space left" in lowered
        or "disk quota" in lowered
        or "file too large" in lowered
        or "died of signal 25" in lowered
    ):
        return WorldError(
            "no space is left on the disk", where=where, todo="Free space, or use a larger volume, and run it again."
        )
    if (
        "authentication failed" in lowered
        or "could not read username" in lowered
        or "could not read password" in lowered
    ):
        return WorldError(
            "the git server asks for credentials, or refuses these",
            where=where,
            todo="Give a basic-auth workspace that is valid for it.",
        )
    if "host key verification failed" in lowered:
        return WorldError(
            "the host's ssh key is not known",
            where=where,
            todo="Add it to 'known_hosts' of the ssh-directory workspace.",
        )
    if "permission denied (" in lowered:
        return WorldError(
            "the ssh server refuses the key",
            where=where,
            todo="Give an ssh-directory workspace with a key that it accepts.",
        )
    if "fsck error" in lowered or "hasdotgit" in lowered or "gitmodules" in lowered:
        return UsageError(f"the repository holds objects that git refuses: {said}", where=where)
    if "does not appear to be a git repository" in lowered:
        return UsageError("this is not a git repository", where=where, todo="Check the address.")
    if "not found" in lowered and "repository" in lowered:
        return WorldError(
            "the git server knows no such repository, or hides it",
            where=where,
            todo="Check the address and the credentials.",
        )
    if "transport" in lowered and "not allowed" in lowered:
        return UsageError(f"git was sent to a transport that is not allowed: {said}", where=where)
    return WorldError(
        f"git failed: {said}", where=where, todo="Check that the address can be reached from here, and try again."
    )
