"""``pulls.yaml``: which repositories' pull requests are tried, who may ask for more, and how many runs go at a time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from penstock.contract.load import load_file
from penstock.contract.models import Name
from penstock.contract.policy import Strict
from penstock.foundation.errors import UsageError
from penstock.notices.forge_places import GITHUB, GITLAB, Forge, Kind
from penstock.sources.git_url import parse_url
from penstock.targets.secret_files import read_secret
from penstock.targets.targets_file import Address, FileName

MIN_WEBHOOK_SECRET = 16
"""Bytes."""
_PATH = re.compile(r"\.?[A-Za-z0-9_][A-Za-z0-9_.-]*(/\.?[A-Za-z0-9_][A-Za-z0-9_.-]*)+")
_API_BELOW: dict[Kind, str] = {"github": "/api/v3", "gitlab": "/api/v4", "gitea": "/api/v1"}


def _clone_address(value: str) -> str:
    try:
        parsed = parse_url(value, allow_http=True, allow_local=False)
    except UsageError as error:
        raise ValueError(error.what) from None
    if parsed.username or parsed.password:
        raise ValueError("must be an address without a name and a password: the secret penstock-git has them")
    if "$" in value:
        raise ValueError("must not contain '$', which has a meaning for Tekton")
    return value


Login = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$")]
"""A user's name on a forge."""
SliceName = Annotated[str, Field(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,99})?$")]
CloneAddress = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_clone_address)]
PlainWord = Annotated[str, Field(max_length=500, pattern=r"^[^\s$]*$")]
"""A parameter of the runs."""
ResourceName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")]
"""Of an object in the cluster."""
People = Annotated[list[Login], Field(max_length=1000)]


class ForgeSettings(Strict):
    """A forge: who sends events, and who is asked and told."""

    kind: Kind
    api: Address | None = None
    """Address of its API; ``None``: that of github.com or gitlab.com."""
    webhook: FileName
    """The file of the secrets with what its webhooks are signed with (GitLab sends it), 16 bytes at least."""
    token: FileName
    """The file of the secrets with the token that reads pull requests and sets statuses."""
    secret: ResourceName = "penstock-forge"  # noqa: S105 (a name)
    """The Secret that the runs' step *notify* gets: ``token``, ``kind``, ``url``."""
    allow_http: bool = False
    """Whether it may be reached without TLS, inside a cluster."""

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.kind == "gitea" and self.api is None:
            raise ValueError("'api' is missing: a Gitea has an address of its own, https://HOST/api/v1")
        if self.address.startswith("http://") and not self.allow_http:
            raise ValueError("'api' is unencrypted: use https, or say 'allow_http: true' inside a cluster")
        return self

    @property
    def address(self) -> str:
        """Of its API."""
        return (self.api or (GITHUB if self.kind == "github" else GITLAB)).rstrip("/")

    @property
    def host(self) -> str:
        """The host, without a port, of the repositories that lie on it."""
        return "github.com" if self.address == GITHUB else urlsplit(self.address).hostname or ""

    @property
    def below(self) -> str:
        """The path below which repositories lie on its host."""
        return urlsplit(self.address).path.removesuffix(_API_BELOW[self.kind]).rstrip("/")


class TriedRepository(Strict):
    """A repository whose pull requests are tried."""

    url: CloneAddress
    """What is cloned."""
    forge: Name
    people: People = Field(default_factory=list)
    """Further people, for this repository alone."""
    webhook: FileName | None = None
    """The file of the secrets for its own webhook, which is sent to ``/FORGE/OWNER/NAME``; ``None``: its forge's."""


