"""Signed statements in the store: each is written once with each key, and read within limits."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.foundation.errors import WorldError
from penstock.foundation.files import sha256_file
from penstock.releases.envelope import open_envelope, read_envelope, sign, write_envelope
from penstock.store.store import Store

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey


def keep_signed(store: Store, place: str, statement: Callable[[], bytes], key: EllipticCurvePrivateKey) -> None:
    """Sign a statement and store it, unless something lies there: a signature is another every time.

    Args:
        store: where.
        place: its key in the store.
        statement: makes what is signed; only called where nothing lies there yet.
        key: signs it.

    Raises:
        WorldError: the store cannot be reached.
    """
    if store.exists(place):
        return
    with tempfile.TemporaryDirectory(prefix="penstock-attestation-") as folder:
        path = Path(folder) / "attestation.json"
        path.write_bytes(write_envelope(sign(statement(), key)))
        try:
            store.put_file(place, path, sha256_file(path))
        except WorldError:
            if not store.exists(place):  # else another process has signed it meanwhile: a signature never comes twice
                raise


def kept_envelope(store: Store, place: str, max_bytes: int) -> bytes:
    """What lies there, byte by byte.

    Raises:
        NotStoredError: nothing does.
        ValueError: it is larger than ``max_bytes``.
        WorldError: the store cannot be reached.
    """
    with tempfile.TemporaryDirectory(prefix="penstock-attestation-") as folder:
        path = Path(folder) / "attestation.json"
        store.get_file(place, path)
        if path.stat().st_size > max_bytes:
            raise ValueError("it is too large for an attestation")
        return path.read_bytes()


def kept_statement(store: Store, place: str, key: EllipticCurvePublicKey, max_bytes: int) -> dict[str, Any]:
    """The statement that lies there, once its signature holds.

    Raises:
        NotSignedError: nothing with this key does.
        ValueError: as :func:`kept_envelope`.
        WorldError: likewise.
    """
    return open_envelope(read_envelope(kept_envelope(store, place, max_bytes), place), key)
