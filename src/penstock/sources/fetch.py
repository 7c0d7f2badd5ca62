"""Fetching one file (https, S3, the hub): resumed where it broke off, bounded, accepted only with its SHA-256."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urljoin, urlsplit

from penstock.contract.weight_sources import HUB, hub_file
from penstock.foundation.errors import UsageError, WorldError, printable
from penstock.foundation.files import CHUNK_BYTES, disk_errors, sha256_file
from penstock.foundation.loopback import is_loopback
from penstock.sources.git_url import mask
from penstock.sources.hub import check_hub_answer, hub_refusal
from penstock.sources.tokens import token_for
from penstock.sources.tree import is_pointer

if TYPE_CHECKING:
    import httpx

log = logging.getLogger(__name__)

MAX_BYTES = 64 << 30
MAX_REDIRECTS = 5
MAX_ATTEMPTS = 100
BACKOFF_S = 30.0
_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})


class _TransferError(Exception):
    """The transfer broke; another attempt may go on from where it stopped."""


@dataclass(frozen=True)
class Fetcher:
    """How files are fetched: limits, patience, credentials."""

    credentials: Path | None = None
    """For S3, see :func:`penstock.store.s3_client.s3_client`."""
    tokens: Path | None = None
    """Bearer tokens for https and the hub, see :func:`penstock.sources.tokens.token_for`."""
    max_bytes: int = MAX_BYTES
    attempts: int = 5
    """Failures in a row, without a byte between them, before it is given up."""
    timeout_s: float = 60.0
    """For connecting, and for each silence of the server."""
    allow_http_loopback: bool = False
    """Accept unencrypted http to this machine (tests, a mirror beside the runner)."""
    allow_local: bool = False
    """Accept ``file:///…``: what a person names who starts a run on this machine; never what a contract says."""
    hub: str = HUB
    """Where ``hf://`` is fetched from."""
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)

    def fetch(self, url: str, target: Path, sha256: str) -> int:
        """Bring ``url`` to ``target``, whole or not at all. What came before a failure is kept for the next time.

        Args:
            url: ``https://…``, ``s3://bucket/key``, ``hf://org/repo@commit/file`` or, if it is allowed, ``file:///…``.
            target: the file to write; an older one is replaced.
            sha256: what the content must have.

        Returns:
            Its size in bytes.

        Raises:
            UsageError: an address that is not allowed, a file that is too large, or another SHA-256 than ``sha256``.
            WorldError: the server cannot be reached, refuses, or breaks off again and again; the disk is full.
        """
        self.check(url)
        part = target.with_name(target.name + ".part")
        with disk_errors(part):
            part.parent.mkdir(parents=True, exist_ok=True)
            resumed = part.exists() and part.stat().st_size > 0
            self._transfer(url, part, sha256)
            found = sha256_file(part)
            if found != sha256 and resumed:
                log.info("what an earlier attempt left of %s does not fit: it is fetched from the beginning", mask(url))
                part.unlink()
                self._transfer(url, part, sha256)
                found = sha256_file(part)
            if found != sha256:
                pointer = is_pointer(part)
                part.unlink()
                if pointer:
                    todo = "Name the address of the file itself."
                    raise WorldError("the server sent a Git LFS pointer, not the file", where=mask(url), todo=todo)
                raise wrong_digest(mask(url), found, sha256)
            size = part.stat().st_size
            part.chmod(0o444)
            part.replace(target)
        return size

    def check(self, url: str) -> None:
        """Refuse an address that may not be fetched from.

        Raises:
            UsageError: why.
        """
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
            _ = parts.port
        except ValueError:
            raise UsageError("this is not a valid address", where=mask(url)[:200]) from None
        if not url.isprintable() or " " in url:
            raise UsageError("the address contains a space or a control character", where=mask(url)[:200])
        if url.startswith("s3://") and host and parts.path.strip("/"):
            return
        if parts.scheme == "hf":
            try:
                hub_file(url)
            except UsageError as error:
                raise UsageError(error.what, where=mask(url)[:200], todo=error.todo) from None
            return
        if url.startswith("file://") and not host and self.allow_local:
            return
        if parts.scheme == "https" and host:
            return
        if parts.scheme == "http" and self.allow_http_loopback and is_loopback(host):
            return
        raise UsageError("weights come from https://, s3:// and hf:// only", where=mask(url)[:200])

    def _redirected(self, url: str, location: str) -> str:
        """As an address that was named, and of the web: no server chooses a file of this machine, or a bucket."""
        target = location
        try:
            target = urljoin(url, location)
            self.check(target)
            _check_web_address(target)
        except (UsageError, ValueError):
            raise WorldError(
                "the server redirects to an address that is not allowed", where=mask(printable(target))[:200]
            ) from None
        return target

    def _transfer(self, url: str, part: Path, sha256: str) -> None:
        """Fill ``part`` up to the end of the file, in as many attempts as it takes."""
        failures = 0
        for _ in range(MAX_ATTEMPTS):
            before = part.stat().st_size if part.exists() else 0
            try:
                if url.startswith("s3://"):
                    self._s3(url, part, before)
                elif url.startswith("file://"):
                    self._local(url, part)
                else:
                    self._http(url, part, before, sha256)
            except _TransferError as broken:
                after = part.stat().st_size if part.exists() else 0
                failures = 1 if after > before else failures + 1
                if failures >= self.attempts:
                    raise WorldError(
                        f"the download failed {failures} times: {broken}",
                        where=mask(url),
                        todo=f"Try again: {after} bytes are kept." if after else "Check the network and try again.",
                    ) from None
                delay = min(BACKOFF_S, 2.0 ** (failures - 1)) * random.uniform(0.5, 1.0)  # noqa: S311
                log.info("download of %s broke at %d bytes (%s): again in %.1f s", mask(url), after, broken, delay)
                self.sleep(delay)
            else:
                return
        raise WorldError(
            f"the download broke {MAX_ATTEMPTS} times", where=mask(url), todo="Try again: the rest is kept."
        )

    def _local(self, url: str, part: Path) -> None:
        source = Path(unquote(urlsplit(url).path))
        if not source.is_file():
            raise WorldError("there is no such file on this machine", where=str(source), todo="Bring it back.")
        if source.stat().st_size > self.max_bytes:
            raise UsageError(f"the file is larger than {self.max_bytes} bytes", where=str(source))
        copy_with_digest(source, part)
        part.chmod(0o600)

    def _http(self, url: str, part: Path, start: int, sha256: str) -> None:
        import httpx

        wanted = hub_file(url) if url.startswith("hf://") else None
        if wanted is not None:
            url = wanted.address(self.hub)
        _check_web_address(url)
        headers = {"Accept-Encoding": "identity", "User-Agent": "penstock"}
        if start:
            headers["Range"] = f"bytes={start}-"
        timeout = httpx.Timeout(self.timeout_s)
        # A proxy of the environment is not asked for what lies on this machine.
        trust_env = not is_loopback(urlsplit(url).hostname or "")
        try:
            with httpx.Client(timeout=timeout, follow_redirects=False, trust_env=trust_env) as client:
                for _ in range(MAX_REDIRECTS + 1):
                    # each host gets its own token, and none that was meant for the one that redirects to it
                    token = token_for(self.tokens, urlsplit(url).hostname or "")
                    own = {"Authorization": f"Bearer {token}"} if token else {}
                    with client.stream("GET", url, headers=headers | own) as response:
                        if wanted is not None and url.startswith(f"{self.hub}/"):
                            if refusal := hub_refusal(
                                response.status_code, response.headers, wanted, token=bool(token)
                            ):
                                raise refusal
                            check_hub_answer(response.headers, wanted, sha256, self.max_bytes)
                        location = response.headers.get("Location") if response.is_redirect else None
                        if location is None:
                            self._answer(response, url, part, start)
                            return
                        url = self._redirected(url, location)
        except (httpx.InvalidURL, UnicodeError):  # of a redirect, which httpx looks at before we do
            raise WorldError("the server redirects to an address that is not valid", where=mask(url)) from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise _TransferError(printable(mask(str(error))) or type(error).__name__) from None
        raise WorldError(f"more than {MAX_REDIRECTS} redirects", where=mask(url))

    def _answer(self, response: httpx.Response, url: str, part: Path, start: int) -> None:
        status = response.status_code
        if status == 416 and start:
            # Nothing is left to send, or the file there is shorter now; the digest tells.
            total = response.headers.get("Content-Range", "").rpartition("/")[2]
            if total == str(start):
                return
            part.unlink()
            raise _TransferError("the server's file is shorter than what is here")
        if status in _RETRIED:
            raise _TransferError(f"the server answered {status}")
        if status not in (200, 206):
            todo = "Check the address." if status in (404, 410) else "Check that it may be fetched without a login."
            raise WorldError(f"the server answered {status}", where=mask(url), todo=todo)
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise WorldError("the server sends the file re-encoded", where=mask(url), todo="Serve it as it is.")
        if status == 206 and not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            part.unlink(missing_ok=True)
            raise _TransferError("the server sent another part than was asked for")
        self._write(response.iter_raw(), url, part, start if status == 206 else 0, _length(response.headers))

    def _s3(self, url: str, part: Path, start: int) -> None:
        from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError

        from penstock.store.s3_client import error_code, s3_client, s3_errors

        bucket, _, key = url.removeprefix("s3://").partition("/")
        client = s3_client(self.credentials, where=url)
        with s3_errors(url):
            try:
                answer = client.get_object(Bucket=bucket, Key=key, **({"Range": f"bytes={start}-"} if start else {}))
                with contextlib.closing(answer["Body"]) as body:
                    length = int(answer["ContentLength"])
                    self._write(iter(lambda: body.read(CHUNK_BYTES), b""), url, part, start, length)
            except ClientError as error:
                if start and error_code(error) in ("416", "InvalidRange"):
                    head = client.head_object(Bucket=bucket, Key=key)
                    if int(head["ContentLength"]) == start:
                        return
                    part.unlink()
                    raise _TransferError("the object is shorter than what is here") from None
                raise
            except (IncompleteReadError, HTTPClientError) as error:
                raise _TransferError(printable(str(error))) from None

    def _write(self, chunks: Iterator[bytes], url: str, part: Path, start: int, length: int | None) -> None:
        """Append what comes; a server that promises or sends more than the limit is cut off."""
        too_large = UsageError(f"the file is larger than {self.max_bytes} bytes", where=mask(url))
        if length is not None and start + length > self.max_bytes:
            raise too_large
        with part.open("ab" if start else "wb") as out:
            for chunk in chunks:
                if out.tell() + len(chunk) > self.max_bytes:
                    raise too_large
                out.write(chunk)
            if length is not None and out.tell() < start + length:
                raise _TransferError(f"it ended after {out.tell()} of {start + length} bytes")


