"""Talking to S3: the client, its credentials, and what its errors mean."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.foundation.errors import UsageError, WorldError, printable
from penstock.store.store import missing

REQUIREMENT = (
    "Penstock needs a store that takes SHA-256 checksums (x-amz-checksum-sha256) and conditional writes (If-None-Match "
    "and If-Match), such as Amazon S3 or versitygw; docs/operations.md says why."
)
PART_BYTES = 64 << 20
"""Larger files are uploaded in parts of this size, each with its checksum."""
CONNECTIONS = 32
"""That are kept open: as many threads as ask at once. With fewer, the others would connect anew for each request."""


@dataclass(frozen=True)
class Patience:
    """How long S3 is waited for."""

    connect_s: float = 15
    read_s: float = 120
    attempts: int = 5


PATIENT = Patience()
"""Of a run, which can wait."""
_SETTINGS = {
    "AWS_ACCESS_KEY_ID": "aws_access_key_id",
    "AWS_SECRET_ACCESS_KEY": "aws_secret_access_key",
    "AWS_SESSION_TOKEN": "aws_session_token",
    "AWS_REGION": "region_name",
    "AWS_DEFAULT_REGION": "region_name",
    "AWS_ENDPOINT_URL": "endpoint_url",
    "AWS_ENDPOINT_URL_S3": "endpoint_url",
}


_BEYOND = ("credential_process", "web_identity_token_file")
"""Settings of AWS's files that start a program or send another file's content away. Who starts a run names the secret,
and would act as the account that the step runs as."""


def s3_client(credentials: Path | None, *, where: str = "s3", patience: Patience = PATIENT) -> Any:
    """A boto3 client for S3.

    Args:
        credentials: a directory (a mounted secret) with files named as AWS's environment variables
            (``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``, ``AWS_SESSION_TOKEN``, ``AWS_REGION``,
            ``AWS_ENDPOINT_URL``), or with AWS's own ``credentials`` and ``config`` files. ``None``: the environment, as
            boto3 reads it.
        where: what the client is for, for messages.
        patience: how long it waits.

    Raises:
        UsageError: the directory holds none of these, or a setting is not valid, or is one that starts a program.
    """
    import boto3
    import botocore.session
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    settings: dict[str, str] = {}
    core = botocore.session.Session()
    if credentials is not None:
        for name, setting in _SETTINGS.items():
            if (credentials / name).is_file():
                settings[setting] = (credentials / name).read_text(encoding="utf-8").strip()
        files = [("credentials", "credentials_file"), ("config", "config_file")]
        here = [(name, variable) for name, variable in files if (credentials / name).is_file()]
        if not settings and not here:
            raise UsageError(
                "the credentials directory holds neither AWS_ACCESS_KEY_ID … nor 'credentials' and 'config'",
                where=str(credentials),
                todo="Mount a secret with these keys, or leave the directory out.",
            )
        for name, variable in here:
            core.set_config_variable(variable, str(credentials / name))
    settings.setdefault(
        "region_name", os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    )
    config = Config(
        connect_timeout=patience.connect_s,
        read_timeout=patience.read_s,
        max_pool_connections=CONNECTIONS,
        retries={"mode": "standard", "total_max_attempts": patience.attempts},
        s3={"addressing_style": "path" if _endpoint(settings) else "auto"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    try:
        if credentials is not None:
            _hold_plain(core.full_config, where=str(credentials))
        session = boto3.session.Session(botocore_session=core)
        return session.client("s3", config=config, **settings)  # type: ignore[call-overload]
    except (BotoCoreError, ValueError) as error:
        raise UsageError(f"S3 cannot be set up: {error}", where=where) from None


def _hold_plain(config: dict[str, Any], *, where: str) -> None:
    for profile in config.get("profiles", {}).values():
        if found := [name for name in _BEYOND if name in profile]:
            todo = "Put the keys themselves into the secret: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
            raise UsageError(f"'{found[0]}' is not taken from a credentials directory", where=where, todo=todo)


def _endpoint(settings: dict[str, str]) -> str:
    names = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
    return settings.get("endpoint_url") or next((os.environ[name] for name in names if os.environ.get(name)), "")


@contextlib.contextmanager
def s3_errors(where: str) -> Iterator[None]:
    """Turn what boto3 raises into one :class:`WorldError`."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    try:
        yield
    except ClientError as error:
        code = error_code(error)
        if is_missing(error):
            raise missing(where) from None
        said = printable(str(error.response.get("Error", {}).get("Message", ""))[:300])
        todo = (
            "Check the credentials."
            if code in ("403", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch")
            else "Make the bucket, or correct its name."
            if code == "NoSuchBucket"
            else ""
        )
        raise WorldError(f"S3 answered {code}: {said}".rstrip(": "), where=where, todo=todo or "Try again.") from None
    except NoCredentialsError:
        raise WorldError("there are no credentials for S3", where=where, todo="Give a credentials directory.") from None
    except BotoCoreError as error:
        text = printable(str(error)[:300])
        raise WorldError(
            f"S3 cannot be reached: {text}", where=where, todo="Check the endpoint and try again."
        ) from None


def error_code(error: Any) -> str:
    """The code of a botocore ``ClientError``."""
    return str(error.response.get("Error", {}).get("Code", "unknown"))


def is_missing(error: Any) -> bool:
    """Whether a ``ClientError`` says that there is no such object."""
    return error_code(error) in ("404", "NoSuchKey", "NotFound")


def precondition_failed(error: Any) -> bool:
    """Whether a ``ClientError`` says that a condition of the write did not hold, or that two writes collided."""
    return error_code(error) in ("412", "PreconditionFailed", "409", "ConditionalRequestConflict")


def checksum(content: bytes) -> str:
    """S3's ``x-amz-checksum-sha256``: Base64 of the SHA-256."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()
