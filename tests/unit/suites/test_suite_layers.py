"""Layers of a suite that a stranger packed: plain files come out, or nothing."""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.suites.tarred import FILES, TAR, tarred

from penstock.foundation.errors import UsageError
from penstock.suites import suite_layers
from penstock.suites.suite_layers import TITLE, UNPACK, Layer, Unpacked, layers_of

SHA = "b" * 64


def unpack(place: Path, content: bytes, file: str = "") -> dict[str, bytes]:
    blob, into = place / "blob", place / "into"
    blob.write_bytes(content)
    into.mkdir(exist_ok=True)
    Unpacked(into, "here").add(Layer(hashlib.sha256(content).hexdigest(), len(content), file), blob)
    return {path.relative_to(into).as_posix(): path.read_bytes() for path in into.rglob("*") if path.is_file()}


def entry(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, link
    return made


@pytest.mark.parametrize("packed", [False, True])
def test_files_come_out(tmp_path: Path, packed: bool) -> None:
    assert unpack(tmp_path, tarred(FILES, entry("a", tarfile.DIRTYPE), packed=packed)) == FILES


def test_a_layer_that_is_one_file(tmp_path: Path) -> None:
    assert unpack(tmp_path, b"content", file="a/b.png") == {"a/b.png": b"content"}


@pytest.mark.parametrize(
    "hostile",
    [
        entry("x", tarfile.SYMTYPE, "/etc/passwd"),
        entry("x", tarfile.LNKTYPE, "suite.yaml"),
        entry("x", tarfile.CHRTYPE),
        entry("x", tarfile.FIFOTYPE),
        entry("../x", tarfile.REGTYPE),
        entry("a/../../x", tarfile.REGTYPE),
        entry(".wh.suite.yaml", tarfile.REGTYPE),
        entry(".git/config", tarfile.REGTYPE),
        entry("suite.yaml", tarfile.REGTYPE),
        entry("suite.yaml/x", tarfile.REGTYPE),
    ],
    ids=lambda hostile: f"{hostile.name}-{hostile.type.decode()}",
)
def test_what_is_no_plain_file_is_refused(tmp_path: Path, hostile: tarfile.TarInfo) -> None:
    with pytest.raises(UsageError):
        unpack(tmp_path, tarred(FILES, hostile))
    assert not (tmp_path / "x").exists()


def test_a_link_is_not_followed_by_what_comes_after_it(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    content = tarred({}, entry("d", tarfile.SYMTYPE, str(outside)), entry("d/x", tarfile.REGTYPE))
    with pytest.raises(UsageError, match="link"):
        unpack(tmp_path, content)
    assert list(outside.iterdir()) == []


def test_too_much_is_refused_while_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite_layers, "MAX_BYTES", 1 << 20)
    bomb = tarred({"a": bytes(900 << 10), "b": bytes(900 << 10)}, packed=True)
    assert len(bomb) < 10_000
    with pytest.raises(UsageError, match="more than"):
        unpack(tmp_path, bomb)
    monkeypatch.setattr(suite_layers, "MAX_FILES", 1)
    with pytest.raises(UsageError, match="more than"):
        unpack(tmp_path / "into", tarred(FILES))


@given(st.binary(max_size=2000))
def test_any_bytes_are_unpacked_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    place = tmp_path_factory.mktemp("fuzz")
    with pytest.raises(UsageError):
        unpack(place, b"x" + content)


@pytest.mark.parametrize("content", [b"\x28\xb5\x2f\xfd....", b"\x1f\x8b....", tarred(FILES)[:700]])
def test_packed_otherwise_or_broken(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UsageError, match="a layer of the artifact"):
        unpack(tmp_path, content)


# the manifest


def manifest(**layer: Any) -> bytes:
    layer = {"mediaType": TAR, "digest": f"sha256:{SHA}", "size": 3} | layer
    return json.dumps({"layers": [layer]}).encode()


def test_what_a_manifest_says() -> None:
    assert layers_of(manifest(), where="x") == [Layer(SHA, 3, "")]
    assert layers_of(manifest(annotations={TITLE: "a.png"}), where="x") == [Layer(SHA, 3, "a.png")]
    assert layers_of(manifest(annotations={TITLE: "suite", UNPACK: "true"}), where="x") == [Layer(SHA, 3, "")]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"{", "no manifest"),
        (b'{"layers": 3}', "no manifest"),
        (b'{"manifests": []}', "an index of several artifacts"),
        (b'{"layers": [3]}', "has no SHA-256 or no size"),
        (manifest(digest="sha256:../../x"), "has no SHA-256 or no size"),
        (manifest(digest=3), "has no SHA-256 or no size"),
        (manifest(size=-1), "has no SHA-256 or no size"),
        (manifest(size=1 << 60), "larger than"),
        (manifest(annotations=3), "has no SHA-256 or no size"),
        (manifest(annotations={TITLE: "../x"}), "leaves the suite"),
        (manifest(mediaType="application/zip"), "neither a tar nor a file with a name: application/zip"),
        (b'{"layers": [' + b",".join([b"{}"] * 1001) + b"]}", "more than 1000 layers"),
    ],
)
def test_manifests_that_are_refused(content: bytes, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        layers_of(content, where="x")
