"""The bill of materials of a release as an attestation: CycloneDX over the image, signed with the verdict's key.

The verdict names the file by its SHA-256; what is signed here is its content, for those who ask a registry. Type:
https://cyclonedx.org/bom, as cosign and policy-controller know it (``--type cyclonedx``).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from penstock.bundle.directory import MAX_RECORD_BYTES, Bundle
from penstock.bundle.sbom_file import SbomComponent, SbomShown, read_sbom, sbom_sha256, sbom_text
from penstock.releases.attestation import SHA256, STATEMENT_TYPE, Statement, sbom_key
from penstock.releases.baseline import Release
from penstock.releases.envelope import NotSignedError, key_id
from penstock.releases.kept_statement import keep_signed, kept_envelope, kept_statement
from penstock.store.store import Store

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

SBOM_TYPE = "https://cyclonedx.org/bom"
MAX_ENVELOPE_BYTES = 2 * MAX_RECORD_BYTES
"""base64 takes four bytes for three."""


@dataclass(frozen=True)
class SignedSbom:
    """A bill of materials whose signature holds, and which is the one that the verdict names."""

    sha256: str
    """Of the file ``sbom.cdx.json``."""
    components: int
    """Of all kinds, those within others included."""
    key: str
    """Where its statement lies in the store."""


def attest_sbom(
    store: Store, bundle: Bundle, release: Release, verdict: Statement, key: EllipticCurvePrivateKey
) -> bytes | None:
    """Sign the bill of materials that a signed verdict names, once with each key.

    Args:
        store: where the verdict lies.
        bundle: of the run.
        release: what was published.
        verdict: as it was signed with this key.
        key: signs it.

    Returns:
        The envelope, byte by byte; ``None``: the verdict names none, or that of another run of the same content.

    Raises:
        WorldError: the store cannot be reached.
    """
    named = verdict.sbom_sha256
    if named is None or sbom_sha256(bundle) != named:
        return None
    document = read_sbom(bundle)
    if _sha256(document) != named:
        return None  # not as we write it: what was signed could not be compared with the verdict
    place = sbom_key(release.model, release.version, release.image.digest, key_id(key.public_key()))
    keep_signed(store, place, lambda: _statement(release, document), key)
    return kept_envelope(store, place, MAX_ENVELOPE_BYTES)


def find_sbom(store: Store, digest: str, verdict: Statement, key: EllipticCurvePublicKey) -> SignedSbom | None:
    """The signed bill of materials that belongs to a verdict.

    Args:
        store: where both lie.
        digest: of the image, ``sha256:…``.
        verdict: whose signature holds.
        key: whose signature is trusted.

    Returns:
        ``None``: none is signed, as with releases of older versions.

    Raises:
        ValueError: what lies there is not the one that the verdict names, with the reason.
        WorldError: the store cannot be reached.
    """
    pair, named = verdict.predicate.penstock, verdict.sbom_sha256
    place = sbom_key(pair.model, pair.version, digest, key_id(key))
    if named is None or not store.exists(place):
        return None
    try:
        said = kept_statement(store, place, key, MAX_ENVELOPE_BYTES)
        document = said["predicate"]
        subjects = [subject["digest"]["sha256"] for subject in said["subject"]]
        shown = SbomShown.model_validate(document)
        kind = (said["_type"], said["predicateType"])
    except (NotSignedError, ValidationError, KeyError, TypeError) as error:
        reason = str(error) if isinstance(error, NotSignedError) else "it is none"
        raise ValueError(f"its bill of materials does not hold: {reason}") from None
    if kind != (STATEMENT_TYPE, SBOM_TYPE) or digest.removeprefix(SHA256) not in subjects or _sha256(document) != named:
        raise ValueError("its bill of materials is not the one that the verdict names")
    return SignedSbom(named, _count(shown.components), place)


def _statement(release: Release, document: dict[str, Any]) -> bytes:
    subject = {"name": release.image.url or f"{release.url}@{release.commit}"}
    whole = {
        "_type": STATEMENT_TYPE,
        "subject": [subject | {"digest": {"sha256": release.image.digest.removeprefix(SHA256)}}],
        "predicateType": SBOM_TYPE,
        "predicate": document,  # in its own order, so that the file's SHA-256 can be had from it
    }
    return json.dumps(whole, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _sha256(document: dict[str, Any]) -> str:
    """Of the file that holds this document."""
    return hashlib.sha256(sbom_text(document).encode()).hexdigest()


def _count(components: list[SbomComponent]) -> int:
    return sum(1 + _count(one.components) for one in components)
