"""DSSE envelopes: what openssl verifies, and nothing that was changed since."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.releases.signing_keys import key_pair

from penstock.foundation.errors import UsageError
from penstock.releases.envelope import (
    PAYLOAD_TYPE,
    NotSignedError,
    Signature,
    key_id,
    open_envelope,
    pre_authentication_encoding,
    private_key,
    public_key,
    read_envelope,
    sign,
    write_envelope,
)

STATEMENT = b'{"said":"it passed"}'


def test_the_encoding_is_the_specifications_own_example() -> None:
    """https://github.com/secure-systems-lab/dsse/blob/master/protocol.md"""
    encoded = pre_authentication_encoding("http://example.com/HelloWorld", b"hello world")
    assert encoded == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


@pytest.mark.slow
@given(st.text(), st.binary(), st.text(), st.binary())
def test_no_two_payloads_have_the_same_encoding(first: str, one: bytes, second: str, two: bytes) -> None:
    same = pre_authentication_encoding(first, one) == pre_authentication_encoding(second, two)
    assert same == ((first, one) == (second, two))


def test_openssl_verifies_what_was_signed(tmp_path: Path) -> None:
    private, public = key_pair(tmp_path)
    envelope = json.loads(write_envelope(sign(STATEMENT, private_key(private))))
    assert envelope["payloadType"] == PAYLOAD_TYPE
    payload = base64.b64decode(envelope["payload"])
    assert payload == STATEMENT
    (tmp_path / "signature").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    (tmp_path / "message").write_bytes(pre_authentication_encoding(PAYLOAD_TYPE, payload))
    argv = ["openssl", "dgst", "-sha256", "-verify", public, "-signature", tmp_path / "signature", tmp_path / "message"]
    subprocess.run(argv, check=True, capture_output=True)


def test_it_opens_with_the_key_and_only_as_it_was(tmp_path: Path) -> None:
    private, public = key_pair(tmp_path)
    key, other = public_key(public), public_key(key_pair(tmp_path / "other")[1])
    envelope = read_envelope(write_envelope(sign(STATEMENT, private_key(private))), "here")
    assert envelope.signatures[0].keyid == key_id(key)
    assert open_envelope(envelope, key) == {"said": "it passed"}
    # a rotated key: both have signed, either opens
    second = envelope.model_copy(update={"signatures": [Signature(sig="AAAA"), *envelope.signatures]})
    assert open_envelope(second, key) == {"said": "it passed"}
    for changed, reason in [
        (envelope, "no signature of this key"),
        (envelope.model_copy(update={"signatures": []}), "no signature"),
    ]:
        with pytest.raises(NotSignedError, match=reason):
            open_envelope(changed, other)
    for field, value, reason in [
        ("payload", base64.b64encode(b'{"said":"it failed"}').decode(), "no signature of this key"),
        ("payload", "ä", "base64 is broken"),
        ("payload_type", "text/html", "it holds 'text/html'"),
        ("signatures", [Signature(sig="!")], "base64 is broken"),
    ]:
        with pytest.raises(NotSignedError, match=reason):
            open_envelope(envelope.model_copy(update={field: value}), key)


@pytest.mark.parametrize(
    ("signed", "reason"), [(b"[]", "no JSON object"), (b"\xff", "no JSON"), (b'{"a":1,"a":2}', "no JSON")]
)
def test_what_is_signed_is_still_read_with_care(tmp_path: Path, signed: bytes, reason: str) -> None:
    private, public = key_pair(tmp_path)
    with pytest.raises(NotSignedError, match=reason):
        open_envelope(sign(signed, private_key(private)), public_key(public))


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"payload":1,"payloadType":"x","signatures":[]}', b"\xff"])
def test_what_is_no_envelope(content: bytes) -> None:
    with pytest.raises(NotSignedError, match="there is no DSSE envelope"):
        read_envelope(content, "there")


def test_keys_that_are_none(tmp_path: Path) -> None:
    private, public = key_pair(tmp_path)
    other_curve = key_pair(tmp_path / "curve", ec.SECP384R1())
    encrypted, large = tmp_path / "cosign.key", tmp_path / "large.key"
    encrypted.write_text("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n")
    large.write_bytes(b"-" * 20_000)
    for path, reason in [
        (public, "no private key"),
        (other_curve[0], "no private key of the curve P-256"),
        (encrypted, "the key is encrypted"),
        (large, "too large"),
        (tmp_path / "none", "No such file"),
        (tmp_path, "Is a directory"),
    ]:
        with pytest.raises(UsageError, match=reason):
            private_key(path)
    for path, reason in [(private, "no public key"), (other_curve[1], "no public key of the curve P-256")]:
        with pytest.raises(UsageError, match=reason):
            public_key(path)


@pytest.mark.parametrize("curve", ["secp160r1", "brainpoolP160r1", "sect163k1", "SM2"])
def test_a_curve_that_the_library_does_not_know_is_refused_as_others_are(tmp_path: Path, curve: str) -> None:
    private, public = tmp_path / "penstock.key", tmp_path / "penstock.pub"
    subprocess.run(
        ["openssl", "ecparam", "-name", curve, "-genkey", "-noout", "-out", private], check=True, capture_output=True
    )
    subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True, capture_output=True)
    with pytest.raises(UsageError, match="no private key of the curve P-256"):
        private_key(private)
    with pytest.raises(UsageError, match="no public key of the curve P-256"):
        public_key(public)
