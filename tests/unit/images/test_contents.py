"""What must not be in an image is found in it."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from images.contents import config_faults, look_into

KEY = b"-----BEGIN PRIVATE KEY-----\n" + b"A" * 64 + b"\n"


def layer(folder: Path, files: dict[str, bytes], mode: int = 0o644) -> Path:
    path = folder / "layer.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), mode
            archive.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("etc/app.pem", KEY, "a private key"),
        ("root/.netrc", b"machine x", "credentials"),
        ("workspace/.docker/config.json", b"{}", "credentials"),
        ("etc/pip.conf", b"[global]\nindex-url = https://me:secret@example.org/simple\n", "a password"),
        ("srv/x.env", b"AWS_ACCESS_KEY_ID=AKIA" + b"Q" * 16, "an AWS key"),
        ("srv/token", b"ghp_" + b"a" * 36, "a token of a forge"),
        ("usr/bin/gcc-12", b"\x7fELF", "a compiler"),
        ("usr/bin/x86_64-linux-gnu-gcc-12", b"\x7fELF", "a compiler"),
        ("opt/penstock/lib/python3.11/site-packages/torch/__init__.py", b"", "torch has no place"),
        ("workspace/.cache/pip/http/a", b"", "a cache"),
        ("var/lib/apt/lists/mirror.example.org_dists_Packages", b"", "a cache"),
    ],
)
def test_what_must_not_be_there_is_named(tmp_path: Path, name: str, content: bytes, fault: str) -> None:
    (found,) = look_into(layer(tmp_path, {name: content})).faults
    assert name in found
    assert fault in found


def test_what_may_be_there_is_not(tmp_path: Path) -> None:
    harmless = {
        "usr/lib/libgnutls.so.30": b"\x7fELF" + KEY,  # its self-test's
        "etc/ssl/certs/ca-certificates.crt": b"-----BEGIN CERTIFICATE-----\nMII\n",
        "opt/penstock/lib/python3.11/site-packages/botocore/examples.json": b"AKIAIOSFODNN7EXAMPLE",
        "opt/penstock/lib/python3.11/site-packages/torchless.py": b"",
        "usr/bin/git": b"\x7fELF",
    }
    facts = look_into(layer(tmp_path, harmless))
    assert facts.faults == ()
    assert facts.unpacked == sum(len(content) for content in harmless.values())


def test_a_file_that_anybody_can_write_is_named(tmp_path: Path) -> None:
    assert look_into(layer(tmp_path, {"opt/x": b""}, mode=0o666)).faults == ("opt/x: anybody can write it",)


def test_the_configuration_is_looked_at() -> None:
    good = {
        "config": {"User": "65532:65532", "Env": ["PATH=/bin", "HOME=/workspace"]},
        "history": [{"created_by": "x"}],
    }
    assert list(config_faults("gate", good)) == []
    assert list(config_faults("build", good)) == ["runs as '65532:65532', not as 0:0"]
    bad = {
        "config": {"User": "", "Env": ["S3_SECRET=x", "P=http://a:b@proxy"], "Labels": {"a": "https://a:b@c/"}},
        "history": [],
    }
    assert list(config_faults("gate", bad)) == [
        "runs as '', not as 65532:65532",
        "the variable S3_SECRET looks like a secret",
        "the variable P looks like a secret",
        "a label or the history holds an address with a password",
    ]
