"""Who built an image, of which commit: provenance that a builder has signed, such as Tekton Chains.

Format: SLSA v1, https://slsa.dev/spec/v1.0/provenance. What the builder made it of are its resolved dependencies; that
of git carries the commit. Chains signs what any Task says of itself, so which Task said it counts as well: it stands in
the external parameters, https://tekton.dev/docs/chains/slsa-provenance/.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import Field, ValidationError

from penstock.bundle.record import Record
from penstock.foundation.errors import UsageError, one_line
from penstock.releases.attest import Proof, UnverifiedError
from penstock.releases.attestation import SHA256
from penstock.releases.envelope import NotSignedError, open_envelope, read_envelope
from penstock.releases.names import repository_identity

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

PROVENANCE_TYPE = "https://slsa.dev/provenance/v1"
GIT = "git+"
BUILDER = "build"
"""The Task of ours whose word counts: it names a commit only of what it built itself, or compared with the commit."""
MAX_SHOWN = 5


@dataclass(frozen=True)
class BuiltSource:
    """A commit that an image was built of."""

    repository: str
    """The same for all addresses of it (:func:`penstock.releases.names.repository_identity`); empty: of none that is on
    a server."""
    commit: str


@dataclass(frozen=True)
class Provenance:
    """What a builder says of an image, its signature holding."""

    builder: str
    """Who built it, as the builder names itself."""
    task: str
    """The Task of the cluster that ran; empty: it does not say, or the Task was written into the run, or fetched."""
    sources: tuple[BuiltSource, ...]
    """What it was built from; none: it does not say."""

    def __str__(self) -> str:
        of = ", ".join(f"{one.commit} of {one.repository}" for one in self.sources[:MAX_SHOWN]) or "no commit"
        by = f"the Task '{self.task}'" if self.task else "no Task of the cluster"
        return f"by {by} of {of}"


class _Dependency(Record):
    uri: str = ""
    digest: dict[str, str] = Field(default_factory=dict)


class _TaskRef(Record):
    name: str = ""
    kind: str = "Task"
    resolver: str = ""
    bundle: str = ""


class _RunSpec(Record):
    task: _TaskRef | None = Field(alias="taskRef", default=None)


class _Asked(Record):
    run: _RunSpec | None = Field(alias="runSpec", default=None)


class _Definition(Record):
    asked: _Asked | None = Field(alias="externalParameters", default=None)
    dependencies: list[_Dependency] = Field(alias="resolvedDependencies", default_factory=list)


class _Builder(Record):
    id: str


class _Details(Record):
    builder: _Builder


class _Predicate(Record):
    definition: _Definition = Field(alias="buildDefinition")
    details: _Details = Field(alias="runDetails")


class _Subject(Record):
    digest: dict[str, str]


class _Statement(Record):
    subject: list[_Subject]
    predicate: _Predicate


def read_provenance(
    envelopes: Iterable[bytes], digest: str, keys: Sequence[EllipticCurvePublicKey]
) -> list[Provenance]:
    """The provenance of an image among what lies beside it.

    Args:
        envelopes: DSSE; whatever is signed otherwise, or is something else, is passed over.
        digest: of the image, ``sha256:…``.
        keys: the builder's; several while one is being replaced.

    Returns:
        Each once, in the order in which they lie there.
    """
    found = []
    for envelope in envelopes:
        try:
            said = _signed(envelope, keys)
            if said.get("predicateType") != PROVENANCE_TYPE:
                continue
            statement = _Statement.model_validate(said)
        except (NotSignedError, ValidationError):
            continue
        if all(subject.digest.get("sha256") != digest.removeprefix(SHA256) for subject in statement.subject):
            continue
        definition = statement.predicate.definition
        sources = [
            BuiltSource(_repository(one.uri), commit)
            for one in definition.dependencies
            if one.uri.startswith(GIT) and (commit := one.digest.get("gitCommit") or one.digest.get("sha1", ""))
        ]
        found.append(Provenance(statement.predicate.details.builder.id, _task(definition), tuple(sources)))
    return list(dict.fromkeys(found))


def hold_built(proofs: Sequence[Proof], found: Sequence[Provenance], *, where: str) -> list[Proof]:
    """The verdicts about a commit of which *build* has built the image: of several provenances one is enough.

    Args:
        proofs: verdicts that hold over the image.
        found: what the builder has signed about it.
        where: what asks for it, for messages.

    Raises:
        UnverifiedError: there is none.
    """
    if not found:
        raise UnverifiedError(
            "no provenance of this image is signed with the builder's key",
            where=where,
            todo="Tekton Chains signs some seconds after the build: ask again. Does it run, and with this key?",
        )
    held = [proof for proof in proofs if built_for(proof, found)]
    if not held:
        judged = ", ".join(sorted({f"{proof.pair.commit} of {_repository(proof.repository)}" for proof in proofs}))
        built = "; ".join(sorted({str(one) for one in found})[:MAX_SHOWN])
        raise UnverifiedError(
            one_line(f"the image was built {built}; wanted is the Task '{BUILDER}' of {judged}, which was judged"),
            where=where,
            todo="Release the image that the pipeline built of the commit that was judged.",
        )
    return held


def built_for(proof: Proof, found: Sequence[Provenance]) -> list[Provenance]:
    """What says that *build* built the image of the very commit that a verdict is about."""
    wanted = BuiltSource(_repository(proof.repository), proof.pair.commit)
    return [one for one in found if one.task == BUILDER and wanted.repository and wanted in one.sources]


def _signed(envelope: bytes, keys: Sequence[EllipticCurvePublicKey]) -> dict[str, object]:
    """What one of the keys has signed.

    Raises:
        NotSignedError: none has.
    """
    read = read_envelope(envelope, "it")
    for key in keys:
        try:
            return open_envelope(read, key)
        except NotSignedError:
            continue
    raise NotSignedError("it carries no signature of these keys")


def _task(definition: _Definition) -> str:
    """A Task that was fetched, or stands in the run itself, may have any name: only the cluster's own counts."""
    run = definition.asked.run if definition.asked is not None else None
    task = run.task if run is not None else None
    if task is None or task.kind not in ("", "Task") or task.resolver or task.bundle:
        return ""
    return task.name


def _repository(uri: str) -> str:
    address = uri.removeprefix(GIT)
    # a path would be looked up on this machine: no builder elsewhere has built from it
    if ":" not in address or address.startswith(("/", ".", "~")) or address.lower().startswith("file:"):
        return ""
    try:
        return repository_identity(address)
    except UsageError:
        return ""
