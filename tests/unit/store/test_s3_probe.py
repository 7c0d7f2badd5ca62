"""Before the model runs, a store is tried: what it cannot do is said then, with what it would have to be able to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.store.lesser_s3 import Lack, lesser_s3

from penstock.foundation.errors import WorldError
from penstock.store.s3 import S3Store
from penstock.store.s3_client import s3_client
from penstock.store.store import Store

NEEDS = "Penstock needs a store that takes SHA-256 checksums (x-amz-checksum-sha256) and conditional writes"


def test_a_store_that_can_do_it_all_is_left_as_it_was(store: Store) -> None:
    store.probe("run-1", need_bytes=1)
    assert list(store.list("")) == []
    store.probe("run-1")


def test_a_bucket_in_which_nothing_may_be_removed_is_probed_twice(
    s3_store: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_store.client, "delete_object", lambda **_: None)
    s3_store.probe("run-1")
    s3_store.probe("run-1")
    assert {entry.key.split("/")[0] for entry in s3_store.list("")} == {"probes"}


@pytest.mark.parametrize(
    ("lack", "said"),
    [
        ("checksums", "the store refuses an upload with its SHA-256 and If-None-Match (InvalidArgument: Unsupported"),
        ("conditions", "the store refuses an upload with its SHA-256 and If-None-Match (NotImplemented: A header"),
        ("none-match-kept", "the store does not honour If-None-Match: it writes over what is there"),
        ("match-kept", "the store does not honour If-Match: it replaces what was changed meanwhile"),
        ("etag", "the store gives objects no ETag"),
    ],
)
def test_what_a_store_lacks(s3_credentials: Path, lack: Lack, said: str) -> None:
    with lesser_s3(lack) as server:
        (s3_credentials / "AWS_ENDPOINT_URL").write_text(server.url)
        store = S3Store("bucket", "pre", client=s3_client(s3_credentials))
        with pytest.raises(WorldError) as caught:
            store.probe("run-1")
        assert server.objects == {}
    assert said in str(caught.value)
    assert NEEDS in str(caught.value)
    assert "try again" not in str(caught.value).lower()


def test_a_store_without_uploads_in_parts_is_told_of_and_used(
    s3_credentials: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with lesser_s3("parts") as server:
        (s3_credentials / "AWS_ENDPOINT_URL").write_text(server.url)
        S3Store("bucket", "pre", client=s3_client(s3_credentials)).probe("run-1")
        assert server.objects == {}
    assert "refuses uploads in parts" in caplog.text
    assert "more than 64 MiB" in caplog.text


def test_a_key_that_may_not_write_is_no_lack_of_the_store(s3_credentials: Path) -> None:
    with lesser_s3("writes") as server:
        (s3_credentials / "AWS_ENDPOINT_URL").write_text(server.url)
        with pytest.raises(WorldError, match=r"AccessDenied: you may not\. Check the credentials"):
            S3Store("bucket", "pre", client=s3_client(s3_credentials)).probe("run-1")


def test_a_bucket_that_is_not_there(s3_server: None, s3_credentials: Path) -> None:
    with pytest.raises(WorldError, match=r"NoSuchBucket.*Make the bucket"):
        S3Store("no-such-bucket", "", client=s3_client(s3_credentials)).probe("run-1")
