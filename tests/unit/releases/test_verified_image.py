"""An image by its digest; of several keys one is enough. Registries: tests/unit/targets/test_asked_provenance.py."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.releases.attested import published_release
from tests.unit.releases.signing_keys import key_pair

from penstock.foundation.errors import UsageError
from penstock.releases.attest import UnverifiedError, attest
from penstock.releases.envelope import private_key, public_key
from penstock.releases.verified_image import NamedImage, hold_provenance, named_image, verify_image
from penstock.store.local import LocalStore

DIGEST = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (DIGEST, None),
        (f"r:5000/m@{DIGEST}", "r:5000/m"),
        (f"r:5000/m:1.0.0@{DIGEST}", "r:5000/m"),
        (f"m:latest@{DIGEST}", "m"),
    ],
)
def test_a_name(text: str, address: str | None) -> None:
    assert named_image(text) == NamedImage(address, DIGEST)


@given(st.text(max_size=40))
def test_anything_without_a_digest_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="by its digest"):
        named_image(text)


def test_one_key_of_several(tmp_path: Path) -> None:
    release, bundle = published_release(tmp_path)
    private, public = key_pair(tmp_path)
    _, other = key_pair(tmp_path / "other")
    store, image = LocalStore(tmp_path / "store"), NamedImage(None, DIGEST)
    attest(store, bundle, release, private_key(private), time="2026-01-02T00:00:00+00:00")
    keys = {"new.pub": public_key(other), "penstock.pub": public_key(public)}
    today = date(2026, 1, 2)
    (proof,) = verify_image(store, image, keys, today=today)
    assert (proof.pair.version, proof.repository) == ("1.0.0", f"git+{release.url}")
    with pytest.raises(UnverifiedError, match=r"new\.pub: the image"):
        verify_image(store, image, {"new.pub": keys["new.pub"]}, today=today)
    with pytest.raises(UnverifiedError, match="no key was given"):
        verify_image(store, image, {}, today=today)
    with pytest.raises(UsageError, match="its address is needed"):
        hold_provenance(image, [proof], list(keys.values()), tls_verify=True, authfile=None, where="it")
