"""Tars and manifests of suites, honest and hostile ones."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Mapping

from tests.unit.environment.image_server import CONFIG, MANIFEST, ImageServer

TAR = "application/vnd.oci.image.layer.v1.tar"
FILES = {"suite.yaml": b"version: 1\n", "a/b.png": b"picture"}


def tarred(files: Mapping[str, bytes], *more: tarfile.TarInfo, packed: bool = False) -> bytes:
    """A tar of these files, and entries without a content."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        for entry in more:
            archive.addfile(entry)
    return gzip.compress(buffer.getvalue(), mtime=0) if packed else buffer.getvalue()


def artifact(server: ImageServer, *layers: tuple[str, bytes, dict[str, str]]) -> str:
    """Put an artifact into the registry: media type, content and annotations of each layer; its digest."""
    described = [server.blob(kind, content) | {"annotations": notes} for kind, content, notes in layers]
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": server.blob(CONFIG, b"{}"), "layers": described}
    return server.put(MANIFEST, manifest)
