"""Signed statements: DSSE envelopes over in-toto statements, ECDSA on the curve P-256, as cosign reads and writes them.

Specification: https://github.com/secure-systems-lab/dsse/blob/master/envelope.md
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationError

from penstock.bundle.record import Record
from penstock.foundation.errors import UsageError
from penstock.foundation.strict_json import JsonError, read_json

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MAX_KEY_BYTES = 16 << 10
HOW = "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out penstock.key"


class Signature(Record):
    """One signature of an envelope."""

    keyid: str = ""
    """SHA-256 of the public key, hexadecimal; a hint, not a proof."""
    sig: str
    """Of the pre-authentication encoding, DER, base64."""


class Envelope(Record):
    """What is stored: the statement, and who signed it."""

    payload: str
    """base64"""
    payload_type: str = Field(alias="payloadType")
    signatures: list[Signature]


class NotSignedError(Exception):
    """The envelope carries no signature of this key."""


def sign(statement: bytes, key: EllipticCurvePrivateKey) -> Envelope:
    """An envelope with one signature."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    signature = key.sign(pre_authentication_encoding(PAYLOAD_TYPE, statement), ec.ECDSA(hashes.SHA256()))
    signed = Signature(keyid=key_id(key.public_key()), sig=base64.b64encode(signature).decode())
    return Envelope(payload=base64.b64encode(statement).decode(), payloadType=PAYLOAD_TYPE, signatures=[signed])


def open_envelope(envelope: Envelope, key: EllipticCurvePublicKey) -> dict[str, Any]:
    """The statement, once a signature of the key over it holds.

    Raises:
        NotSignedError: none does, or what is signed is no statement.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    if envelope.payload_type != PAYLOAD_TYPE:
        raise NotSignedError(f"it holds '{envelope.payload_type[:80]}', no statement")
    try:
        payload = base64.b64decode(envelope.payload, validate=True)
        signatures = [base64.b64decode(signature.sig, validate=True) for signature in envelope.signatures]
    except ValueError:  # not ASCII, or not base64
        raise NotSignedError("its base64 is broken") from None
    message = pre_authentication_encoding(envelope.payload_type, payload)
    for signature in signatures:
        try:
            key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            continue
        try:
            statement = read_json(payload)
        except JsonError as error:
            raise NotSignedError(f"what is signed is no JSON: {error}") from None
        if not isinstance(statement, dict):
            raise NotSignedError("what is signed is no JSON object")
        return statement
    raise NotSignedError("it carries no signature of this key")


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """What is signed: type and payload with their lengths, so that neither can pass for the other."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def read_envelope(content: bytes, where: str) -> Envelope:
    """Read one.

    Raises:
        NotSignedError: it is none.
    """
    try:
        return Envelope.model_validate_json(content)
    except ValidationError:
        raise NotSignedError(f"{where} is no DSSE envelope") from None


def write_envelope(envelope: Envelope) -> bytes:
    """Its file."""
    return (envelope.model_dump_json(by_alias=True, indent=2) + "\n").encode()


def private_key(path: Path) -> EllipticCurvePrivateKey:
    """A key to sign with: PEM, not encrypted.

    Raises:
        UsageError: what is wrong with it; nothing of its content is said.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    content = _read(path)
    if b"ENCRYPTED" in content:
        raise UsageError("the key is encrypted", where=str(path), todo=f"Mount a plain one: {HOW}")
    try:
        key = load_pem_private_key(content, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise UsageError("this is no private key of the curve P-256 in PEM", where=str(path), todo=f"Make one: {HOW}")
    return key


def public_key(path: Path) -> EllipticCurvePublicKey:
    """A key to verify with: PEM, as ``cosign.pub``.

    Raises:
        UsageError: it is none.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(_read(path))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        todo = "Take it out of the private one: openssl pkey -in penstock.key -pubout -out penstock.pub"
        raise UsageError("this is no public key of the curve P-256 in PEM", where=str(path), todo=todo)
    return key


def key_id(key: EllipticCurvePublicKey) -> str:
    """SHA-256 of a public key's DER, hexadecimal."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_KEY_BYTES + 1)
    except OSError as error:
        raise UsageError(f"the key cannot be read: {error.strerror}", where=str(path)) from None
    if len(content) > MAX_KEY_BYTES:
        raise UsageError("this file is too large to be a key", where=str(path))
    return content
