"""The S3 server on the node: versitygw over a directory, with credentials that were made for this cluster alone."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.cluster import process
from tests.cluster.settings import Settings

from penstock.foundation.errors import WorldError

NAME = "objects"
BUCKET = "penstock"


@dataclass(frozen=True)
class Access:
    """How to reach the object store."""

    endpoint: str
    access_key: str
    secret_key: str
    bucket: str = BUCKET


def start(settings: Settings) -> Access:
    """Start the server and make the bucket. After :func:`tests.cluster.process.stop` it comes back as it was."""
    process.start(settings, part(settings))
    access = credentials(settings)
    make_bucket(access)
    return access


def part(settings: Settings) -> process.Part:
    """The server's process."""
    access = credentials(settings)
    data = folder(settings) / "data"
    data.mkdir(parents=True, exist_ok=True)
    address = f"{settings.address}:{settings.s3_port}"
    return process.Part(
        name=NAME,
        argv=[settings.binary("versitygw"), "--port", address, "--quiet", "posix", data],
        # not as arguments, which everybody on the machine can read
        env={"ROOT_ACCESS_KEY_ID": access.access_key, "ROOT_SECRET_ACCESS_KEY": access.secret_key},
        ready=lambda: _answers(access),
    )


def folder(settings: Settings) -> Path:
    """Where the objects lie."""
    return settings.state / "objects"


def credentials(settings: Settings) -> Access:
    """The credentials of this cluster, random, made once."""
    path = folder(settings) / "credentials.json"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        access = Access(settings.s3, f"penstock{secrets.token_hex(6)}", secrets.token_urlsafe(30))
        temporary = path.with_suffix(".tmp")
        temporary.touch(mode=0o600)
        temporary.write_text(json.dumps(asdict(access)))
        temporary.replace(path)
    return Access(**json.loads(path.read_text()))


def client(access: Access) -> Any:
    """A boto3 client for the store."""
    import boto3
    from botocore.config import Config

    return boto3.session.Session().client(
        "s3",
        endpoint_url=access.endpoint,
        aws_access_key_id=access.access_key,
        aws_secret_access_key=access.secret_key,
        region_name="us-east-1",
        config=Config(
            proxies={},
            connect_timeout=2,
            read_timeout=10,
            retries={"total_max_attempts": 1},
            s3={"addressing_style": "path"},
        ),
    )


def make_bucket(access: Access) -> None:
    """Make the bucket unless it is there. Raises WorldError."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        s3 = client(access)
        if access.bucket not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
            s3.create_bucket(Bucket=access.bucket)
    except (BotoCoreError, ClientError) as error:
        raise WorldError(f"the bucket '{access.bucket}' cannot be made: {error}", where=access.endpoint) from None


def _answers(access: Access) -> bool:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        client(access).list_buckets()
    except (BotoCoreError, ClientError):
        return False
    return True
