"""Statements beside an image, in a real registry without the referrers API."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from tests.cluster.conftest import skopeo

from penstock.bundle.models import Image
from penstock.foundation.errors import WorldError
from penstock.sources.image_attestation import attach_statement, attached_statements

VSA = "https://slsa.dev/verification_summary/v1"


def attached(image: Image) -> dict[str, object]:
    place = f"docker://{image.url}:{image.digest.replace(':', '-')}.att"
    found: dict[str, object] = json.loads(skopeo("inspect", "--raw", "--tls-verify=false", place))
    return found


def test_one_after_the_other_and_none_twice(image: Image, tmp_path: Path) -> None:
    assert attached_statements(image, tls_verify=False) == []
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
    assert attached_statements(image, tls_verify=False) == [first, second]


def test_what_is_no_statement_is_not_replaced(image: Image) -> None:
    place = f"docker://{image.url}:{image.digest.replace(':', '-')}.att"
    source = f"docker://{image.url}@{image.digest}"
    skopeo("copy", "--src-tls-verify=false", "--dest-tls-verify=false", source, place)
    before = attached(image)
    with pytest.raises(WorldError, match="no statements"):
        attach_statement(image, b"{}", VSA, tls_verify=False)
    assert attached(image) == before
