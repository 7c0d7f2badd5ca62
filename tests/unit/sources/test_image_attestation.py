"""Statements beside an image, against a skopeo that does as a test says; a real registry: ``tests/cluster``."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from tests.unit.sources.test_image import DIGEST, Stand

from penstock.bundle.models import Image
from penstock.foundation.errors import UsageError, WorldError
from penstock.sources.image_attestation import ENVELOPE, attach_statement, attached_statements

IMAGE = Image(kind="image", url="registry.example:5000/models/model", digest=DIGEST)
KIND = "https://slsa.dev/verification_summary/v1"


def manifest(*digests: str, media_type: str = ENVELOPE) -> str:
    layers = [{"mediaType": media_type, "digest": digest, "size": 7} for digest in digests]
    return json.dumps({"schemaVersion": 2, "config": {"digest": "sha256:" + "c" * 64, "size": 9}, "layers": layers})


def test_one_that_is_there_is_not_written_again(tmp_path: Path) -> None:
    there = manifest(f"sha256:{hashlib.sha256(b'{}').hexdigest()}")
    skopeo = Stand(tmp_path / "skopeo", f"print({there!r})")
    assert not attach_statement(IMAGE, b"{}", KIND, skopeo=str(skopeo.path))
    (call,) = skopeo.calls()
    assert call[-1] == f"docker://{IMAGE.url}:sha256-{DIGEST.removeprefix('sha256:')}.att"
    assert "--tls-verify=true" in call


def test_one_that_is_gone_each_time_ends(tmp_path: Path) -> None:
    skopeo = Stand(tmp_path / "skopeo", "if 'inspect' in arguments: sys.exit('manifest unknown')")
    with pytest.raises(WorldError, match="gone again each time"):
        attach_statement(IMAGE, b"{}", KIND, skopeo=str(skopeo.path))
    assert [call[0] for call in skopeo.calls()] == ["inspect", "copy"] * 5 + ["inspect"]


@pytest.mark.parametrize(
    ("behave", "error"),
    [
        ("sys.exit('dial tcp 10.0.0.1:5000: connect: connection refused')", "the registry cannot be reached"),
        ("print('[]')", "is no image"),
        ("print('{\"layers\": 7}')", "no statements"),
        (f"print({manifest(DIGEST, media_type='application/vnd.oci.image.layer.v1.tar')!r})", "no statements"),
        (f"print({manifest(*[DIGEST] * 1000)!r})", "or too many"),
    ],
)
def test_what_cannot_be_added_to(tmp_path: Path, behave: str, error: str) -> None:
    skopeo = Stand(tmp_path / "skopeo", behave)
    with pytest.raises(WorldError, match=error):
        attach_statement(IMAGE, b"{}", KIND, skopeo=str(skopeo.path))
    assert [call[0] for call in skopeo.calls()] == ["inspect"]


def test_a_process_has_no_place_for_one() -> None:
    with pytest.raises(UsageError, match="pushed image only"):
        attach_statement(Image(kind="process", digest=DIGEST), b"{}", KIND)


def test_an_image_with_nothing_beside_it(tmp_path: Path) -> None:
    skopeo = Stand(tmp_path / "skopeo", "sys.exit('manifest unknown')")
    assert attached_statements(IMAGE, skopeo=str(skopeo.path)) == []


@pytest.mark.parametrize(
    ("behave", "error"),
    [
        ("sys.exit('dial tcp 10.0.0.1:5000: connect: connection refused')", "the registry cannot be reached"),
        ("print('[]')", "is no image"),
        (f"print({manifest(*[DIGEST] * 1000)!r})", "or too many"),
        (f"print({manifest(DIGEST)!r}) if 'inspect' in arguments else sys.exit('away')", "cannot be fetched"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, behave: str, error: str) -> None:
    skopeo = Stand(tmp_path / "skopeo", behave)
    with pytest.raises(WorldError, match=error):
        attached_statements(IMAGE, skopeo=str(skopeo.path))
