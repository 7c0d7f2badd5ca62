"""An image that somebody names: whose signed verdict holds over it, and who has built it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.bundle.models import Image
from penstock.foundation.errors import UsageError
from penstock.releases.attest import Proof, UnverifiedError, verify
from penstock.releases.provenance import Provenance, hold_built, read_provenance
from penstock.sources.image_attestation import attached_statements
from penstock.store.store import Store

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

# a tag beside a digest says nothing
IMAGE = re.compile(r"(?:([^@]+?)(?::\w[\w.-]*)?@)?(sha256:[0-9a-f]{64})")


@dataclass(frozen=True)
class NamedImage:
    """An image by its digest."""

    address: str | None
    """In its registry, without tag; ``None``: the digest alone was said."""
    digest: str
    """``sha256:…``."""


def named_image(text: str) -> NamedImage:
    """``IMAGE@sha256:DIGEST``, or the digest alone.

    Raises:
        UsageError: no digest is in it.
    """
    found = IMAGE.fullmatch(text)
    if found is None:
        todo = "A tag can be moved; 'penstock releases MODEL' shows digests."
        raise UsageError("an image is named by its digest: IMAGE@sha256:…", where=text[:200], todo=todo)
    return NamedImage(found[1], found[2])


def verify_image(
    store: Store, image: NamedImage, keys: Mapping[str, EllipticCurvePublicKey], *, today: date
) -> list[Proof]:
    """The signed verdicts over an image that hold, of any of the keys. Weights are not looked at.

    Args:
        store: where it was released.
        image: which.
        keys: name → public key; several while one is being replaced.
        today: a waiver that is over by then makes a verdict void.

    Raises:
        UnverifiedError: no key's does; why not, of each.
        WorldError: the store cannot be reached.
    """
    proofs, reasons = [], []
    for name, key in keys.items():
        try:
            proofs += verify(store, image.digest, key, today=today)
        except UnverifiedError as error:
            reasons.append(f"{name}: {error.what}")
    if not proofs:
        raise UnverifiedError("; ".join(reasons) or "no key was given", where=store.uri)
    return proofs


def hold_provenance(
    image: NamedImage,
    proofs: Sequence[Proof],
    keys: Sequence[EllipticCurvePublicKey],
    *,
    tls_verify: bool,
    authfile: Path | None,
    where: str,
) -> tuple[list[Proof], list[Provenance]]:
    """What lies beside the image in its registry: the verdicts whose commit *build* has built it of, and all it says.

    Args:
        image: with its address.
        proofs: the verdicts over it that hold.
        keys: the builder's.
        tls_verify: whether the registry's certificate is checked.
        authfile: the registry's credentials.
        where: what asks for it, for messages.

    Raises:
        UnverifiedError: there is none.
        UsageError: the image has no address.
        WorldError: the registry fails.
    """
    if image.address is None:
        raise UsageError("provenance lies beside the image: its address is needed", where=image.digest)
    there = Image(kind="image", url=image.address, digest=image.digest)
    beside = attached_statements(there, tls_verify=tls_verify, authfile=authfile)
    found = read_provenance(beside, image.digest, keys)
    return hold_built(proofs, found, where=where), found