class DeskFile(Strict):
    """All that the platform says of pull requests."""

    version: Literal[1]
    forges: Annotated[dict[Name, ForgeSettings], Field(min_length=1, max_length=20)]
    """Each name is the path to which that forge's webhooks are sent: ``/NAME``."""
    repositories: Annotated[list[TriedRepository], Field(min_length=1, max_length=1000)]
    people: People = Field(default_factory=list)
    """Who may give commands in comments, by their names on the forge."""
    at_most: Annotated[int, Field(ge=1, le=100, strict=True)] = 2
    """So many runs go at a time."""
    slice: SliceName = "smoke"
    """The cases that a pull request is tried with."""
    store: PlainWord = ""
    """Where the current release is, and the evidence goes."""
    registry: PlainWord = ""
    book: Address | None = None
    """Address of the release book, if it shows runs in progress: a pending status leads there."""
    shards: Annotated[int, Field(ge=1, le=100, strict=True)] = 1
    tls_verify: bool = True
    """Whether the registry has a certificate."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        seen = set[tuple[str, str]]()
        for number, repository in enumerate(self.repositories):
            where = f"repositories.{number}"
            forge = self.forges.get(repository.forge)
            if forge is None:
                raise ValueError(f"{where}: there is no forge '{repository.forge}'")
            if repository.url.startswith("http://") and not forge.allow_http:
                raise ValueError(f"{where}: 'url' is unencrypted, and its forge has no 'allow_http: true'")
            if repository.webhook == forge.webhook:
                raise ValueError(f"{where}: 'webhook' is its forge's: name a secret of its own, or leave it out")
            key = (repository.forge, path_on(forge, repository.url).lower())
            if key in seen:
                raise ValueError(f"{where}: this repository is there twice")
            seen.add(key)
        return self


@dataclass(frozen=True)
class DeskRepository:
    """A repository, with all that holds for it."""

    forge_name: str
    settings: ForgeSettings
    path: str
    """``owner/name`` on its forge."""
    url: str
    people: frozenset[str]
    """In lower case: forges take names in either."""

    @property
    def shown(self) -> str:
        """For logs."""
        return f"{self.forge_name}:{self.path}"

    def may(self, person: str) -> bool:
        """Whether a person may give commands here."""
        return person.lower() in self.people


class DeskSettings:
    """The file, read, with the repositories by forge and path."""

    def __init__(self, file: DeskFile) -> None:
        self.file = file
        self._repositories = {}
        for one in file.repositories:
            forge = file.forges[one.forge]
            path = path_on(forge, one.url)
            people = frozenset(name.lower() for name in (*file.people, *one.people))
            self._repositories[one.forge, path.lower()] = DeskRepository(one.forge, forge, path, one.url, people)

    def repository(self, forge: str, path: str) -> DeskRepository | None:
        """The repository of a path on a forge; ``None``: its pull requests are nobody's business here."""
        return self._repositories.get((forge, path.lower()))

    @property
    def repositories(self) -> list[DeskRepository]:
        """All of them, in the file's order."""
        return list(self._repositories.values())


def path_on(forge: ForgeSettings, url: str) -> str:
    """``owner/name`` of a repository's address on its forge.

    Raises:
        ValueError: it does not lie there: the token must be shown to nobody else.
    """
    scp = re.fullmatch(r"(?:[^@/:\s]+@)?([A-Za-z0-9._-]+):([^/:].*)", url) if "://" not in url else None
    parts = urlsplit(url)
    host, path = (scp[1], scp[2]) if scp else (parts.hostname or "", parts.path)
    if host != forge.host:
        raise ValueError(f"'{url[:200]}' lies on '{host}', its forge is '{forge.host}'")
    if parts.scheme in ("https", "http") and forge.below:
        if not path.startswith(f"{forge.below}/"):
            raise ValueError(f"'{url[:200]}' does not lie below '{forge.below}' of its forge")
        path = path.removeprefix(forge.below)
    name = path.strip("/").removesuffix(".git")
    if _PATH.fullmatch(name) is None or (forge.kind != "gitlab" and name.count("/") != 1):
        raise ValueError(f"'{url[:200]}' is not the address of a repository on its forge")
    return name


def load_desk(path: Path) -> DeskSettings:
    """What a file says.

    Raises:
        UsageError: ``where`` is ``FILE:LINE: field.path``.
    """
    return DeskSettings(load_file(path, DeskFile))


@dataclass(frozen=True)
class ForgeSecrets:
    """What a forge and we know of each other. Never shown."""

    webhook: bytes
    forge: Forge
    own_webhooks: Mapping[str, bytes] = field(default_factory=dict)
    """Path in lower case → the secret of that repository's own webhook, of those that have one."""

    def webhook_of(self, path: str) -> bytes | None:
        """The secret of the webhook of a repository's path (empty: of the forge); ``None``: it has none of its own."""
        return self.own_webhooks.get(path.lower()) if path else self.webhook


def read_secrets(file: DeskFile, folder: Path) -> dict[str, ForgeSecrets]:
    """The secrets of each forge, by its name.

    Raises:
        UsageError: a file is missing, or too short, or no text.
    """
    found = {}
    for name, settings in file.forges.items():
        webhook = read_secret(folder, settings.webhook, least=MIN_WEBHOOK_SECRET)
        try:
            token = read_secret(folder, settings.token).decode("ascii").strip()
        except UnicodeDecodeError:
            raise UsageError("it is not a token", where=f"secret '{settings.token}'") from None
        own = {
            path_on(settings, one.url).lower(): read_secret(folder, one.webhook, least=MIN_WEBHOOK_SECRET)
            for one in file.repositories
            if one.forge == name and one.webhook is not None
        }
        forge = Forge(settings.kind, settings.address, token, allow_http=settings.allow_http)
        found[name] = ForgeSecrets(webhook, forge, own)
    return found
