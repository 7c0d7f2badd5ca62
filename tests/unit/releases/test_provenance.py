"""A builder's provenance: read only of its key and of this image; it has to name the commit that was judged."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.releases.attested import published_release
from tests.unit.releases.signing_keys import key_pair

from penstock.releases.attest import Proof, UnverifiedError, attest, verify
from penstock.releases.envelope import private_key, public_key, sign, write_envelope
from penstock.releases.provenance import Provenance, hold_built_from, read_provenance
from penstock.store.local import LocalStore

DIGEST = f"sha256:{'a' * 64}"
COMMIT = "c" * 40
STATEMENT: dict[str, Any] = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [{"name": "r/m", "digest": {"sha256": "a" * 64}}],
    "predicateType": "https://slsa.dev/provenance/v1",
    "predicate": {
        "buildDefinition": {
            "buildType": "https://tekton.dev/chains/v2/slsa",
            "resolvedDependencies": [
                {"uri": "oci://python", "digest": {"sha256": "d" * 64}},
                {"uri": "git+https://example.org/m.git", "digest": {"sha1": COMMIT}},
            ],
        },
        "runDetails": {"builder": {"id": "chains"}},
    },
}


def envelope(folder: Path, statement: Any = STATEMENT) -> bytes:
    return write_envelope(sign(json.dumps(statement).encode(), private_key(folder / "penstock.key")))


def predicate(**changes: Any) -> dict[str, Any]:
    return STATEMENT | {"predicate": STATEMENT["predicate"] | changes}


def test_it_names_builder_and_commit_once(tmp_path: Path) -> None:
    _, public = key_pair(tmp_path)
    twice = [envelope(tmp_path), envelope(tmp_path)]
    assert read_provenance(twice, DIGEST, public_key(public)) == [Provenance("chains", (COMMIT,))]
    later = {"resolvedDependencies": [{"uri": "git+x", "digest": {"gitCommit": "e" * 40}}]}
    found = read_provenance([envelope(tmp_path, predicate(buildDefinition=later))], DIGEST, public_key(public))
    assert found == [Provenance("chains", ("e" * 40,))]


@pytest.mark.parametrize(
    "statement",
    [
        STATEMENT | {"predicateType": "https://slsa.dev/verification_summary/v1"},
        STATEMENT | {"subject": [{"digest": {"sha256": "f" * 64}}]},
        STATEMENT | {"subject": []},
        STATEMENT | {"subject": "all"},
        STATEMENT | {"predicate": None},
        predicate(runDetails={}),
        predicate(buildDefinition={"resolvedDependencies": [{"uri": 3}]}),
    ],
)
def test_what_is_none_of_this_image_is_passed_over(tmp_path: Path, statement: Any) -> None:
    _, public = key_pair(tmp_path)
    assert read_provenance([envelope(tmp_path, statement)], DIGEST, public_key(public)) == []


def test_another_key_has_not_built_it(tmp_path: Path) -> None:
    key_pair(tmp_path)
    _, other = key_pair(tmp_path / "other")
    assert read_provenance([envelope(tmp_path)], DIGEST, public_key(other)) == []


@given(st.binary(max_size=200))
def test_whatever_lies_beside_an_image_is_read(content: bytes) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.derive_private_key(7, ec.SECP256R1()).public_key()
    assert read_provenance([content, b"", b"{}"], DIGEST, key) == []


@pytest.fixture
def proofs(tmp_path: Path) -> list[Proof]:
    release, bundle = published_release(tmp_path)
    private, public = key_pair(tmp_path)
    store = LocalStore(tmp_path / "store")
    attest(store, bundle, release, private_key(private), time="2026-01-02T00:00:00+00:00")
    return verify(store, DIGEST, public_key(public), today=date(2026, 1, 2))


def test_one_of_the_commit_that_was_judged_is_enough(proofs: list[Proof]) -> None:
    assert hold_built_from(proofs, [Provenance("b", ("e" * 40,)), Provenance("b", (COMMIT,))]) == proofs


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ([], "no provenance of this image"),
        ([Provenance("b", ("e" * 40,))], f"was built of {'e' * 40}, and what was judged is {COMMIT}"),
        ([Provenance("b", ())], "was built of no commit that it names"),
    ],
)
def test_any_other_is_refused(proofs: list[Proof], found: list[Provenance], why: str) -> None:
    with pytest.raises(UnverifiedError, match=why):
        hold_built_from(proofs, found)
