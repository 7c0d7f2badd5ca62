"""``targets.yaml``: where the platform lets releases be served. A model's contract only names one of these."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from penstock.contract.load import load_file
from penstock.contract.models import Name, RelativePath
from penstock.contract.policy import Strict
from penstock.foundation.errors import UsageError
from penstock.sources.git_url import parse_url

TARGETS_FILE = "targets.yaml"
"""The file in the workspace ``targets``; public keys that it names lie beside it."""
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
"""A file of a secret, or beside ``targets.yaml``."""
DnsLabel = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
"""As Kubernetes has names of namespaces and containers."""
PositiveSeconds = Annotated[float, Field(gt=0, le=3600, strict=True)]
Word = Annotated[str, Field(min_length=1, max_length=2000)]
Program = Annotated[list[Word], Field(min_length=1, max_length=50)]
WORD_NAME = re.compile(r"\{([a-z0-9_]+)\}")
"""``{image}`` in a word of a program."""
Said = Literal["image_digest", "weights", "version"]


def _address(value: str) -> str:
    wanted = "must be an address such as https://deploy.example.org/penstock"
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError(wanted) from None
    if parts.scheme not in ("https", "http") or not host or not value.isprintable() or " " in value:
        raise ValueError(wanted)
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise ValueError("must be an address without a name, a password and a fragment: secrets are files")
    return value


def _repository(value: str) -> str:
    try:
        parsed = parse_url(value, allow_http=True, allow_local=Path(value).is_absolute())
    except UsageError as error:
        raise ValueError(error.what) from None
    if parsed.username or parsed.password:
        raise ValueError("must be an address without a name and a password: give them as a secret")
    return value


def _branch(value: str) -> str:
    bad = ("..", "@{", "//", ".lock", "\\", "~", "^", ":", "?", "*", "[", " ")
    ends = value.startswith(("-", "/", ".")) or value.endswith(("/", "."))
    if not value.isprintable() or ends or any(part in value for part in bad):
        raise ValueError("must be the name of a branch such as main")
    return value


def _login(value: str) -> str:
    user, at, host = value.rpartition("@")
    letters = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
    whole = (host, user) if at else (host,)
    if not all(part and set(part) <= letters and not part.startswith("-") for part in whole):
        raise ValueError("must be a host, or a user and a host such as deploy@booth.example.org")
    return value


def _host_key(value: str) -> str:
    words = value.split()
    whole = len(words) > 1 and re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", words[1]) is not None
    if (
        not whole
        or not value.isprintable()
        or not value.isascii()
        or not words[0].startswith(("ssh-", "ecdsa-", "sk-"))
    ):
        raise ValueError("must be a host's public key, as in /etc/ssh/ssh_host_ed25519_key.pub: ssh-ed25519 AAAA…")
    return " ".join(words[:2])


def _store(value: str) -> str:
    bucket = value.removeprefix("s3://").partition("/")[0] if value.startswith("s3://") else ""
    if not value.isprintable() or not (bucket or Path(value).is_absolute()):
        raise ValueError("must be s3://bucket/prefix, or the whole path of a directory")
    return value


Address = Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(_address)]


class _AnyTarget(Strict):
    """What every target says."""

    models: Annotated[list[Name], Field(min_length=1, max_length=200)]
    """The models that may be served here: a repository that names another's target gets nothing."""
    timeout_s: PositiveSeconds = 600.0
    """How long the pair may take to serve, from when it was handed over; then what was there is put back."""
    poll_s: PositiveSeconds = 2.0
    """How long between two looks."""


class WebhookSettings(_AnyTarget):
    """A signed POST; the answer says what serves."""

    kind: Literal["webhook"]
    url: Address
    secret: FileName
    """The file of the secrets that holds the shared key, 16 bytes at least."""
    request_timeout_s: PositiveSeconds = 20.0
    """Of one request."""
    allow_http: bool = False
    """Whether ``url`` may be unencrypted, inside a cluster."""

    @model_validator(mode="after")
    def _encrypted(self) -> WebhookSettings:
        if self.url.lower().startswith("http://") and not self.allow_http:
            raise ValueError("'url' is unencrypted: use https, or say 'allow_http: true' inside a cluster")
        return self


class ReadyAddress(Strict):
    """Where one sees what is in service."""

    url: Address
    """Answers a GET with 200 and a text."""
    says: Annotated[list[Said], Field(min_length=1, max_length=3)]
    """What the text must contain: that of the pair, so that an older release that still answers does not pass."""


class SetField(Strict):
    """One field of a file in a deployment repository."""

    at: Annotated[list[str | int], Field(min_length=1, max_length=32)]
    """Names and numbers down to it: ``[spec, containers, 0, image]``. It is there already, as text on one line."""
    value: Literal["image", "image_digest", "version", "weights"]
    """What is written: ``ADDRESS@sha256:…``, ``sha256:…``, the version, or the SHA-256 of the weights at ``path``."""
    path: RelativePath | None = None
    """With ``weights``: which, as in the contract."""

    @model_validator(mode="after")
    def _which_weights(self) -> SetField:
        if (self.value == "weights") != (self.path is not None):
            raise ValueError("'path' says which weights: it belongs to 'value: weights', and to no other")
        return self


