"""Sign the verdict over a release, and verify later that an image and its weights are the ones that passed."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.bundle.directory import Bundle
from penstock.foundation.errors import ExitCode, PenstockError, UsageError
from penstock.foundation.files import sha256_file
from penstock.releases.attestation import (
    SHA256,
    JudgedPair,
    Statement,
    attestation_key,
    attestation_prefix,
    read_statement,
    statement,
)
from penstock.releases.baseline import Release, withdrawn
from penstock.releases.envelope import NotSignedError, open_envelope, read_envelope, sign, write_envelope
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
    time: str
    """When it was signed: UTC, ISO 8601."""
    key: str
    """Where it lies in the store."""


def attest(store: Store, bundle: Bundle, release: Release, key: EllipticCurvePrivateKey, *, time: str) -> str:
    """Sign the verdict over a published release, once: what is there already stays.

    Returns:
        Where it lies.
    """
    place = attestation_key(release)
    if not store.exists(place):
        evidence = store.location(run_key(release.model, release.run_id))
        signed = sign(statement(release, bundle.run(), bundle.verdict(), evidence=evidence, time=time), key)
        with tempfile.TemporaryDirectory(prefix="penstock-attestation-") as folder:
            path = Path(folder) / "attestation.json"
            path.write_bytes(write_envelope(signed))
            store.put_file(place, path, sha256_file(path))
    return store.location(place)


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
    proofs, reasons = [], []
    for entry in store.list(attestation_prefix(digest)):
        try:
            proofs.append(_proof(store, entry.key, digest, key, weights, today))
        except (NotSignedError, UsageError, ValueError) as error:
            reasons.append(f"{entry.key.rpartition('/')[2].removesuffix('.json')}: {error}")
    if proofs:
        return proofs
    why = "; ".join(reasons) if reasons else "no verdict over it is signed"
    raise UnverifiedError(f"the image {digest[:19]}… is not verified: {why}", where=store.uri)


def _proof(
    store: Store,
    place: str,
    digest: str,
    key: EllipticCurvePublicKey,
    weights: Mapping[str, str] | None,
    today: date,
) -> Proof:
    with tempfile.TemporaryDirectory(prefix="penstock-attestation-") as folder:
        path = Path(folder) / "attestation.json"
        store.get_file(place, path)
        if path.stat().st_size > MAX_ATTESTATION_BYTES:
            raise ValueError("it is too large for an attestation")
        found = read_statement(open_envelope(read_envelope(path.read_bytes(), place), key))
    _hold_subject(found, digest)
    pair = found.predicate.penstock
    _hold_weights(pair, weights)
    over = [rule for rule in pair.waived if date.fromisoformat(rule.expires) < today]
    if over:
        raise ValueError(f"the waiver of '{over[0].metric}' by {over[0].author} ended on {over[0].expires}")
    gone = withdrawn(store, pair.model, pair.version)
    if gone is not None:
        raise ValueError(f"{pair.version} was withdrawn by {gone.by}: {gone.reason}")
    return Proof(pair, found.predicate.time, place)


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
