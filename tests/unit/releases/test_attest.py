"""A signed verdict proves one pair of image and weights, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.unit.releases.attested import published_release
from tests.unit.releases.released_runs import released
from tests.unit.releases.signing_keys import key_pair

from penstock.bundle.directory import Bundle
from penstock.foundation.errors import WorldError
from penstock.releases import attestation
from penstock.releases.acts import withdraw
from penstock.releases.attest import UnverifiedError, attest, verify
from penstock.releases.attestation import attestation_key, statement
from penstock.releases.baseline import Release
from penstock.releases.envelope import key_id, private_key, public_key, sign, write_envelope
from penstock.store.local import LocalStore
from penstock.store.store import Pointer

DIGEST = f"sha256:{'a' * 64}"
TIME = "2026-01-02T00:00:00+00:00"
TODAY = date(2026, 1, 2)
GOOD: Mapping[str, str] = {"w.onnx": "b" * 64}


def place(release: Release, folder: Path) -> str:
    """Where the verdict lies that was signed with the key of ``folder``."""
    return attestation_key(release, key_id(public_key(folder / "penstock.pub")))


@pytest.fixture
def signed(tmp_path: Path) -> tuple[LocalStore, Release]:
    release, bundle = published_release(tmp_path)
    private, _ = key_pair(tmp_path)
    store = LocalStore(tmp_path / "store")
    where = attest(store, bundle, release, private_key(private), time=TIME)
    assert where == store.location(place(release, tmp_path))
    # signed again nothing changes: a signature is another every time, and evidence is never replaced
    assert attest(store, bundle, release, private_key(private), time="later") == where
    return store, release


def test_the_pair_that_was_judged(signed: tuple[LocalStore, Release], tmp_path: Path) -> None:
    store, release = signed
    key = public_key(tmp_path / "penstock.pub")
    for weights in (None, GOOD, {"/elsewhere/other-name": "b" * 64}):
        (proof,) = verify(store, DIGEST, key, weights=weights, today=TODAY)
        assert (proof.pair.version, proof.pair.run, proof.time) == ("1.0.0", "run-1", TIME)
        assert proof.key == place(release, tmp_path)


@pytest.mark.parametrize(
    ("weights", "reason"),
    [
        ({}, "it was judged with 'w.onnx', which was not given"),
        ({"w.onnx": "e" * 64}, "'w.onnx' is not among the weights"),
        (GOOD | {"more.onnx": "e" * 64}, "'more.onnx' is not among the weights"),
    ],
)
def test_other_weights(
    signed: tuple[LocalStore, Release], tmp_path: Path, weights: Mapping[str, str], reason: str
) -> None:
    with pytest.raises(UnverifiedError, match=reason):
        verify(signed[0], DIGEST, public_key(tmp_path / "penstock.pub"), weights=weights, today=TODAY)


def test_another_image_another_key(signed: tuple[LocalStore, Release], tmp_path: Path) -> None:
    store, _ = signed
    key, other = public_key(tmp_path / "penstock.pub"), public_key(key_pair(tmp_path / "other")[1])
    with pytest.raises(UnverifiedError, match="no verdict over it is signed"):
        verify(store, f"sha256:{'f' * 64}", key, today=TODAY)
    with pytest.raises(UnverifiedError, match=r"sonic-lite@1\.0\.0\.[0-9a-f]{12}: it carries no signature of this key"):
        verify(store, DIGEST, other, today=TODAY)
    # a verdict that is moved to another image's place is still about its own
    moved = tmp_path / "store" / "attestations" / f"sha256-{'f' * 64}"
    moved.mkdir()
    (moved / "x.json").write_bytes((tmp_path / "store" / place(signed[1], tmp_path)).read_bytes())
    with pytest.raises(UnverifiedError, match="it is about another image"):
        verify(store, f"sha256:{'f' * 64}", key, today=TODAY)


def test_a_withdrawn_version(signed: tuple[LocalStore, Release], tmp_path: Path) -> None:
    store, _ = signed
    released(tmp_path, store, "run-2", "1.1.0", "https://example.org/sonic-lite", baseline="run-1")
    withdraw(store, "sonic-lite", "1.0.0", reason="data", by="ann")
    with pytest.raises(UnverifiedError, match=r"1\.0\.0 was withdrawn by ann: data"):
        verify(store, DIGEST, public_key(tmp_path / "penstock.pub"), today=TODAY)


def resigned(folder: Path, change: dict[str, Any], pair: dict[str, Any]) -> LocalStore:
    """A store that holds a verdict with other content, signed with the right key."""
    release, bundle = published_release(folder)
    private, _ = key_pair(folder)
    whole = json.loads(statement(release, bundle.run(), bundle.verdict(), evidence="e", time=TIME))
    whole["predicate"] |= change
    whole["predicate"]["penstock"] |= pair
    path = folder / "store" / place(release, folder)
    path.parent.mkdir(parents=True)
    path.write_bytes(write_envelope(sign(json.dumps(whole).encode(), private_key(private))))
    return LocalStore(folder / "store")


def test_a_waiver_that_is_over(tmp_path: Path) -> None:
    rule = {"metric": "lse_d", "slice": None, "reason": "camera", "author": "ann", "expires": "2026-01-02"}
    store, key = resigned(tmp_path, {}, {"waived": [rule]}), public_key(tmp_path / "penstock.pub")
    assert verify(store, DIGEST, key, today=date(2026, 1, 2))
    with pytest.raises(UnverifiedError, match="the waiver of 'lse_d' by ann ended on 2026-01-02"):
        verify(store, DIGEST, key, today=date(2026, 1, 3))


@pytest.mark.parametrize(
    ("change", "pair", "reason"),
    [
        ({"verificationResult": "FAILED"}, {}, "its verdict is 'FAILED'"),
        ({}, {"weights": "none"}, r"it is no verdict: predicate\.penstock\.weights"),
        ({}, {"version": "../x"}, "cannot name a version"),
    ],
)
def test_signed_statements_that_say_something_else(
    tmp_path: Path, change: dict[str, Any], pair: dict[str, Any], reason: str
) -> None:
    store = resigned(tmp_path, change, pair)
    with pytest.raises(UnverifiedError, match=reason):
        verify(store, DIGEST, public_key(tmp_path / "penstock.pub"), today=TODAY)


def test_damaged_and_overlong_attestations_prove_nothing(
    signed: tuple[LocalStore, Release], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, release = signed
    path, key = tmp_path / "store" / place(release, tmp_path), public_key(tmp_path / "penstock.pub")
    for content in (b"", b"{}", path.read_bytes()[:-40]):
        path.write_bytes(content)
        with pytest.raises(UnverifiedError, match="no DSSE envelope"):
            verify(store, DIGEST, key, today=TODAY)
    path.write_bytes(b" " * ((4 << 20) + 1))
    with pytest.raises(UnverifiedError, match="too large"):
        verify(store, DIGEST, key, today=TODAY)
    assert attestation.PREDICATE_TYPE.endswith("/v1")


def test_a_changed_key_signs_once_more(signed: tuple[LocalStore, Release], tmp_path: Path) -> None:
    store, release = signed
    private, public = key_pair(tmp_path / "new")
    where = attest(store, Bundle(tmp_path / "run-1"), release, private_key(private), time=TIME)
    assert where == store.location(place(release, tmp_path / "new"))
    for key in (public, tmp_path / "penstock.pub"):
        assert verify(store, DIGEST, public_key(key), today=TODAY)


@pytest.mark.parametrize("content", [b"{}", b"", None])
def test_what_lies_in_its_place_and_is_none_is_told(
    signed: tuple[LocalStore, Release], tmp_path: Path, content: bytes | None
) -> None:
    store, release = signed
    path = tmp_path / "store" / place(release, tmp_path)
    if content is None:  # a verdict over another version
        other = release.model_copy(update={"version": "9.9"})
        bundle = Bundle(tmp_path / "run-1")
        signed_other = statement(other, bundle.run(), bundle.verdict(), evidence="e", time=TIME)
        content = write_envelope(sign(signed_other, private_key(tmp_path / "penstock.key")))
    path.chmod(0o644)
    path.write_bytes(content)
    with pytest.raises(WorldError, match=r"where the signed verdict of 1\.0\.0 belongs lies something else"):
        attest(store, Bundle(tmp_path / "run-1"), release, private_key(tmp_path / "penstock.key"), time=TIME)


def test_two_that_sign_at_once(signed: tuple[LocalStore, Release], tmp_path: Path) -> None:
    class Late(LocalStore):
        """It has not seen yet what another process has stored."""

        looked = False

        def exists(self, key: str) -> bool:
            seen, self.looked = self.looked, True
            return seen and super().exists(key)

    store, release = signed
    key = private_key(tmp_path / "penstock.key")
    where = attest(Late(tmp_path / "store"), Bundle(tmp_path / "run-1"), release, key, time="later")
    assert where == store.location(place(release, tmp_path))


def test_a_withdrawn_pair_does_not_pass_under_another_version(
    signed: tuple[LocalStore, Release], tmp_path: Path
) -> None:
    store, release = signed
    key = private_key(tmp_path / "penstock.key")
    released(tmp_path, store, "run-2", "1.0.1", "https://example.org/sonic-lite", baseline="run-1")
    attest(store, Bundle(tmp_path / "run-2"), release.model_copy(update={"version": "1.0.1"}), key, time=TIME)
    assert len(verify(store, DIGEST, key.public_key(), today=TODAY)) == 2
    withdraw(store, "sonic-lite", "1.0.0", reason="poisoned weights")
    with pytest.raises(UnverifiedError, match=r"1\.0\.0 was withdrawn by .*: poisoned weights"):
        verify(store, DIGEST, key.public_key(), today=TODAY)


def test_a_withdrawal_that_was_killed_holds_all_the_same(signed: tuple[LocalStore, Release], tmp_path: Path) -> None:
    class Killed(LocalStore):
        def swap_pointer(self, key: str, value: dict[str, Any], *, seen: Pointer | None) -> bool:
            super().swap_pointer(key, value, seen=seen)
            raise KeyboardInterrupt

    store, _ = signed
    released(tmp_path, store, "run-2", "1.1.0", "https://example.org/sonic-lite", baseline="run-1")
    with pytest.raises(KeyboardInterrupt):
        withdraw(Killed(tmp_path / "store"), "sonic-lite", "1.0.0", reason="data", by="ann")
    with pytest.raises(UnverifiedError, match=r"1\.0\.0 was withdrawn by ann: data"):
        verify(store, DIGEST, public_key(tmp_path / "penstock.pub"), today=TODAY)


def test_what_a_forged_attestation_says_stays_on_one_line(signed: tuple[LocalStore, Release], tmp_path: Path) -> None:
    store, release = signed
    path = tmp_path / "store" / place(release, tmp_path)
    envelope = json.loads(path.read_bytes()) | {"payloadType": "x\nsonic-lite 1.0.0 passed"}
    path.chmod(0o644)
    path.write_text(json.dumps(envelope))
    with pytest.raises(UnverifiedError) as caught:
        verify(store, DIGEST, public_key(tmp_path / "penstock.pub"), today=TODAY)
    assert "\n" not in str(caught.value)
