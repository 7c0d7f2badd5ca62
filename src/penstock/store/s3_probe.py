"""Before the model runs: does this S3 take the very requests that archiving and publishing will make?"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import secrets
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.foundation.errors import printable
from penstock.store.s3_client import PART_BYTES, REQUIREMENT, error_code, precondition_failed, s3_errors
from penstock.store.store import PROBE, Pointer, UnfitStoreError

if TYPE_CHECKING:
    from penstock.store.s3 import S3Store

log = logging.getLogger(__name__)

REFUSALS = (400, 405, 411, 415, 422, 501)
"""Statuses that say *not like this*; a wrong key (403), a missing bucket (404) or a server in trouble (5xx) say so."""
NOT_REFUSALS = (
    "ExpiredToken",
    "InvalidToken",
    "RequestTimeout",
    "RequestTimeTooSkewed",
    "AuthorizationHeaderMalformed",
)
"""Codes of status 400 that are not about what was asked."""
FOREIGN = Pointer({}, f'"{"0" * 32}"')
"""A version that no object has."""


def probe(store: S3Store, name: str) -> None:
    """Write, refuse to write over, swap and refuse to swap two small objects, and remove them.

    A store that takes a condition and does not keep it would let two releases replace each other: both answers are
    looked at.

    Raises:
        UnfitStoreError: names the request that the store refused or did not keep, and what it has to be able to do.
    """
    from botocore.exceptions import ClientError

    sha256 = hashlib.sha256(PROBE).hexdigest()
    name = f"{name}-{secrets.token_hex(4)}"  # what an earlier try could not remove is not in the way
    objects = (f"probes/{name}.bin", f"probes/{name}-parts.bin", f"probes/{name}.json")
    doing = ""
    with tempfile.TemporaryDirectory(prefix="penstock-probe-") as folder, s3_errors(store.location(objects[0])):
        file = Path(folder) / "probe"
        file.write_bytes(PROBE)
        try:
            doing = "an upload with its SHA-256 and If-None-Match"
            store.put_once(objects[0], file, sha256)
            doing = "a second upload under the same name"
            if not _refused(store, objects[0], file, sha256):
                raise _unkept(store, "If-None-Match: it writes over what is there")
            doing = "an upload with If-Match"
            _swaps(store, objects[2])
            _parts(store, objects[1], file, sha256)
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            if status not in REFUSALS or error_code(error) in NOT_REFUSALS:
                raise
            said = printable(str(error.response.get("Error", {}).get("Message", ""))[:300])
            raise UnfitStoreError(
                f"the store refuses {doing} ({error_code(error)}: {said})", where=store.uri, todo=REQUIREMENT
            ) from None
        finally:
            _forget(store, objects)


def _parts(store: S3Store, key: str, file: Path, sha256: str) -> None:
    """Only files larger than a part need it, so that a store without it is told of and used."""
    from botocore.exceptions import ClientError

    try:
        store.put_parts(key, file, sha256)
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if status not in REFUSALS or error_code(error) in NOT_REFUSALS:
            raise
        log.warning(
            "%s: the store refuses uploads in parts with their SHA-256 (%s): a file of more than %d MiB could not be "
            "archived there",
            store.uri,
            error_code(error),
            PART_BYTES >> 20,
        )


def _refused(store: S3Store, key: str, file: Path, sha256: str) -> bool:
    """Whether a second upload under a name is refused, as it must be."""
    from botocore.exceptions import ClientError

    try:
        store.put_once(key, file, sha256)
    except ClientError as error:
        if not precondition_failed(error):
            raise
        return True
    return False


def _swaps(store: S3Store, key: str) -> None:
    """A pointer is made, moved by who saw it, and by nobody else."""
    if not store.put_if(key, {"probe": 1}, None):
        raise _unkept(store, "If-None-Match: it refuses to write where nothing is")
    seen = store.read_pointer(key)
    if seen is None:
        raise UnfitStoreError("the store does not show what was just written", where=store.uri, todo=REQUIREMENT)
    if store.put_if(key, {"probe": 2}, FOREIGN):
        raise _unkept(store, "If-Match: it replaces what was changed meanwhile")
    if not store.put_if(key, {"probe": 3}, seen):
        raise _unkept(store, "If-Match: it refuses to replace what was not changed")


def _unkept(store: S3Store, what: str) -> UnfitStoreError:
    return UnfitStoreError(f"the store does not honour {what}", where=store.uri, todo=REQUIREMENT)


def _forget(store: S3Store, keys: tuple[str, ...]) -> None:
    """Remove the objects; where nothing may be removed (a locked bucket) they stay, and are small."""
    from botocore.exceptions import BotoCoreError, ClientError

    for key in keys:
        with contextlib.suppress(ClientError, BotoCoreError):
            store.client.delete_object(Bucket=store.bucket, Key=store.full_key(key))
