"""What *publish* puts beside an image, verified by cosign itself.

``make cosign``; ``PENSTOCK_COSIGN`` is the program.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
from pathlib import Path

import pytest
from tests.cluster.conftest import image, server, settings
from tests.unit.releases.signing_keys import key_pair
from tests.unit.releases.test_signed_sbom import Signed

from penstock.bundle.models import Image
from penstock.bundle.sbom_file import read_sbom
from penstock.releases.attest import signed_envelope
from penstock.releases.attestation import PREDICATE_TYPE
from penstock.releases.envelope import private_key, sign, write_envelope
from penstock.releases.signed_sbom import SBOM_TYPE
from penstock.sources.image_attestation import attach_statement

__all__ = ["image", "server", "settings"]
COSIGN = os.environ["PENSTOCK_COSIGN"]

pytestmark = pytest.mark.timeout(120)


def cosign(image: Image, key: Path, *, kind: str = PREDICATE_TYPE) -> subprocess.CompletedProcess[str]:
    words = ["verify-attestation", f"--key={key}", f"--type={kind}"]
    words += ["--insecure-ignore-tlog", "--allow-http-registry", f"{image.url}@{image.digest}"]
    return subprocess.run([COSIGN, *words], capture_output=True, text=True, check=False)


def attach(image: Image, key: Path, kind: str) -> None:
    subject = {"name": image.url, "digest": {"sha256": image.digest.removeprefix("sha256:")}}
    statement = {"_type": "https://in-toto.io/Statement/v1", "subject": [subject], "predicateType": kind}
    statement["predicate"] = {"verificationResult": "PASSED"}
    envelope = write_envelope(sign(json.dumps(statement).encode(), private_key(key)))
    assert attach_statement(image, envelope, kind, tls_verify=False)


def test_cosign_verifies_each_by_its_kind_and_key(image: Image, tmp_path: Path) -> None:
    private, public = key_pair(tmp_path / "ours")
    assert cosign(image, public).returncode != 0, "nothing is attached yet"
    attach(image, private, PREDICATE_TYPE)
    attach(image, private, "https://slsa.dev/provenance/v1")
    found = cosign(image, public)
    assert found.returncode == 0, found.stderr
    statement = json.loads(base64.b64decode(json.JSONDecoder().raw_decode(found.stdout)[0]["payload"]))
    assert statement["predicate"] == {"verificationResult": "PASSED"}
    assert cosign(image, public, kind="https://slsa.dev/provenance/v1").returncode == 0
    _, other = key_pair(tmp_path / "other")
    assert cosign(image, other).returncode != 0


def test_cosign_reads_the_bill_of_materials(image: Image, tmp_path: Path) -> None:
    signed = Signed(tmp_path, image)
    bill = signed.sign()
    assert bill is not None
    assert attach_statement(image, bill, SBOM_TYPE, tls_verify=False)
    found = cosign(image, signed.pem, kind="cyclonedx")
    assert found.returncode == 0, found.stderr
    statement = json.loads(base64.b64decode(json.JSONDecoder().raw_decode(found.stdout)[0]["payload"]))
    assert statement["predicate"] == read_sbom(signed.bundle)
    assert cosign(image, signed.pem).returncode != 0, "it is no verdict"
    verdict = signed_envelope(signed.store, signed.release, signed.public)
    assert attach_statement(image, verdict, PREDICATE_TYPE, tls_verify=False)
    for kind in ("cyclonedx", PREDICATE_TYPE):
        assert cosign(image, signed.pem, kind=kind).returncode == 0
    assert cosign(image, key_pair(tmp_path / "other")[1], kind="cyclonedx").returncode != 0


def test_cosign_can_add_its_own_beside_ours(image: Image, tmp_path: Path) -> None:
    private, public = key_pair(tmp_path / "ours")
    attach(image, private, PREDICATE_TYPE)
    (tmp_path / "predicate.json").write_text("{}", encoding="utf-8")
    environment = os.environ | {"COSIGN_PASSWORD": ""}
    import_key = [COSIGN, "import-key-pair", f"--key={private}", f"--output-key-prefix={tmp_path / 'cosign'}"]
    subprocess.run(import_key, env=environment, check=True, capture_output=True)
    words = ["attest", f"--key={tmp_path / 'cosign.key'}", f"--predicate={tmp_path / 'predicate.json'}"]
    words += ["--type=https://example.org/looked-at/v1", "--new-bundle-format=false", "--use-signing-config=false"]
    words += ["--tlog-upload=false", "--allow-http-registry", "--yes", f"{image.url}@{image.digest}"]
    added = subprocess.run([COSIGN, *words], env=environment, capture_output=True, text=True, check=False)
    assert added.returncode == 0, added.stderr
    attach(image, private, "https://slsa.dev/provenance/v1")
    for kind in (PREDICATE_TYPE, "https://example.org/looked-at/v1", "https://slsa.dev/provenance/v1"):
        assert cosign(image, public, kind=kind).returncode == 0
