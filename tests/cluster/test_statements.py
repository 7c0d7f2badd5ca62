"""Statements beside an image, in a real registry without the referrers API."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import pytest
from tests.cluster.settings import Settings

from penstock.bundle.models import Image
from penstock.foundation.errors import WorldError
from penstock.sources.image_attestation import attach_statement

VSA = "https://slsa.dev/verification_summary/v1"


def skopeo(*arguments: str) -> str:
    done = subprocess.run(["skopeo", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def image(settings: Settings, server: object, tmp_path: Path) -> Image:
    """An image of one empty layer."""
    folder = tmp_path / "image"
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def blob(content: bytes, kind: str) -> dict[str, object]:
        digest = hashlib.sha256(content).hexdigest()
        (blobs / digest).write_bytes(content)
        return {"mediaType": f"application/vnd.oci.image.{kind}", "size": len(content), "digest": f"sha256:{digest}"}

    tar = bytes(1024)
    layer = blob(tar, "layer.v1.tar")
    config = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]}}
    content = {"schemaVersion": 2, "config": blob(json.dumps(config).encode(), "config.v1+json"), "layers": [layer]}
    manifest = blob(json.dumps(content).encode(), "manifest.v1+json")
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [manifest]}))
    url = f"{settings.registry}/model"
    skopeo("copy", "--preserve-digests", "--dest-tls-verify=false", f"oci:{folder}", f"docker://{url}:1")
    return Image(kind="image", url=url, digest=str(manifest["digest"]))


def attached(image: Image) -> dict[str, object]:
    place = f"docker://{image.url}:{image.digest.replace(':', '-')}.att"
    found: dict[str, object] = json.loads(skopeo("inspect", "--raw", "--tls-verify=false", place))
    return found


def test_one_after_the_other_and_none_twice(image: Image, tmp_path: Path) -> None:
    first, second = b'{"payload": "1"}', b'{"payload": "2"}'
    assert attach_statement(image, first, VSA, tls_verify=False)
    alone = attached(image)
    assert not attach_statement(image, first, VSA, tls_verify=False)
    assert attached(image) == alone
    assert attach_statement(image, second, "https://slsa.dev/provenance/v1", tls_verify=False)
    both = attached(image)["layers"]
    assert isinstance(both, list)
    assert [layer["digest"] for layer in both] == [
        f"sha256:{hashlib.sha256(content).hexdigest()}" for content in (first, second)
    ]
    assert [layer["annotations"]["predicateType"] for layer in both] == [VSA, "https://slsa.dev/provenance/v1"]
    assert {layer["mediaType"] for layer in both} == {"application/vnd.dsse.envelope.v1+json"}
    # what is there can be fetched, as cosign does
    place = f"docker://{image.url}:{image.digest.replace(':', '-')}.att"
    skopeo("copy", "--preserve-digests", "--src-tls-verify=false", place, f"dir:{tmp_path / 'fetched'}")
    names = [layer["digest"].removeprefix("sha256:") for layer in both]
    assert [(tmp_path / "fetched" / name).read_bytes() for name in names] == [first, second]


def test_what_is_no_statement_is_not_replaced(image: Image) -> None:
    place = f"docker://{image.url}:{image.digest.replace(':', '-')}.att"
    source = f"docker://{image.url}@{image.digest}"
    skopeo("copy", "--src-tls-verify=false", "--dest-tls-verify=false", source, place)
    before = attached(image)
    with pytest.raises(WorldError, match="no statements"):
        attach_statement(image, b"{}", VSA, tls_verify=False)
    assert attached(image) == before
