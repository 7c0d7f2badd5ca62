"""Who built an image, of which commit: provenance that a builder has signed, such as Tekton Chains.

Format: SLSA v1, https://slsa.dev/spec/v1.0/provenance. What the builder made it of are its resolved dependencies; that
of git carries the commit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import Field, ValidationError

from penstock.bundle.record import Record
from penstock.foundation.errors import one_line
from penstock.releases.attest import Proof, UnverifiedError
from penstock.releases.attestation import SHA256
from penstock.releases.envelope import NotSignedError, open_envelope, read_envelope

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

PROVENANCE_TYPE = "https://slsa.dev/provenance/v1"
GIT = "git+"
MAX_SHOWN = 5


@dataclass(frozen=True)
class Provenance:
    """What a builder says of an image, its signature holding."""

    builder: str
    """Who built it, as the builder names itself."""
    commits: tuple[str, ...]
    """Of the repositories that it was built from; none: it does not say."""


class _Dependency(Record):
    uri: str = ""
    digest: dict[str, str] = Field(default_factory=dict)


class _Definition(Record):
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


def read_provenance(envelopes: Iterable[bytes], digest: str, key: EllipticCurvePublicKey) -> list[Provenance]:
    """The provenance of an image among what lies beside it.

    Args:
        envelopes: DSSE; whatever is signed otherwise, or is something else, is passed over.
        digest: of the image, ``sha256:…``.
        key: the builder's.

    Returns:
        Each once, in the order in which they lie there.
    """
    found = []
    for envelope in envelopes:
        try:
            said = open_envelope(read_envelope(envelope, "it"), key)
            if said.get("predicateType") != PROVENANCE_TYPE:
                continue
            statement = _Statement.model_validate(said)
        except (NotSignedError, ValidationError):
            continue
        if all(subject.digest.get("sha256") != digest.removeprefix(SHA256) for subject in statement.subject):
            continue
        sources = [one for one in statement.predicate.definition.dependencies if one.uri.startswith(GIT)]
        commits = [one.digest.get("gitCommit") or one.digest.get("sha1", "") for one in sources]
        found.append(Provenance(statement.predicate.details.builder.id, tuple(filter(None, commits))))
    return list(dict.fromkeys(found))


def hold_built_from(proofs: list[Proof], found: list[Provenance]) -> list[Proof]:
    """The verdicts about a commit that the builder names: of several provenances one is enough.

    Args:
        proofs: verdicts that hold over the image.
        found: what the builder has signed about it.

    Raises:
        UnverifiedError: there is none.
    """
    if not found:
        raise UnverifiedError(
            "no provenance of this image is signed with the builder's key",
            where="--provenance-key",
            todo="Tekton Chains signs a while after the build; ask again, or leave the option out.",
        )
    built = {commit for one in found for commit in one.commits}
    held = [proof for proof in proofs if proof.pair.commit in built]
    if not held:
        judged = ", ".join(sorted({proof.pair.commit for proof in proofs})[:MAX_SHOWN])
        of = ", ".join(sorted(built)[:MAX_SHOWN]) or "no commit that it names"
        raise UnverifiedError(
            one_line(f"the image was built of {of}, and what was judged is {judged}"),
            where="--provenance-key",
            todo="Release the image of the commit that was judged.",
        )
    return held
