"""The S3 server of the cluster, on its own: a pointer is moved by one of several, and the probe is content with it."""

from __future__ import annotations

from pathlib import Path

from tests.cluster.objects import Access
from tests.unit.releases.release_race import race
from tests.unit.store.contested_key import contest

from penstock.store.open import open_store


def test_it_can_do_what_penstock_needs(access: Access, credentials: Path) -> None:
    store = open_store(f"s3://{access.bucket}/probed", credentials)
    store.probe("run-1")
    assert list(store.list("")) == []


def test_four_processes_publish_at_once_and_one_chain_holds(access: Access, credentials: Path, tmp_path: Path) -> None:
    race(f"s3://{access.bucket}/raced", tmp_path, credentials)


def test_eight_write_one_key_at_once_and_one_wins(access: Access, credentials: Path, tmp_path: Path) -> None:
    for number in range(5):
        contest(open_store(f"s3://{access.bucket}/contest-{number}", credentials), tmp_path)
