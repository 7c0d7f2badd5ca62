"""Before an image is promoted: whether the platform's builder has built it of the commit that was judged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.bundle.models import Image
from penstock.releases.attest import Proof
from penstock.releases.verified_image import NamedImage, hold_provenance
from penstock.targets.secret_files import read_secret
from penstock.targets.targets_file import RegistrySettings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey


def hold_asked_provenance(
    image: Image,
    proofs: Sequence[Proof],
    keys: Sequence[EllipticCurvePublicKey],
    registry: RegistrySettings,
    secrets: Path | None,
    *,
    where: str,
) -> None:
    """Check that what lies beside the image in its registry says so, signed.

    Args:
        image: in its registry, by digest.
        proofs: the verdicts over the release that hold.
        keys: the builder's.
        registry: how it is asked.
        secrets: the directory of the targets' secrets.
        where: the release, for messages.

    Raises:
        UnverifiedError: nothing does.
        UsageError: the registry's credentials are missing.
        WorldError: the registry fails.
    """
    access = None
    if registry.credentials is not None:
        read_secret(secrets, registry.credentials)
        access = (secrets or Path()) / registry.credentials
    named = NamedImage(image.url, image.digest)
    hold_provenance(named, proofs, keys, tls_verify=registry.tls_verify, authfile=access, where=where)
