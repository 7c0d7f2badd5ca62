"""A store in S3, or in anything that speaks its interface. Uploads never replace: ``If-None-Match: *``."""

from __future__ import annotations

import base64
import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from penstock.foundation.errors import UsageError, WorldError
from penstock.foundation.files import CHUNK_BYTES, disk_errors, replacing, sha256_file
from penstock.store.s3_client import (
    PART_BYTES,
    REQUIREMENT,
    checksum,
    error_code,
    is_missing,
    precondition_failed,
    s3_errors,
)
from penstock.store.store import (
    MAX_POINTER_BYTES,
    Entry,
    NotStoredError,
    Pointer,
    Store,
    UnfitStoreError,
    check_key,
    damaged,
    decode_pointer,
    differs,
    encode_pointer,
)


class S3Store(Store):
    """Objects in a bucket, with their SHA-256 as metadata and as S3's own checksum."""

    def __init__(self, bucket: str, prefix: str, *, client: Any, part_bytes: int = PART_BYTES) -> None:
        if not bucket or not bucket.replace("-", "").replace(".", "").isalnum():
            raise UsageError(
                f"'{bucket[:80]}' is not the name of a bucket", where="store", todo="Use s3://bucket/prefix."
            )
        self.bucket = bucket
        self.prefix = prefix.strip("/")
        if self.prefix:
            check_key(self.prefix)
        self.client = client
        self.part_bytes = part_bytes
        self.uri = f"s3://{bucket}/{self.prefix}".rstrip("/")

    def put_file(self, key: str, path: Path, sha256: str) -> bool:
        """See :meth:`Store.put_file`. The server compares the content with the checksum, too."""
        from botocore.exceptions import ClientError

        where = self.location(key)
        there = self.digest(key)
        if there is not None:
            return _same(there, sha256, where)
        if sha256_file(path) != sha256:
            raise WorldError("the file changed while it was stored", where=str(path), todo="Start a new run.")
        with s3_errors(where):
            try:
                if path.stat().st_size > self.part_bytes:
                    self.put_parts(key, path, sha256)
                else:
                    self.put_once(key, path, sha256)
            except ClientError as error:
                if not precondition_failed(error):
                    raise
                there = self.digest(key)  # another one was faster
                if there is None:
                    raise
                return _same(there, sha256, where)
        return True

    def put_once(self, key: str, path: Path, sha256: str) -> None:
        """Store a file in one request.

        Raises:
            botocore.exceptions.ClientError: S3 refused, or there is an object of this name.
        """
        with path.open("rb") as body:
            self.client.put_object(
                Bucket=self.bucket,
                Key=self.full_key(key),
                Body=body,
                ChecksumSHA256=base64.b64encode(bytes.fromhex(sha256)).decode(),
                Metadata={"sha256": sha256},
                IfNoneMatch="*",
            )

    def put_parts(self, key: str, path: Path, sha256: str) -> None:
        """Store a file in several parts; as :meth:`put_file`, for large ones.

        Raises:
            WorldError: the file changed meanwhile.
            botocore.exceptions.ClientError: S3 refused.
        """
        names = {"Bucket": self.bucket, "Key": self.full_key(key)}
        upload = self.client.create_multipart_upload(**names, ChecksumAlgorithm="SHA256", Metadata={"sha256": sha256})
        names_upload = {**names, "UploadId": upload["UploadId"]}
        try:
            parts: list[dict[str, Any]] = []
            whole = hashlib.sha256()
            with path.open("rb") as file:
                while chunk := file.read(self.part_bytes):
                    whole.update(chunk)
                    digest = checksum(chunk)
                    number = len(parts) + 1
                    done = self.client.upload_part(**names_upload, PartNumber=number, Body=chunk, ChecksumSHA256=digest)
                    parts.append({"PartNumber": number, "ETag": done["ETag"], "ChecksumSHA256": digest})
            if whole.hexdigest() != sha256:
                raise WorldError("the file changed while it was stored", where=str(path), todo="Start a new run.")
            self.client.complete_multipart_upload(**names_upload, MultipartUpload={"Parts": parts}, IfNoneMatch="*")
        except BaseException:
            with contextlib.suppress(Exception):
                self.client.abort_multipart_upload(**names_upload)
            raise

    def get_file(self, key: str, path: Path, sha256: str | None = None) -> str:
        """See :meth:`Store.get_file`. Without ``sha256`` the object's own record is what counts."""
        where = self.location(key)
        digest = hashlib.sha256()
        with s3_errors(where), replacing(path) as temporary:
            answer = self.client.get_object(Bucket=self.bucket, Key=self.full_key(key))
            expected = sha256 or answer.get("Metadata", {}).get("sha256")
            with temporary.open("wb") as out, contextlib.closing(answer["Body"]) as body:
                while chunk := body.read(CHUNK_BYTES):
                    digest.update(chunk)
                    with disk_errors(path):
                        out.write(chunk)
            if expected is not None and digest.hexdigest() != expected:
                raise damaged(where)
        return digest.hexdigest()

    def digest(self, key: str) -> str | None:
        """See :meth:`Store.digest`; what the object's metadata say, or its content if they say nothing."""
        from botocore.exceptions import ClientError

        where = self.location(key)
        with s3_errors(where):
            try:
                head = self.client.head_object(Bucket=self.bucket, Key=self.full_key(key))
            except ClientError as error:
                if is_missing(error):
                    return None
                raise
            recorded = head.get("Metadata", {}).get("sha256")
            if recorded:
                return str(recorded)
            digest = hashlib.sha256()
            with contextlib.closing(self.client.get_object(Bucket=self.bucket, Key=self.full_key(key))["Body"]) as body:
                while chunk := body.read(CHUNK_BYTES):
                    digest.update(chunk)
            return digest.hexdigest()

    def list(self, prefix: str) -> Iterator[Entry]:
        """See :meth:`Store.list`."""
        below = (
            self.full_key(prefix.rstrip("/")) + "/" if prefix.strip("/") else (f"{self.prefix}/" if self.prefix else "")
        )
        cut = len(self.prefix) + 1 if self.prefix else 0
        with s3_errors(self.uri):
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=below):
                for item in page.get("Contents", []):
                    yield Entry(item["Key"][cut:], int(item["Size"]))

    def names(self, prefix: str) -> Sequence[str]:
        """See :meth:`Store.names`."""
        path = prefix.strip("/")
        below = f"{self.full_key(path)}/" if path else (f"{self.prefix}/" if self.prefix else "")
        found: set[str] = set()
        with s3_errors(self.uri):
            pages = self.client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.bucket, Prefix=below, Delimiter="/"):
                found |= {item["Key"][len(below) :] for item in page.get("Contents", [])}
                found |= {item["Prefix"][len(below) :].rstrip("/") for item in page.get("CommonPrefixes", [])}
        return sorted(name for name in found if name and not name.startswith("."))

    def size(self, key: str) -> int | None:
        """See :meth:`Store.size`."""
        try:
            with s3_errors(self.location(key)):
                return int(self.client.head_object(Bucket=self.bucket, Key=self.full_key(key))["ContentLength"])
        except NotStoredError:
            return None

    def read_range(self, key: str, start: int, length: int) -> Iterator[bytes]:
        """See :meth:`Store.read_range`."""
        if length <= 0:
            return
        from botocore.exceptions import ClientError

        with s3_errors(self.location(key)):
            try:
                answer = self.client.get_object(
                    Bucket=self.bucket, Key=self.full_key(key), Range=f"bytes={start}-{start + length - 1}"
                )
            except ClientError as error:
                if error_code(error) in ("InvalidRange", "416"):
                    return  # nothing lies there: it ends before
                raise
            with contextlib.closing(answer["Body"]) as body:
                before = 0 if answer.get("ContentRange") else start  # a server that knows no ranges sends all
                while before > 0 and (chunk := body.read(min(before, CHUNK_BYTES))):
                    before -= len(chunk)
                while length > 0 and (chunk := body.read(min(length, CHUNK_BYTES))):
                    length -= len(chunk)
                    yield chunk

    def forget_unfinished(self, prefix: str) -> None:
        """See :meth:`Store.forget_unfinished`. Nothing to do: an object is there whole or not at all."""
        check_key(prefix)

    def swap_pointer(self, key: str, value: dict[str, Any], *, seen: Pointer | None) -> bool:
        """See :meth:`Store.swap_pointer`."""
        with s3_errors(self.location(key)):
            return self.put_if(key, value, seen)

    def put_if(self, key: str, value: dict[str, Any], seen: Pointer | None) -> bool:
        """Replace a pointer under ``If-Match`` with the ETag that was seen, or make it under ``If-None-Match: *``.

        Returns:
            Whether it says ``value`` now.

        Raises:
            botocore.exceptions.ClientError: S3 refused for another reason than the condition.
        """
        from botocore.exceptions import ClientError

        content = encode_pointer(key, value)
        condition = {"IfMatch": seen.version} if seen is not None else {"IfNoneMatch": "*"}
        try:
            self.client.put_object(
                Bucket=self.bucket,
                Key=self.full_key(key),
                Body=content,
                ChecksumSHA256=checksum(content),
                ContentType="application/json",
                **condition,
            )
        except ClientError as error:
            if not precondition_failed(error) and not (seen is not None and is_missing(error)):
                raise
            # our own first try may have gone through, and its answer been lost
            return self.get_pointer(key) == value
        return True

    def read_pointer(self, key: str) -> Pointer | None:
        """See :meth:`Store.read_pointer`. Its version is its ETag."""
        from botocore.exceptions import ClientError

        where = self.location(key)
        with s3_errors(where):
            try:
                answer = self.client.get_object(Bucket=self.bucket, Key=self.full_key(key))
            except ClientError as error:
                if is_missing(error):
                    return None
                raise
            with contextlib.closing(answer["Body"]) as body:
                value = decode_pointer(where, body.read(MAX_POINTER_BYTES + 1))
            if not answer.get("ETag"):
                raise UnfitStoreError("the store gives objects no ETag", where=where, todo=REQUIREMENT)
            return Pointer(value, str(answer["ETag"]))

    def probe(self, name: str, *, need_bytes: int = 0) -> None:  # noqa: ARG002 - a bucket does not say how much it holds
        """See :meth:`Store.probe`."""
        from penstock.store.s3_probe import probe

        probe(self, name)

    def full_key(self, key: str) -> str:
        """A key of the store as the bucket knows it: below the prefix."""
        return f"{self.prefix}/{check_key(key)}" if self.prefix else check_key(key)


def _same(there: str, sha256: str, where: str) -> bool:
    if there != sha256:
        raise differs(where)
    return False
