"""Gitea on the node: a forge with pull requests, webhooks and commit statuses, as an unprivileged user."""

from __future__ import annotations

import http.client
import json
import os
import pwd
import secrets
import shutil
import subprocess
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.cluster import binaries, process
from tests.cluster.settings import Settings

from penstock.foundation.errors import WorldError

NAME = "gitea"
USER = "nobody"
"""Gitea refuses to run as root."""
ADMINISTRATOR = "penstock"
CONFIGURATION = """\
APP_NAME = penstock
RUN_USER = {user}
RUN_MODE = prod
WORK_PATH = {data}

[server]
PROTOCOL = http
HTTP_ADDR = {address}
HTTP_PORT = {port}
ROOT_URL = {url}/
STATIC_ROOT_PATH = {program}
DISABLE_SSH = true
OFFLINE_MODE = true
LFS_START_SERVER = true

[database]
DB_TYPE = sqlite3
PATH = {data}/gitea.db
SQLITE_JOURNAL_MODE = WAL

[repository]
ROOT = {data}/repositories
DEFAULT_BRANCH = main

[security]
INSTALL_LOCK = true
SECRET_KEY = {secret}
; the slow default costs half a second of these two cores for each request with a password
PASSWORD_HASH_ALGO = pbkdf2$1000$50

[webhook]
; the cluster's services have private addresses
ALLOWED_HOST_LIST = private,loopback
DELIVER_TIMEOUT = 30

[service]
DISABLE_REGISTRATION = true

[actions]
ENABLED = false

[indexer]
ISSUE_INDEXER_TYPE = db

[log]
LEVEL = warn
"""


@dataclass(frozen=True)
class Administrator:
    """Who may do everything there, and where it is."""

    url: str
    user: str
    token: str


def start(settings: Settings) -> Administrator:
    """Start it, and make its administrator unless there is one.

    Raises:
        WorldError: it does not start, or makes no administrator.
    """
    program = _program(settings)
    if not program.is_dir():  # the cache may lie in a home that its user cannot enter
        temporary = program.with_name(".program")
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.copytree(settings.binary(NAME).parent, temporary)
        temporary.rename(program)
    process.start(settings, part(settings))
    return _administrator(settings)


def part(settings: Settings) -> process.Part:
    """Its process."""
    return process.Part(NAME, [*_as_user(), *_gitea(settings), "web"], lambda: _answers(settings), _env(settings))


def _administrator(settings: Settings) -> Administrator:
    """Made once. Nobody knows the password, and no argument of a program tells a secret to who lists processes."""
    path = _folder(settings) / "administrator.json"
    if not path.is_file():
        named = ("--username", ADMINISTRATOR)
        if f" {ADMINISTRATOR} " not in _run(settings, "admin", "user", "list"):
            more = ("--email", f"{ADMINISTRATOR}@example.org", "--random-password", "--must-change-password=false")
            _run(settings, "admin", "user", "create", "--admin", *named, *more)
        token = ("--token-name", "cluster", "--scopes", "all", "--raw")
        made = _run(settings, "admin", "user", "generate-access-token", *named, *token).strip()
        temporary = path.with_suffix(".tmp")
        temporary.touch(mode=0o600)
        temporary.write_text(json.dumps(asdict(Administrator(settings.gitea, ADMINISTRATOR, made.splitlines()[-1]))))
        temporary.replace(path)
    return Administrator(**json.loads(path.read_text()))


def _run(settings: Settings, *arguments: str) -> str:
    argv = [*_as_user(), *map(str, _gitea(settings)), *arguments]
    environment = os.environ | _env(settings)
    done = subprocess.run(argv, env=environment, cwd=_data(settings), capture_output=True, text=True, check=False)
    if done.returncode:
        raise WorldError(f"{' '.join(arguments[:3])}: {(done.stderr or done.stdout).strip()[-800:]}", where=NAME)
    return done.stdout


def _as_user() -> list[str]:
    return ["setpriv", f"--reuid={USER}", f"--regid={_account().pw_gid}", "--clear-groups", "--no-new-privs"]


def _gitea(settings: Settings) -> list[str | Path]:
    return [_program(settings) / "gitea", "--config", _configuration(settings)]


def _env(settings: Settings) -> dict[str, str]:
    return {"HOME": str(_data(settings)), "USER": USER, "GIT_CONFIG_NOSYSTEM": "1"}


def _account() -> pwd.struct_passwd:
    return pwd.getpwnam(USER)


def _folder(settings: Settings) -> Path:
    folder = settings.state / "gitea"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _program(settings: Settings) -> Path:
    """The program and what it reads: where its user can read them."""
    return _folder(settings) / binaries.folder(settings.cache, _module()).name


def _module() -> binaries.Module:
    return next(module for module in binaries.MODULES if module.name == NAME)


def _data(settings: Settings) -> Path:
    """What it writes."""
    folder = _folder(settings) / "data"
    if not folder.is_dir():
        folder.mkdir(mode=0o700)
        os.chown(folder, _account().pw_uid, _account().pw_gid)
    return folder


def _configuration(settings: Settings) -> Path:
    """Written once: Gitea writes secrets of its own into it."""
    path = _data(settings) / "app.ini"
    if not path.is_file():
        temporary = path.with_suffix(".tmp")
        temporary.touch(mode=0o600)
        temporary.write_text(
            CONFIGURATION.format(
                user=USER,
                data=_data(settings),
                address=settings.address,
                port=settings.gitea_port,
                url=settings.gitea,
                program=_program(settings),
                secret=secrets.token_hex(32),
            )
        )
        os.chown(temporary, _account().pw_uid, _account().pw_gid)
        temporary.replace(path)
    return path


def _answers(settings: Settings) -> bool:
    with closing(http.client.HTTPConnection(settings.address, settings.gitea_port, timeout=5)) as connection:
        try:
            connection.request("GET", "/api/healthz")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
