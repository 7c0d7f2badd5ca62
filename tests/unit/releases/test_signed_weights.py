"""Signatures of weights: what is signed, what is refused. The real program reads them in ``make model-signing``."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from penstock.foundation.errors import UsageError
from penstock.releases.envelope import NotSignedError, sign
from penstock.releases.signed_weights import difference, digests_to_sign, key_hint, sign_weights, signed_files

KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC = KEY.public_key()
OTHER = ec.generate_private_key(ec.SECP256R1()).public_key()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "weights"
    (folder / "sub").mkdir(parents=True)
    for name in ("b.bin", "sub/größe.bin", ".gitattributes"):
        (folder / name).write_text(name)
    return folder


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def statement_of(signature: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.b64decode(json.loads(signature)["dsseEnvelope"]["payload"]))
    return found


def resigned(signature: bytes, statement: Any) -> bytes:
    """The signature with another statement, signed with the same key."""
    envelope = sign(json.dumps(statement).encode(), KEY).model_dump(mode="json", by_alias=True)
    return json.dumps({**json.loads(signature), "dsseEnvelope": envelope}).encode()


def test_what_is_signed(model: Path) -> None:
    signature = sign_weights(model, KEY, signature=model / "model.sig")
    files = {"b.bin": sha256("b.bin"), "sub/größe.bin": sha256("sub/größe.bin")}
    assert signed_files(signature, [PUBLIC]) == files
    assert signed_files(signature, [OTHER, PUBLIC]) == files
    bundle, statement = json.loads(signature), statement_of(signature)
    assert bundle["verificationMaterial"] == {"publicKey": {"hint": key_hint(PUBLIC)}, "tlogEntries": []}
    assert statement["predicateType"] == "https://model_signing/signature/v1.0"
    root = hashlib.sha256(b"".join(bytes.fromhex(digest) for digest in files.values())).hexdigest()
    assert statement["subject"] == [{"name": "weights", "digest": {"sha256": root}}]
    assert "model.sig" in statement["predicate"]["serialization"]["ignore_paths"]


def test_the_signature_in_the_folder_is_no_part_of_it(model: Path) -> None:
    place = model / "model.sig"
    place.write_bytes(sign_weights(model, KEY, signature=place))
    assert difference(digests_to_sign(model, signature=place), signed_files(place.read_bytes(), [PUBLIC])) == ""
    assert set(digests_to_sign(model, signature=model / "other.sig")) == {"b.bin", "sub/größe.bin", "model.sig"}


def test_a_single_file(model: Path) -> None:
    signature = sign_weights(model / "b.bin", KEY, signature=model / "b.sig")
    assert signed_files(signature, [PUBLIC]) == {".": sha256("b.bin")}


def test_what_cannot_be_signed(model: Path, tmp_path: Path) -> None:
    for what, why in ((tmp_path / "none", "no such file"), (tmp_path / "empty", "no file to sign")):
        (tmp_path / "empty").mkdir(exist_ok=True)
        with pytest.raises(UsageError, match=why):
            digests_to_sign(what, signature=tmp_path / "s")
    (tmp_path / "link").symlink_to(model)
    with pytest.raises(UsageError, match="no link"):
        digests_to_sign(tmp_path / "link", signature=tmp_path / "s")
    (model / "link").symlink_to("b.bin")
    with pytest.raises(UsageError, match="link"):
        digests_to_sign(model, signature=tmp_path / "s")


def test_keys_that_have_not_signed(model: Path) -> None:
    signature = sign_weights(model, KEY, signature=model / "s")
    for keys, why in (
        ([OTHER], "no signature of this key"),
        ([OTHER, OTHER], "of 2 trusted keys none"),
        ([], "no key"),
    ):
        with pytest.raises(NotSignedError, match=why):
            signed_files(signature, keys)


def test_another_list_under_the_same_signature(model: Path) -> None:
    signature = sign_weights(model, KEY, signature=model / "s")
    statement, bundle = statement_of(signature), json.loads(signature)
    statement["predicate"]["resources"][0]["digest"] = "0" * 64
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()
    with pytest.raises(NotSignedError, match="no signature of this key"):
        signed_files(json.dumps(bundle).encode(), [PUBLIC])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"_type": "x"}, "not 'https://model_signing"),
        ({"predicateType": "https://model_signing/Digests/v0.1"}, "Digests/v0.1"),
        ({"subject": []}, "is no model"),
        ({"subject": [{"digest": {"sha256": "0" * 64}}]}, "does not go with"),
        ({"predicate": {"resources": [{"name": "a", "algorithm": "blake3", "digest": "00"}]}}, "'blake3'"),
        ({"predicate": {"resources": [{"name": "a", "algorithm": "sha256", "digest": "zz"}]}}, "does not go with"),
        ({"predicate": {"resources": []}}, "does not go with"),
        ({"predicate": {}}, "is no model: predicate"),
    ],
)
def test_statements_that_are_none(model: Path, change: dict[str, Any], why: str) -> None:
    signature = sign_weights(model, KEY, signature=model / "s")
    with pytest.raises(NotSignedError, match=why):
        signed_files(resigned(signature, {**statement_of(signature), **change}), [PUBLIC])


def test_a_name_that_is_there_twice(model: Path) -> None:
    signature = sign_weights(model, KEY, signature=model / "s")
    statement = statement_of(signature)
    resources = [{"name": "a", "algorithm": "sha256", "digest": digest * 64} for digest in "12"]
    root = hashlib.sha256(b"".join(bytes.fromhex(each["digest"]) for each in resources)).hexdigest()
    statement |= {"subject": [{"digest": {"sha256": root}}], "predicate": {"resources": resources}}
    with pytest.raises(NotSignedError, match="does not go with"):
        signed_files(resigned(signature, statement), [PUBLIC])


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b"{}", b'{"mediaType": 1}', b"[" * 100_000])
def test_what_is_no_signature(content: bytes) -> None:
    with pytest.raises(NotSignedError, match="no signature of a model"):
        signed_files(content, [PUBLIC])


def test_a_bundle_of_another_kind(model: Path) -> None:
    bundle = json.loads(sign_weights(model, KEY, signature=model / "s")) | {"mediaType": "x\x1b"}
    with pytest.raises(NotSignedError, match=r"of the type 'x\\x1b'"):
        signed_files(json.dumps(bundle).encode(), [PUBLIC])


@pytest.mark.parametrize(
    ("here", "signed", "says"),
    [
        ({"a": "1"}, {"a": "1"}, ""),
        ({"a": "1", "b": "2"}, {"a": "1"}, "'b' was not signed"),
        ({}, {"a": "1"}, "'a' was signed and is not there"),
        ({"a": "1"}, {"a": "2"}, "'a' is another file than the one that was signed"),
    ],
)
def test_differences(here: dict[str, str], signed: dict[str, str], says: str) -> None:
    assert difference(here, signed) == says