class RepositorySettings(Strict):
    """One YAML file of a deployment repository, which something else applies, such as Argo CD or Flux."""

    repository: Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(_repository)]
    branch: Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_branch)] = "main"
    file: RelativePath
    """The YAML file in it: one document."""
    fields: Annotated[list[SetField], Field(min_length=1, max_length=100)]
    """All of the pair: the image by its digest, and each file of weights."""
    credentials: FileName | None = None
    """A file ``USER:PASSWORD`` of the secrets, for https."""
    key: FileName | None = None
    """A private key of the secrets, for ssh."""
    host_keys: Annotated[list[Annotated[str, AfterValidator(_host_key)]], Field(max_length=10)] = Field(
        default_factory=list
    )
    """The public keys of its ssh host; two while one is being replaced."""
    allow_http: bool = False
    """Whether ``repository`` may be unencrypted, inside a cluster."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        parsed = parse_url(self.repository, allow_http=True, allow_local=Path(self.repository).is_absolute())
        if parsed.scheme == "http" and not self.allow_http:
            raise ValueError("'repository' is unencrypted: use https, or say 'allow_http: true' inside a cluster")
        if (parsed.scheme == "ssh") != (self.key is not None) or bool(self.host_keys) != (self.key is not None):
            raise ValueError("an ssh repository needs 'key' and 'host_keys', and no other has them")
        if not any(field.value in ("image", "image_digest") for field in self.fields):
            raise ValueError("'fields' must write the image's digest: 'image' or 'image_digest'")
        places = [tuple(field.at) for field in self.fields]
        if len(set(places)) < len(places):
            raise ValueError("two of 'fields' write the same place")
        return self


class GitopsSettings(_AnyTarget, RepositorySettings):
    """A commit in a deployment repository, which something else applies."""

    kind: Literal["gitops"]
    ready: ReadyAddress

    @model_validator(mode="after")
    def _one_model(self) -> GitopsSettings:
        if len(self.models) > 1:
            raise ValueError("'file' serves one model: name one under 'models', and give the others a target of theirs")
        return self


class HostSettings(_AnyTarget):
    """A machine without Kubernetes, over SSH. Words of its programs may hold ``{image}`` and so on."""

    kind: Literal["host"]
    address: Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_login)]
    port: Annotated[int, Field(ge=1, le=65535, strict=True)] = 22
    host_keys: Annotated[list[Annotated[str, AfterValidator(_host_key)]], Field(min_length=1, max_length=10)]
    """The machine's public keys; two while one is being replaced."""
    key: FileName
    """The private key of the secrets that logs in."""
    state: Program
    """Prints, on one line, what serves now: whatever ``back`` needs to bring it back."""
    pull: Program
    """Brings the image by its digest; nothing changes for users yet."""
    weights: Program | None = None
    """Brings one file of weights; once for each, with ``{path}``, ``{sha256}``, ``{source}``."""
    restart: Program
    """Lets the pair serve."""
    health: Program
    """Exit code 0 once it serves, and prints the image's digest and the SHA-256 of each file of weights in use."""
    back: Program
    """Lets serve again what ``state`` printed, which is ``{state}``."""
    command_timeout_s: PositiveSeconds = 600.0
    """Of one program; pulling takes the longest."""

    @model_validator(mode="after")
    def _known_words(self) -> HostSettings:
        pair = ("model", "version", "image", "image_digest", "use_onnx")
        weights = (*pair, "path", "sha256", "source")
        programs = [(self.state, ("model",)), (self.pull, pair), (self.weights or [], weights), (self.restart, pair)]
        for program, known in [*programs, (self.health, pair), (self.back, ("model", "state"))]:
            for name in (name for word in program for name in WORD_NAME.findall(word)):
                if name not in known:
                    fits = f"known here: {', '.join(known)}"
                    raise ValueError(f"nothing fills '{{{name}}}' in '{' '.join(program)[:80]}'; {fits}")
        return self


class WorkloadSettings(_AnyTarget):
    """What has a pod template on a Kubernetes cluster, which gets the pair."""

    namespace: DnsLabel
    name: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")]
    """Of the Deployment or Rollout: it is there already."""
    container: DnsLabel
    """The container that gets the image; it has a readiness probe."""
    init_container: DnsLabel | None = None
    """The init container that brings the weights: its environment says which. Needed by a release that has weights."""
    kubeconfig: FileName | None = None
    """A file of the secrets that says where the API server is. None: the cluster that Penstock runs on, as the account
    of its pod."""

    @model_validator(mode="after")
    def _one_of_each(self) -> WorkloadSettings:
        if len(self.models) > 1:
            raise ValueError("'container' serves one model: name one under 'models', and give the others a target")
        if self.container == self.init_container:
            raise ValueError("'init_container' brings the weights before 'container' starts: it is another one")
        return self


class DeploymentSettings(WorkloadSettings):
    """A Deployment of Kubernetes."""

    kind: Literal["deployment"]


