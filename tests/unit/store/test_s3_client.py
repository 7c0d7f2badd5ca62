"""What S3's errors mean, and what a client needs."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from penstock.foundation.errors import UsageError, WorldError
from penstock.store.s3_client import CONNECTIONS, checksum, is_missing, precondition_failed, s3_client, s3_errors
from penstock.store.store import NotStoredError


def refusal(code: str, message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "PutObject")


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (refusal("NoSuchKey"), NotStoredError),
        (refusal("AccessDenied"), WorldError),
        (refusal("SlowDown", "\033[2Jbusy"), WorldError),
        (NoCredentialsError(), WorldError),
        (EndpointConnectionError(endpoint_url="http://x"), WorldError),
    ],
)
def test_whatever_boto_raises_is_one_error(raised: Exception, told: type[WorldError]) -> None:
    with pytest.raises(told) as error, s3_errors("s3://b/k"):
        raise raised
    assert "s3://b/k" in str(error.value)
    assert "\033" not in str(error.value)


def test_which_refusal_means_that_somebody_was_faster() -> None:
    assert all(
        precondition_failed(refusal(code)) for code in ("412", "PreconditionFailed", "ConditionalRequestConflict")
    )
    assert not precondition_failed(refusal("AccessDenied"))
    assert is_missing(refusal("404"))
    assert not is_missing(refusal("403"))


def test_checksum_is_s3s() -> None:
    assert b64decode(checksum(b"x")) == hashlib.sha256(b"x").digest()


def test_credentials_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        s3_client(tmp_path)


@pytest.mark.parametrize("file", ["config", "credentials"])
@pytest.mark.parametrize(
    "setting", ["credential_process = sh -c true", "Credential_Process=true", "web_identity_token_file = /token"]
)
def test_files_of_aws_start_no_program_and_send_no_other_file(tmp_path: Path, file: str, setting: str) -> None:
    (tmp_path / file).write_text(f"[profile of-others]\nregion = x\n[default]\n{setting}\n")
    with pytest.raises(UsageError, match=r"is not taken from a credentials directory.*AWS_ACCESS_KEY_ID"):
        s3_client(tmp_path)


def test_files_of_aws_with_keys_are_taken(tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text("[default]\naws_access_key_id = a\naws_secret_access_key = b\n")
    (tmp_path / "config").write_text("[default]\nregion = eu-north-1\n")
    client = s3_client(tmp_path)
    assert client.meta.service_model.service_name == "s3"
    assert client.meta.config.max_pool_connections == CONNECTIONS
