"""The signed bill of materials is the one that the verdict names, of this image, with this key."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.releases.signing_keys import key_pair
from tests.unit.store.stored_bundle import accepted_bundle

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Image
from penstock.bundle.sbom_file import SBOM, sbom_sha256, sbom_text, write_sbom
from penstock.foundation.strict_json import read_json
from penstock.releases.attest import UnverifiedError, attest, signed_verdict, verify
from penstock.releases.attestation import sbom_key
from penstock.releases.baseline import Release, published
from penstock.releases.envelope import key_id, private_key, public_key, sign, write_envelope
from penstock.releases.release import publish
from penstock.releases.signed_sbom import SBOM_TYPE, _statement, attest_sbom, find_sbom
from penstock.store.archive import archive
from penstock.store.local import LocalStore

DIGEST = f"sha256:{'a' * 64}"
TODAY = date(2026, 1, 2)
DOCUMENT: dict[str, Any] = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "components": [
        {"type": "container", "name": "größe", "components": [{"type": "library", "name": "numpy", "version": "2.0"}]},
        {"type": "machine-learning-model", "name": "sonic-lite"},
    ],
}


class Signed:
    """A release with a bill of materials, and a key that signs."""

    def __init__(self, folder: Path, image: Image | None = None) -> None:
        self.store, self.bundle = LocalStore(folder / "store"), accepted_bundle(folder / "run-1")
        write_sbom(self.bundle, DOCUMENT)
        if image is not None:
            self.bundle.update_run(self.bundle.run().model_copy(update={"image": image}))
        self.bundle.seal()
        archive(self.bundle, self.store, model="sonic-lite", run_id="run-1")
        publish(self.store, self.bundle)
        release = published(self.store, "sonic-lite", "1.0.0")
        assert release is not None
        self.release: Release = release
        private, self.pem = key_pair(folder)
        self.key, self.public = private_key(private), public_key(self.pem)
        attest(self.store, self.bundle, release, self.key, time="2026-01-02T00:00:00+00:00")
        self.verdict = signed_verdict(self.store, release, self.public)
        self.place = sbom_key("sonic-lite", "1.0.0", release.image.digest, key_id(self.public))

    def sign(self, bundle: Bundle | None = None) -> bytes | None:
        return attest_sbom(self.store, bundle or self.bundle, self.release, self.verdict, self.key)

    def put(self, statement: Any) -> None:
        path = Path(self.store.location(self.place).removeprefix("file://"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_bytes(write_envelope(sign(json.dumps(statement).encode(), self.key)))


@pytest.fixture
def signed(tmp_path: Path) -> Signed:
    return Signed(tmp_path)


def test_it_is_verified_with_the_verdict(signed: Signed) -> None:
    (before,) = verify(signed.store, DIGEST, signed.public, today=TODAY)
    assert before.sbom is None
    assert before.sbom_sha256 == sbom_sha256(signed.bundle)
    envelope = signed.sign()
    assert envelope is not None
    assert signed.sign() == envelope
    (proof,) = verify(signed.store, DIGEST, signed.public, today=TODAY)
    assert proof.sbom is not None
    assert (proof.sbom.sha256, proof.sbom.components) == (sbom_sha256(signed.bundle), 3)
    assert proof.sbom.key == signed.place


def test_a_list_of_another_run_is_not_signed_under_this_verdict(signed: Signed, tmp_path: Path) -> None:
    other = accepted_bundle(tmp_path / "run-2", run_id="run-2")
    write_sbom(other, DOCUMENT | {"version": 2})
    assert signed.sign(other) is None
    (other.path / SBOM).unlink()
    assert signed.sign(other) is None
    assert find_sbom(signed.store, DIGEST, signed.verdict, signed.public) is None


STATEMENT = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [{"name": "x", "digest": {"sha256": "a" * 64}}],
    "predicateType": SBOM_TYPE,
    "predicate": DOCUMENT,
}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"predicate": DOCUMENT | {"specVersion": "1.5"}}, "not the one that the verdict names"),
        ({"subject": [{"name": "x", "digest": {"sha256": "f" * 64}}]}, "not the one that the verdict names"),
        ({"predicateType": "https://slsa.dev/verification_summary/v1"}, "not the one that the verdict names"),
        ({"predicate": {"components": []}}, "does not hold: it is none"),
        ({"predicate": None}, "does not hold: it is none"),
        ({"subject": 3}, "does not hold: it is none"),
        ({"subject": [{"digest": None}]}, "does not hold: it is none"),
    ],
)
def test_another_one_in_its_place_makes_the_verdict_void(signed: Signed, change: dict[str, Any], reason: str) -> None:
    signed.put(STATEMENT)
    assert verify(signed.store, DIGEST, signed.public, today=TODAY)[0].sbom is not None
    signed.put(STATEMENT | change)
    with pytest.raises(UnverifiedError, match=reason):
        verify(signed.store, DIGEST, signed.public, today=TODAY)


def test_one_that_nobody_has_signed(signed: Signed) -> None:
    assert signed.sign() is not None
    path = Path(signed.store.location(signed.place).removeprefix("file://"))
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b'"sig": "', b'"sig": "AAAA'))
    with pytest.raises(UnverifiedError, match="its bill of materials does not hold: it carries no signature"):
        verify(signed.store, DIGEST, signed.public, today=TODAY)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda one: st.lists(one, max_size=3)
)


@settings(max_examples=20, deadline=None)
@given(more=st.dictionaries(st.text(max_size=8), VALUES, max_size=4))
def test_the_file_comes_back_byte_by_byte_whatever_it_holds(more: dict[str, Any]) -> None:
    image = Image(kind="process", digest=DIGEST)
    about = {"model": "m", "version": "1", "run_id": "r", "url": "u", "commit": "c", "tree": "t", "weights": []}
    release = Release(image=image, manifest_sha256="d" * 64, replaces=None, **about)
    said = read_json(_statement(release, more | DOCUMENT))
    assert sbom_text(said["predicate"]) == sbom_text(more | DOCUMENT)
