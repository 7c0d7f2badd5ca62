"""Container images without a builder: layers as tar files, and the few requests that put them into a registry."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from penstock.foundation.errors import WorldError

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
CHUNK_BYTES = 1 << 20
TIMEOUT_S = 120


@dataclass(frozen=True)
class Layer:
    """A layer's blob in a file; ``diff_id`` is the digest of the tar file in it."""

    path: Path
    media_type: str
    digest: str
    diff_id: str
    size: int


@dataclass(frozen=True)
class Image:
    """What an image is made of, and how it is run."""

    layers: tuple[Layer, ...]
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    directory: str = "/"

    def config(self) -> bytes:
        """The configuration's blob."""
        run = {
            "Entrypoint": list(self.entrypoint),
            "Cmd": list(self.command),
            "Env": [f"{name}={value}" for name, value in self.environment.items()],
            "User": self.user,
            "WorkingDir": self.directory,
        }
        rootfs = {"type": "layers", "diff_ids": [layer.diff_id for layer in self.layers]}
        # buildah builds on no image whose history does not account for its layers
        history = [{"created_by": "tests.cluster.oci"} for _ in self.layers]
        return _json({"architecture": "amd64", "os": "linux", "config": run, "rootfs": rootfs, "history": history})

    def manifest(self) -> bytes:
        """The manifest; its SHA-256 is the image's digest."""
        config = self.config()
        layers = [{"mediaType": one.media_type, "digest": one.digest, "size": one.size} for one in self.layers]
        about = {"mediaType": CONFIG, "digest": _digest(config), "size": len(config)}
        return _json({"schemaVersion": 2, "mediaType": MANIFEST, "config": about, "layers": layers})


class _Hashing:
    """A stream that knows the digest and the length of what was written to it."""

    def __init__(self, out: BinaryIO) -> None:
        self.out = out
        self.sha256 = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        self.out.write(data)
        self.sha256.update(data)
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        self.out.flush()

    def digest(self) -> str:
        return f"sha256:{self.sha256.hexdigest()}"


def write_layer(out: Path, files: Iterable[tuple[str, Path]], *, compress: bool = False) -> Layer:
    """Write a layer to ``out``.

    Args:
        out: the file to write.
        files: (path in the image, file, link or directory here), each by itself: directories bring no content along.
        compress: gzip it. It costs time, and a builder that pulls it knows it again when it pushes.
    """
    with out.open("wb") as file:
        blob = _Hashing(file)
        if compress:
            with gzip.GzipFile(filename="", fileobj=blob, mode="wb", compresslevel=4, mtime=0) as packed:  # type: ignore[arg-type]
                diff_id = _write_tar(packed, files)  # type: ignore[arg-type]
        else:
            diff_id = _write_tar(blob, files)
    return Layer(out, LAYER + ("+gzip" if compress else ""), blob.digest(), diff_id, blob.size)


def _write_tar(out: Any, files: Iterable[tuple[str, Path]]) -> str:
    content = _Hashing(out)
    made: set[str] = set()
    with tarfile.open(fileobj=content, mode="w|", format=tarfile.PAX_FORMAT) as tar:  # type: ignore[call-overload]
        for name, path in files:
            name = name.strip("/")
            for parent in reversed(Path(name).parents):
                if parent.parts and str(parent) not in made:
                    tar.addfile(_directory(str(parent)))
                    made.add(str(parent))
            info = tar.gettarinfo(str(path), arcname=name)
            if info is None:  # a socket
                continue
            info.uname = info.gname = ""
            info.mtime = 0
            if info.isdir():
                made.add(name)
            if info.isreg():
                with path.open("rb") as file:
                    tar.addfile(info, file)
            else:
                tar.addfile(info)
    return content.digest()


def _directory(name: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = tarfile.DIRTYPE
    info.mode = 0o755
    return info


class Registry:
    """An OCI registry that speaks plain HTTP."""

    def __init__(self, address: str) -> None:
        self.address = address

    def digest(self, repository: str, tag: str) -> str | None:
        """The digest of an image, or None if it is not there. Raises WorldError."""
        status, headers, _ = self._ask("HEAD", f"/v2/{repository}/manifests/{tag}", headers={"Accept": MANIFEST})
        return headers["docker-content-digest"] if status == http.client.OK else None

    def push(self, repository: str, tag: str, image: Image) -> str:
        """Push an image with what it is made of; returns its digest. Raises WorldError."""
        for layer in image.layers:
            with layer.path.open("rb") as file:
                self._blob(repository, layer.digest, layer.size, file)
        config, manifest = image.config(), image.manifest()
        self._blob(repository, _digest(config), len(config), io.BytesIO(config))
        path = f"/v2/{repository}/manifests/{tag}"
        status, _, said = self._ask("PUT", path, body=io.BytesIO(manifest), headers=_length(len(manifest), MANIFEST))
        if status != http.client.CREATED:
            raise WorldError(f"the registry answered {status}: {said}", where=f"{self.address}/{repository}:{tag}")
        return _digest(manifest)

    def _blob(self, repository: str, digest: str, size: int, content: BinaryIO) -> None:
        status, _, _ = self._ask("HEAD", f"/v2/{repository}/blobs/{digest}")
        if status == http.client.OK:
            return
        where = f"{self.address}/{repository}@{digest}"
        status, headers, said = self._ask("POST", f"/v2/{repository}/blobs/uploads/", headers=_length(0))
        if status != http.client.ACCEPTED:
            raise WorldError(f"the registry answered {status}: {said}", where=where)
        place = headers["location"].removeprefix(f"http://{self.address}")
        path = f"{place}{'&' if '?' in place else '?'}digest={digest}"
        status, _, said = self._ask("PUT", path, body=content, headers=_length(size, "application/octet-stream"))
        if status != http.client.CREATED:
            raise WorldError(f"the registry answered {status}: {said}", where=where)

    def _ask(
        self, method: str, path: str, *, body: BinaryIO | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, str], str]:
        with closing(http.client.HTTPConnection(self.address, timeout=TIMEOUT_S, blocksize=CHUNK_BYTES)) as connection:
            try:
                connection.request(method, path, body=body, headers=dict(headers or {}))
                answer = connection.getresponse()
                said = answer.read(500).decode(errors="replace").strip()
            except (OSError, http.client.HTTPException) as error:
                raise WorldError(f"the registry cannot be reached: {error}", where=self.address) from None
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, said


def _length(size: int, media_type: str = "") -> dict[str, str]:
    return {"Content-Length": str(size), **({"Content-Type": media_type} if media_type else {})}


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
