"""Weights where the platform names keys."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from tests.unit.releases.signing_keys import key_pair

from penstock.bundle.models import WeightsFile
from penstock.contract.models import Weights
from penstock.foundation.errors import UsageError
from penstock.releases.envelope import key_id, private_key, public_key
from penstock.releases.signed_weights import sign_weights
from penstock.releases.trusted_weights import hold_signed, trusted_keys

SHA256 = hashlib.sha256(b"weights").hexdigest()
SIGNED = Weights(path="w/a.bin", sha256=SHA256, source="lfs", signature="w.sig")
FILE = WeightsFile(path="w/a.bin", sha256=SHA256, bytes=7)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A repository with signed weights; the trusted key lies in ``keys``, as a ConfigMap has it."""
    folder = tmp_path / "source"
    (folder / "w").mkdir(parents=True)
    (folder / "w" / "a.bin").write_bytes(b"weights")
    private, public = key_pair(tmp_path / "pair")
    (folder / "w.sig").write_bytes(sign_weights(folder / "w", private_key(private), signature=folder / "w.sig"))
    (tmp_path / "keys" / "..data").mkdir(parents=True)
    (tmp_path / "keys" / "..data" / "team.pub").write_bytes(public.read_bytes())
    (tmp_path / "keys" / "team.pub").symlink_to("..data/team.pub")
    return folder


def test_signed_weights_hold(source: Path, tmp_path: Path) -> None:
    keys = trusted_keys(tmp_path / "keys")
    assert len(keys) == 1
    key_pair(tmp_path / "other")
    other = public_key(tmp_path / "other" / "penstock.pub")
    (file,) = hold_signed([SIGNED], [FILE], source, [other, *keys])
    assert file == FILE.model_copy(update={"signed_by": key_id(keys[0])})
    # the same content under another path is the same weights
    hold_signed([SIGNED.model_copy(update={"path": "x"})], [FILE.model_copy(update={"path": "x"})], source, keys)


@pytest.mark.parametrize(
    ("weights", "file", "why"),
    [
        ({"signature": None}, {}, "'w/a.bin' is not signed, and this platform demands it"),
        ({}, {"sha256": "0" * 64}, "the signature is not over 'w/a.bin'"),
        ({"signature": "none.sig"}, {}, "the file is missing"),
        ({"signature": "../w.sig"}, {}, "leaves the repository"),
        ({"signature": "w/a.bin"}, {}, "the signature of 'w/a.bin': this is no signature"),
    ],
)
def test_refused(source: Path, tmp_path: Path, weights: dict[str, str], file: dict[str, str], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        hold_signed(
            [SIGNED.model_copy(update=weights)],
            [FILE.model_copy(update=file)],
            source,
            trusted_keys(tmp_path / "keys"),
        )


def test_another_key(source: Path, tmp_path: Path) -> None:
    key_pair(tmp_path / "other")[0].unlink()
    with pytest.raises(UsageError, match="carries no signature of this key"):
        hold_signed([SIGNED], [FILE], source, trusted_keys(tmp_path / "other"))


def test_a_file_that_is_no_key_is_not_passed_over(tmp_path: Path) -> None:
    assert trusted_keys(tmp_path) == []
    (tmp_path / "README").write_text("keys")
    with pytest.raises(UsageError, match="no public key"):
        trusted_keys(tmp_path)
