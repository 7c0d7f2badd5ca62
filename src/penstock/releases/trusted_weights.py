"""Weights that a run may use where the platform names keys: each file of the contract signed with one of them."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.bundle.models import WeightsFile
from penstock.contract.models import Weights
from penstock.foundation.errors import UsageError
from penstock.foundation.files import inside, read_regular
from penstock.releases.envelope import NotSignedError, key_id, public_key
from penstock.releases.signed_weights import MAX_SIGNATURE_BYTES, signed_files

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

SIGN = (
    "Sign it: penstock weights sign FILE --key KEY --signature FILE.sig; commit the .sig, and name it in 'signature'."
)


def trusted_keys(folder: Path) -> list[EllipticCurvePublicKey]:
    """The platform's keys, a file each; none: nothing has to be signed.

    Raises:
        UsageError: one of them is no public key of the curve P-256.
    """
    # Kubernetes has folders of its own beside the files of a ConfigMap: "..data"
    return [public_key(path) for path in sorted(folder.iterdir()) if not path.name.startswith(".")]


def hold_signed(
    weights: Sequence[Weights],
    files: Sequence[WeightsFile],
    source: Path,
    keys: Sequence[EllipticCurvePublicKey],
) -> list[WeightsFile]:
    """Check that each file of weights was signed, by its content: where a file lies is the contract's affair.

    Args:
        weights: of the run, which name their signatures.
        files: what was verified of each, in the same order.
        source: the repository, which holds the signatures.
        keys: the platform's.

    Returns:
        ``files``, each with the key that has signed it.

    Raises:
        UsageError: a file has no signature, that of another key, or one over other files.
    """
    held = []
    for number, (item, file) in enumerate(zip(weights, files, strict=True)):
        where = f"weights[{number}]"
        if item.signature is None:
            raise UsageError(f"'{item.path}' is not signed, and this platform demands it", where=where, todo=SIGN)
        content = read_regular(
            inside(source, item.signature, where=f"{where}.signature"),
            max_bytes=MAX_SIGNATURE_BYTES,
            where=item.signature,
        )
        try:
            signed, key = _signed_by(content, keys)
        except NotSignedError as error:
            raise UsageError(f"the signature of '{item.path}': {error}", where=item.signature, todo=SIGN) from None
        if file.sha256 not in signed.values():
            raise UsageError(f"the signature is not over '{item.path}'", where=item.signature, todo=SIGN)
        held.append(file.model_copy(update={"signed_by": key}))
    return held


def _signed_by(content: bytes, keys: Sequence[EllipticCurvePublicKey]) -> tuple[dict[str, str], str]:
    """The files that a signature is about, and the id of the first key that has made it.

    Raises:
        NotSignedError: none has.
    """
    for key in keys:
        with contextlib.suppress(NotSignedError):
            return signed_files(content, [key]), key_id(key)
    return signed_files(content, keys), ""  # it says why not
