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
from penstock.releases.provenance import BuiltSource, Provenance, built_for, hold_built, read_provenance
from penstock.store.local import LocalStore

DIGEST = f"sha256:{'a' * 64}"
COMMIT = "c" * 40
REPOSITORY = "example.org/sonic-lite"
STATEMENT: dict[str, Any] = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [{"name": "r/m", "digest": {"sha256": "a" * 64}}],
    "predicateType": "https://slsa.dev/provenance/v1",
    "predicate": {
        "buildDefinition": {
            "buildType": "https://tekton.dev/chains/v2/slsa",
            "externalParameters": {"runSpec": {"taskRef": {"kind": "Task", "name": "build"}, "params": []}},
            "resolvedDependencies": [
                {"uri": "oci://python", "digest": {"sha256": "d" * 64}},
                {"uri": "git+https://example.org/sonic-lite.git", "digest": {"sha1": COMMIT}},
            ],
        },
        "runDetails": {"builder": {"id": "chains"}},
    },
}


def envelope(folder: Path, statement: Any = STATEMENT) -> bytes:
    return write_envelope(sign(json.dumps(statement).encode(), private_key(folder / "penstock.key")))


def predicate(**changes: Any) -> dict[str, Any]:
    return STATEMENT | {"predicate": STATEMENT["predicate"] | changes}


def definition(**changes: Any) -> dict[str, Any]:
    return predicate(buildDefinition=STATEMENT["predicate"]["buildDefinition"] | changes)


def read(folder: Path, *statements: Any, key: Path | None = None) -> list[Provenance]:
    public = public_key(key if key is not None else folder / "penstock.pub")
    return read_provenance([envelope(folder, one) for one in statements], DIGEST, [public])


def told(commit: str = COMMIT, repository: str = REPOSITORY, task: str = "build") -> Provenance:
    return Provenance("chains", task, (BuiltSource(repository, commit),))


def test_it_names_builder_task_repository_and_commit_once(tmp_path: Path) -> None:
    key_pair(tmp_path)
    assert read(tmp_path, STATEMENT, STATEMENT) == [told()]
    later = definition(resolvedDependencies=[{"uri": "git+ssh://git@g.org/x", "digest": {"gitCommit": "e" * 40}}])
    assert read(tmp_path, later) == [told("e" * 40, "g.org/x")]


@pytest.mark.parametrize(
    "asked",
    [
        None,
        {},
        {"runSpec": {"taskSpec": {"steps": []}}},
        {"runSpec": {"taskRef": {"name": "build", "resolver": "git", "params": []}}},
        {"runSpec": {"taskRef": {"name": "build", "kind": "Custom"}}},
        {"runSpec": {"taskRef": {"name": "build", "bundle": "registry/tasks"}}},
        {"runSpec": {"pipelineRef": {"name": "build"}}},
    ],
)
def test_a_task_that_is_not_the_clusters_has_no_name(tmp_path: Path, asked: Any) -> None:
    key_pair(tmp_path)
    assert read(tmp_path, definition(externalParameters=asked)) == [told(task="")]


@pytest.mark.parametrize("uri", ["git+/srv/m.git", "git+file:///srv/m.git", "git+.", "git+~/m", "git+x", "git+http://"])
def test_a_path_of_this_machine_is_no_repository(tmp_path: Path, uri: str) -> None:
    key_pair(tmp_path)
    found = read(tmp_path, definition(resolvedDependencies=[{"uri": uri, "digest": {"sha1": COMMIT}}]))
    assert found == [told(repository="")]


def test_the_new_key_or_the_old_one(tmp_path: Path) -> None:
    _, public = key_pair(tmp_path)
    _, new = key_pair(tmp_path / "new")
    keys = [public_key(new), public_key(public)]
    assert read_provenance([envelope(tmp_path)], DIGEST, keys) == [told()]


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
        definition(externalParameters={"runSpec": {"taskRef": {"name": ["build"]}}}),
    ],
)
def test_what_is_none_of_this_image_is_passed_over(tmp_path: Path, statement: Any) -> None:
    key_pair(tmp_path)
    assert read(tmp_path, statement) == []


def test_another_key_has_not_built_it(tmp_path: Path) -> None:
    key_pair(tmp_path)
    _, other = key_pair(tmp_path / "other")
    assert read(tmp_path, STATEMENT, key=other) == []


@given(st.binary(max_size=200))
def test_whatever_lies_beside_an_image_is_read(content: bytes) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.derive_private_key(7, ec.SECP256R1()).public_key()
    assert read_provenance([content, b"", b"{}"], DIGEST, [key]) == []


@pytest.fixture
def proofs(tmp_path: Path) -> list[Proof]:
    release, bundle = published_release(tmp_path)
    private, public = key_pair(tmp_path)
    store = LocalStore(tmp_path / "store")
    attest(store, bundle, release, private_key(private), time="2026-01-02T00:00:00+00:00")
    return verify(store, DIGEST, public_key(public), today=date(2026, 1, 2))


def test_one_of_the_commit_that_was_judged_is_enough(proofs: list[Proof]) -> None:
    found = [told("e" * 40), told()]
    assert hold_built(proofs, found, where="it") == proofs
    assert built_for(proofs[0], found) == [told()]


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ([], "no provenance of this image"),
        ([told("e" * 40)], f"by the Task 'build' of {'e' * 40} of {REPOSITORY}; wanted is .* {COMMIT} of {REPOSITORY}"),
        ([told(repository="example.org/other")], f"of {COMMIT} of example.org/other; wanted is"),
        ([told(repository="")], "wanted is the Task 'build'"),
        ([told(task="anything")], f"was built by the Task 'anything' of {COMMIT}"),
        ([told(task="")], "by no Task of the cluster"),
        ([Provenance("b", "build", ())], "by the Task 'build' of no commit"),
        ([told("e" * 40), told(repository="example.org/other"), told(task="x")], "wanted is the Task 'build'"),
    ],
)
def test_any_other_is_refused(proofs: list[Proof], found: list[Provenance], why: str) -> None:
    with pytest.raises(UnverifiedError, match=why) as caught:
        hold_built(proofs, found, where="it")
    assert caught.value.where == "it"
