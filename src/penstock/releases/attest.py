"""Sign the verdict over a release, and verify later that an image and its weights are the ones that passed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from penstock.bundle.directory import Bundle
from penstock.foundation.errors import ExitCode, PenstockError, UsageError, WorldError, one_line
from penstock.releases.attestation import (
    SHA256,
    JudgedPair,
    Statement,
    attestation_key,
    attestation_prefix,
    read_statement,
    statement,
    waiver_over,
)
from penstock.releases.baseline import Release, withdrawn
from penstock.releases.envelope import NotSignedError, key_id
from penstock.releases.kept_statement import keep_signed, kept_envelope, kept_statement
from penstock.releases.signed_sbom import SignedSbom, find_sbom
from penstock.store.archive import run_key
from penstock.store.store import Store

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

MAX_ATTESTATION_BYTES = 4 << 20


class UnverifiedError(PenstockError):
    """No signed verdict holds over this image with these weights."""

    exit_code = ExitCode.REJECTED


@dataclass(frozen=True)
class Proof:
    """A signed verdict that holds."""

    pair: JudgedPair
    repository: str
    """Whose commit was judged: ``git+https://…``."""
    time: str
    """When it was signed: UTC, ISO 8601."""
    key: str
    """Where it lies in the store."""
    sbom_sha256: str | None
    """Of the bill of materials that it names; ``None``: none, as verdicts of older versions."""
    sbom: SignedSbom | None
    """The same, where it is signed."""


def attest(store: Store, bundle: Bundle, release: Release, key: EllipticCurvePrivateKey, *, time: str) -> str:
    """Sign the verdict over a published release, once with each key: what is there already stays.

    Returns:
        Where it lies.

    Raises:
        WorldError: something else lies there; the store cannot be reached.
    """
    place = attestation_key(release, key_id(key.public_key()))
    evidence = store.location(run_key(release.model, release.run_id))
    keep_signed(
        store, place, lambda: statement(release, bundle.run(), bundle.verdict(), evidence=evidence, time=time), key
    )
    _hold_signed(store, place, release, key.public_key())
    return store.location(place)


def signed_envelope(store: Store, release: Release, key: EllipticCurvePublicKey) -> bytes:
    """What :func:`attest` has stored, byte by byte."""
    return kept_envelope(store, attestation_key(release, key_id(key)), MAX_ATTESTATION_BYTES)


def signed_verdict(store: Store, release: Release, key: EllipticCurvePublicKey) -> Statement:
    """What :func:`attest` has signed."""
    return _read(store, attestation_key(release, key_id(key)), key)


def _hold_signed(store: Store, place: str, release: Release, key: EllipticCurvePublicKey) -> None:
    """Check that what lies there is a verdict over this release, signed with this key."""
    try:
        found = _read(store, place, key)
        _hold_subject(found, release.image.digest)
        signed = found.predicate.penstock
        if (signed.model, signed.version) != (release.model, release.version):
            raise ValueError(f"it is about {signed.model} {signed.version}")
    except (NotSignedError, ValueError) as error:
        raise WorldError(
            f"where the signed verdict of {release.version} belongs lies something else: {one_line(str(error))}",
            where=store.location(place),
            todo="Restore it from a copy, or remove it, and run the step publish again.",
        ) from None


def verify(
    store: Store,
    digest: str,
    key: EllipticCurvePublicKey,
    *,
    weights: Mapping[str, str] | None = None,
    today: date,
) -> list[Proof]:
    """The signed verdicts that hold over an image.

    Args:
        store: where the release was published.
        digest: of the image, ``sha256:…``.
        key: whose signature is trusted.
        weights: name → SHA-256 of the files that the service is given: all that the verdict names, and no other.
            ``None``: they are not looked at.
        today: a waiver that is over by then makes a verdict void.

    Raises:
        UnverifiedError: there is none; why not, of each that is there.
        WorldError: the store cannot be reached.
    """
    proofs, reasons, gone = [], [], set()
    for entry in store.list(attestation_prefix(digest)):
        try:
            found = _read(store, entry.key, key)
            _hold_subject(found, digest)
            pair = found.predicate.penstock
            if (by := withdrawn(store, pair.model, pair.version)) is not None:
                gone.add(_content(pair))  # the same image and weights under another version are the same thing
                raise ValueError(f"{pair.version} was withdrawn by {by.by}: {by.reason}")
            _hold_weights(pair, weights)
            _hold_waivers(pair, today)
            sbom = find_sbom(store, digest, found, key)
            proofs.append(Proof(pair, found.repository, found.predicate.time, entry.key, found.sbom_sha256, sbom))
        except (NotSignedError, UsageError, ValueError) as error:
            reasons.append(one_line(f"{entry.key.rpartition('/')[2].removesuffix('.json')}: {error}"))
    held = [proof for proof in proofs if _content(proof.pair) not in gone]
    if held:
        return held
    why = "; ".join(reasons) if reasons else "no verdict over it is signed"
    raise UnverifiedError(f"the image {digest[:19]}… is not verified: {why}", where=store.uri)


def _read(store: Store, place: str, key: EllipticCurvePublicKey) -> Statement:
    """What is signed there.

    Raises:
        NotSignedError, ValueError: nothing with this key, or no verdict.
    """
    return read_statement(kept_statement(store, place, key, MAX_ATTESTATION_BYTES))


def _content(pair: JudgedPair) -> tuple[str, ...]:
    """The weights that were judged with the image."""
    return tuple(sorted(file.sha256 for file in pair.weights))


def _hold_waivers(pair: JudgedPair, today: date) -> None:
    if (over := waiver_over(pair.waived, today)) is not None:
        raise ValueError(over)


def _hold_subject(found: Statement, digest: str) -> None:
    if found.predicate.result != "PASSED":
        raise ValueError(f"its verdict is '{found.predicate.result[:40]}'")
    if all(subject.digest.get("sha256") != digest.removeprefix(SHA256) for subject in found.subject):
        raise ValueError("it is about another image")


def _hold_weights(pair: JudgedPair, weights: Mapping[str, str] | None) -> None:
    """Weights are told apart by their content; where a file lies is the service's own affair."""
    if weights is None:
        return
    judged = {file.sha256: file.path for file in pair.weights}
    other = sorted(name for name, sha256 in weights.items() if sha256 not in judged)
    if other:
        raise ValueError(f"'{other[0]}' is not among the weights that were judged with it")
    missing = sorted(path for sha256, path in judged.items() if sha256 not in weights.values())
    if missing:
        raise ValueError(f"it was judged with '{missing[0]}', which was not given")
