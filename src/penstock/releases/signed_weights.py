"""Signed weights, in the format of OpenSSF model signing: who vouches for these files, by key.

A signature is a Sigstore bundle: a DSSE envelope over an in-toto statement that lists each file with its SHA-256. It is
verified with a key that was given, never with one that it names; there is no transparency log.

Source: https://github.com/ossf/model-signing-spec, and what ``model-signing`` 1.1 writes and reads.
"""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationError

from penstock.bundle.directory import explain
from penstock.bundle.record import Record
from penstock.foundation.errors import UsageError, one_line
from penstock.foundation.files import file_digests, sha256_file
from penstock.foundation.strict_json import JsonError, read_json
from penstock.releases.attestation import STATEMENT_TYPE
from penstock.releases.envelope import Envelope, NotSignedError, open_envelope, sign

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

PREDICATE_TYPE = "https://model_signing/signature/v1.0"
MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
MAX_SIGNATURE_BYTES = 8 << 20
IGNORED = (".git", ".gitattributes", ".github", ".gitignore")
"""What lies beside a model in its repository and is no part of it."""
WHOLE = "."
"""The name of the file where a single one is signed."""


class _Resource(Record):
    name: str
    algorithm: str
    digest: str


class _Predicate(Record):
    resources: list[_Resource]


class _Subject(Record):
    digest: dict[str, str]


class _SignedModel(Record):
    kind: str = Field(alias="_type")
    predicate_type: str = Field(alias="predicateType")
    subject: list[_Subject] = Field(min_length=1, max_length=1)
    predicate: _Predicate


class _SigstoreBundle(Record):
    media_type: str = Field(alias="mediaType")
    envelope: Envelope = Field(alias="dsseEnvelope")


def digests_to_sign(model: Path, *, signature: Path) -> dict[str, str]:
    """Name → SHA-256 of each file of a model: a folder, or a single file, whose name is ``.``.

    Args:
        model: the folder or file.
        signature: its signature's file, which is no part of it.

    Raises:
        UsageError: there is nothing to sign, or something in the folder is no plain file.
    """
    try:
        mode = model.lstat().st_mode
    except OSError:
        raise UsageError("there is no such file or folder", where=str(model)) from None
    if stat.S_ISREG(mode):
        return {WHOLE: sha256_file(model)}
    if not stat.S_ISDIR(mode):
        raise UsageError("a model is a folder or a file, and no link", where=str(model))
    own = _below(model, signature)
    found = {path.as_posix(): digest for path, digest in file_digests(model, aside=IGNORED).items()}
    files = {name: digest for name, digest in found.items() if name != own}
    if not files:
        raise UsageError("the folder has no file to sign", where=str(model))
    return files


def _below(model: Path, signature: Path) -> str:
    """The signature's name in the model's folder; empty: it lies elsewhere."""
    place, folder = signature.absolute().resolve(), model.resolve()
    return place.relative_to(folder).as_posix() if place.is_relative_to(folder) else ""


def sign_weights(model: Path, key: EllipticCurvePrivateKey, *, signature: Path) -> bytes:
    """The signature of a model; what ``model_signing verify key`` accepts.

    Args:
        model: a folder or a single file.
        key: signs.
        signature: where the signature will lie.

    Raises:
        UsageError: see :func:`digests_to_sign`.
    """
    files = dict(sorted(digests_to_sign(model, signature=signature).items()))
    own = _below(model, signature) if model.is_dir() else ""
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": model.resolve().name, "digest": {"sha256": _root(list(files.values()))}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "serialization": {
                "method": "files",
                "hash_type": "sha256",
                "allow_symlinks": False,
                "ignore_paths": sorted({*IGNORED, *([own] if own else [])}),
            },
            "resources": [{"name": name, "algorithm": "sha256", "digest": digest} for name, digest in files.items()],
        },
    }
    envelope = sign(json.dumps(statement, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(), key)
    bundle = {
        "mediaType": MEDIA_TYPE,
        "verificationMaterial": {"publicKey": {"hint": key_hint(key.public_key())}, "tlogEntries": []},
        "dsseEnvelope": envelope.model_dump(mode="json", by_alias=True),
    }
    return (json.dumps(bundle, indent=2) + "\n").encode()


def key_hint(key: EllipticCurvePublicKey) -> str:
    """By what the format tells keys apart: SHA-256 of the public key's PEM, hexadecimal."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return hashlib.sha256(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def signed_files(content: bytes, keys: Sequence[EllipticCurvePublicKey]) -> dict[str, str]:
    """Name → SHA-256 of the files that a signature is about, once one of the keys has made it.

    Raises:
        NotSignedError: none has, or this is no such signature.
    """
    try:
        bundle = _SigstoreBundle.model_validate(read_json(content))
    except (JsonError, ValidationError):
        raise NotSignedError("this is no signature of a model (a Sigstore bundle with a DSSE envelope)") from None
    if bundle.media_type != MEDIA_TYPE:
        raise NotSignedError(f"it is of the type '{one_line(bundle.media_type[:80])}', not '{MEDIA_TYPE}'")
    why = "no key was given"
    for key in keys:
        try:
            return _files(open_envelope(bundle.envelope, key))
        except NotSignedError as error:
            why = str(error) if len(keys) == 1 else f"of {len(keys)} trusted keys none has signed it: {error}"
    raise NotSignedError(why)


def _files(statement: dict[str, Any]) -> dict[str, str]:
    try:
        found = _SignedModel.model_validate(statement)
    except ValidationError as error:
        raise NotSignedError(f"what is signed is no model: {one_line(explain(error))}") from None
    if (found.kind, found.predicate_type) != (STATEMENT_TYPE, PREDICATE_TYPE):
        raise NotSignedError(f"what is signed is a '{one_line(found.predicate_type[:80])}', not '{PREDICATE_TYPE}'")
    resources = found.predicate.resources
    if other := next((each for each in resources if each.algorithm != "sha256"), None):
        raise NotSignedError(f"its files have digests of the kind '{one_line(other.algorithm[:40])}', not sha256")
    files = {each.name: each.digest for each in resources}
    try:
        consistent = _root([each.digest for each in resources]) == found.subject[0].digest.get("sha256")
    except ValueError:
        consistent = False
    if not consistent or len(files) != len(resources):
        raise NotSignedError("its list of files does not go with the digest over all of them")
    return files


def _root(digests: Sequence[str]) -> str:
    """SHA-256 over the files' digests, in their order."""
    return hashlib.sha256(b"".join(bytes.fromhex(digest) for digest in digests)).hexdigest()


def difference(here: Mapping[str, str], signed: Mapping[str, str]) -> str:
    """How the files that are here are not those that were signed, in words; empty: they are."""
    for name in sorted({*here, *signed}):
        if name not in signed:
            return f"'{one_line(name)}' was not signed"
        if name not in here:
            return f"'{one_line(name)}' was signed and is not there"
        if here[name] != signed[name]:
            return f"'{one_line(name)}' is another file than the one that was signed"
    return ""