class RolloutSettings(WorkloadSettings):
    """A Rollout of Argo Rollouts: some of the users first, then, once the watch says so, all."""

    kind: Literal["rollout"]
    canary_s: Annotated[float, Field(gt=0, le=86400, strict=True)] = 18000.0
    """How long it may take until the release serves everybody, people's decisions included; then what was there is put
    back, for which ``timeout_s`` is the time. By default a watch of two hours, one for a person, and a watch again."""
    control: DnsLabel | None = None
    """A Deployment without replicas, and its Service, both of this name: beside a canary it runs as many fresh pods of
    the stable release, which get as many users. ``None``: the canary is compared with all of the stable side."""
    git: RepositorySettings | None = None
    """The deployment repository that holds the Rollout, if one does: the release comes and goes by commits in it, and
    Penstock changes no pod template itself."""

    @model_validator(mode="after")
    def _version_written(self) -> RolloutSettings:
        if self.git is not None and not any(field.value == "version" for field in self.git.fields):
            raise ValueError(
                "'git.fields' must write the version: add {at: …, value: version}, where the Rollout's template says "
                "penstock.dev/version; else its canary cannot be told from one that somebody else has started"
            )
        return self


class RegistrySettings(Strict):
    """How the registry is asked for what lies beside an image."""

    credentials: FileName | None = None
    """A ``config.json`` of docker's, a file of the secrets."""
    tls_verify: bool = True
    """Whether its certificate is checked; ``false`` also speaks plain http."""


OneTarget = WebhookSettings | GitopsSettings | HostSettings | DeploymentSettings | RolloutSettings
TargetSettings = Annotated[OneTarget, Field(discriminator="kind")]


class Targets(Strict):
    """``targets.yaml``."""

    version: Literal[1]
    verdict_keys: Annotated[list[FileName], Field(max_length=10)] = Field(default_factory=list)
    """Public keys, files beside ``targets.yaml``: only what one of them has signed is served. Two while one is being
    replaced; none: verdicts are not looked at."""
    provenance_keys: Annotated[list[FileName], Field(max_length=10)] = Field(default_factory=list)
    """Public keys of the builder (Tekton Chains), files beside ``targets.yaml``: only an image that *build* has built
    of the commit that was judged is promoted. None: provenance is not looked at."""
    registry: RegistrySettings = Field(default_factory=RegistrySettings)
    """Where provenance lies."""
    store: Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(_store)] | None = None
    """Where releases are kept: nobody has to say it then, and nobody can say another. ``None``: who acts says it."""
    targets: Annotated[dict[Name, TargetSettings], Field(min_length=1, max_length=200)]

    @model_validator(mode="after")
    def _whose_commit(self) -> Targets:
        if self.provenance_keys and not self.verdict_keys:
            raise ValueError(
                "'provenance_keys' needs 'verdict_keys': which commit was judged is what the signed verdict says"
            )
        return self

    @model_validator(mode="after")
    def _whose_deployment(self) -> Targets:
        """A control group that two Rollouts had would bring one's users to the other's release, and end with either."""
        seen = dict[tuple[str | None, str, str], tuple[str, tuple[str, str]]]()
        for name, one in self.targets.items():
            if isinstance(one, DeploymentSettings):
                deployment = one.name
            elif isinstance(one, RolloutSettings) and one.control is not None:
                deployment = one.control
            else:
                continue
            use = (one.kind, one.name)
            other, first = seen.setdefault((one.kubeconfig, one.namespace, deployment), (name, use))
            if first != use:
                raise ValueError(
                    f"'{other}' and '{name}' change the same Deployment '{deployment}': a 'control' is of one Rollout"
                )
        return self


def load_targets(path: Path) -> Targets:
    """The targets in a file.

    Raises:
        UsageError: ``where`` is ``FILE:LINE: field.path``.
    """
    return load_file(path, Targets)


def targets_in(folder: Path) -> Path:
    """The file in a workspace.

    Raises:
        UsageError: it holds none under this name.
    """
    found = folder / TARGETS_FILE
    if not found.is_file():
        names = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith(".."))
        raise UsageError(
            f"there is no {TARGETS_FILE}",
            where="workspace targets",
            todo=f"It holds {', '.join(names) or 'nothing'}: name the key {TARGETS_FILE}.",
        )
    return found


def settings_of(targets: Targets, name: str, model: str, *, where: str) -> OneTarget:
    """The target of a name, if this model may be served there.

    Raises:
        UsageError: there is none, or the platform does not let this model be served there.
    """
    found = targets.targets.get(name)
    if found is None:
        known = sorted(other for other, there in targets.targets.items() if model in there.models)
        close = difflib.get_close_matches(name, known, n=1)
        meant = f"Did you mean '{close[0]}'? " if close else ""
        raise UsageError(
            f"the platform has no target '{name}'",
            where=where,
            todo=f"{meant}'target' in the contract names one of: {', '.join(known)}."
            if known
            else f"None is open to '{model}'.",
        )
    if model not in found.models:
        raise UsageError(
            f"the target '{name}' is not open to the model '{model}'",
            where=f"{where}: targets.{name}.models",
            todo="The people who run the platform decide that.",
        )
    return found