def wrong_digest(where: str, found: str, wanted: str) -> UsageError:
    """The error for a file with another SHA-256 than the contract names."""
    return UsageError(
        f"the file's SHA-256 is {found}, the contract says {wanted}",
        where=where,
        todo="Correct the contract, or put the right file there.",
    )


def copy_with_digest(source: Path, target: Path) -> str:
    """Copy a file, read-only, whole or not at all, and return the SHA-256 of what was copied."""
    digest = hashlib.sha256()
    temporary = target.with_name(f".{target.name}.copying")
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.unlink(missing_ok=True)
        try:
            with source.open("rb") as content, temporary.open("xb") as out:
                while chunk := content.read(CHUNK_BYTES):
                    digest.update(chunk)
                    out.write(chunk)
            temporary.chmod(0o444)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    return digest.hexdigest()


def _check_web_address(url: str) -> None:
    """Refuse what httpx cannot send to: it has a stricter idea of an address than the standard library.

    Raises:
        UsageError: it is no http or https address, or none that can be read.
    """
    import httpx

    try:
        parsed = httpx.URL(url)
        readable = parsed.scheme in ("https", "http") and bool(parsed.host)
    except (httpx.InvalidURL, ValueError):
        readable = False
    if not readable:
        raise UsageError("this is not a valid address", where=mask(url)[:200])


def _length(headers: Any) -> int | None:
    text = headers.get("Content-Length", "")
    return int(text) if text.isdigit() else None
