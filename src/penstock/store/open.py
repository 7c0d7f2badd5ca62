"""Opening a store by its address."""

from __future__ import annotations

from pathlib import Path

from penstock.foundation.errors import UsageError
from penstock.store.local import LocalStore
from penstock.store.s3_client import PATIENT, Patience
from penstock.store.store import Store


def open_store(location: str | Path, credentials: Path | None = None, *, patience: Patience = PATIENT) -> Store:
    """Open a store: ``s3://bucket/prefix``, or a directory (made if it is not there).

    Args:
        location: where.
        credentials: for S3, see :func:`penstock.store.s3_client.s3_client`.
        patience: for S3, how long it is waited for.

    Raises:
        UsageError: not a location that a store can have.
    """
    text = str(location)
    if text.startswith("s3://"):
        from penstock.store.s3 import S3Store
        from penstock.store.s3_client import s3_client

        bucket, _, prefix = text.removeprefix("s3://").partition("/")
        return S3Store(bucket, prefix, client=s3_client(credentials, where=text, patience=patience))
    if "://" in text:
        raise UsageError(
            f"'{text.split('://', 1)[0]}://' is not a store", where="store", todo="Use s3:// or a directory."
        )
    if not text.strip():
        raise UsageError("the store's location is empty", where="store", todo="Use s3://bucket/prefix or a directory.")
    return LocalStore(Path(text))


def existing_store(location: str | Path, credentials: Path | None = None, *, patience: Patience = PATIENT) -> Store:
    """As :func:`open_store`, for what has been stored before: a directory that is not there is a mistake, not made.

    Raises:
        UsageError: not a location that a store can have, or no such directory.
    """
    text = str(location)
    if "://" not in text and text.strip() and not Path(text).expanduser().is_dir():
        raise UsageError(
            "there is no store here", where=text, todo="Check the path, or say --store s3://bucket/prefix."
        )
    return open_store(location, credentials, patience=patience)
