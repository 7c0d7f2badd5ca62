"""Putting a suite where repositories can name it by its digest: on S3, or in a registry as an OCI artifact.

The same files make the same artifact, byte for byte: one tar, not packed, sorted, without times and owners.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from penstock.contract.suite_sources import suite_source
from penstock.foundation.errors import UsageError
from penstock.foundation.files import disk_errors, open_regular, sha256_file
from penstock.sources.image import failed, registry_environment
from penstock.sources.image_registry import authfile, registry_access
from penstock.sources.program import run
from penstock.store.open import open_store
from penstock.suites.suite_fetch import AT_ONCE
from penstock.suites.suite_files import SUMS, as_text, digest_of, listed

MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
CONFIG: Final = "application/vnd.oci.image.config.v1+json"
LAYER: Final = "application/vnd.oci.image.layer.v1.tar"
ARTIFACT: Final = "application/vnd.penstock.suite.v1"
TIMEOUT_S: Final = 1800.0


def push_suite(
    folder: Path, to: str, *, credentials: Path | None = None, tls_verify: bool = True, skopeo: str = "skopeo"
) -> str:
    """Push a suite's files; what is there already is not sent again.

    Args:
        folder: with ``suite.yaml``.
        to: ``oci://HOST/PATH`` or ``s3://BUCKET/PREFIX``; below the prefix the suite gets a folder of its own, so that
            another suite never takes its place.
        credentials: for S3 a directory as of :func:`penstock.store.s3_client.s3_client`, for a registry one with
            ``config.json``.
        tls_verify: whether the registry's certificate is checked.
        skopeo: the program.

    Returns:
        The address for ``penstock.yaml``.

    Raises:
        UsageError: the folder holds what a suite may not hold, or ``to`` is no such place.
        WorldError: the server cannot be reached or refuses.
    """
    files = listed(folder)
    if to.startswith("s3://"):
        return _to_s3(folder, files, to.rstrip("/"), credentials)
    if to.startswith("oci://"):
        return _to_registry(folder, files, to, registry_access(tls_verify, authfile(credentials)), skopeo)
    raise UsageError(f"'{to[:200]}' is not a place for a suite", todo="Write oci://HOST/PATH or s3://BUCKET/PREFIX.")


def _to_s3(folder: Path, files: Mapping[str, str], to: str, credentials: Path | None) -> str:
    digest = digest_of(files)
    place = f"{to}/{digest[:16]}"
    address = f"{place}#sha256={digest}"
    suite_source(address)
    store = open_store(place, credentials)

    def put(path: str) -> None:
        store.put_file(path, folder / path, files[path])

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in pool.map(put, files):
            pass
    with disk_errors(Path(tempfile.gettempdir())), tempfile.TemporaryDirectory(prefix="penstock-suite-") as scratch:
        sums = Path(scratch) / SUMS
        sums.write_text(as_text(files), encoding="utf-8")
        store.put_file(SUMS, sums, digest)  # last: once it is there, all is
    return address


def _to_registry(folder: Path, files: Mapping[str, str], to: str, options: list[str], skopeo: str) -> str:
    with disk_errors(Path(tempfile.gettempdir())), tempfile.TemporaryDirectory(prefix="penstock-suite-") as scratch:
        layout = Path(scratch)
        digest = _layout(folder, files, layout)
        address = f"{to}@sha256:{digest}"
        source = suite_source(address)
        if source is None:
            raise AssertionError("an address of a registry is no folder")
        # skopeo pushes to a tag only; nothing reads it
        target = f"docker://{source.place}:sha256-{digest}"
        options = [word.replace("--tls-verify", "--dest-tls-verify") for word in options]
        argv = [skopeo, "copy", "--quiet", "--preserve-digests", *options, f"oci:{layout}:suite", target]
        pushed = run(argv, env=registry_environment(), timeout_s=TIMEOUT_S)
        if pushed.code:
            raise failed("the suite cannot be pushed", pushed, to)
        return address


def _layout(folder: Path, files: Mapping[str, str], layout: Path) -> str:
    """An OCI image layout with the suite in it; the digest of its manifest."""
    blobs = layout / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    made = blobs / "made"
    with tarfile.open(made, "w", format=tarfile.PAX_FORMAT) as archive:
        for path in files:
            member = tarfile.TarInfo(path)
            member.mode = 0o644
            with open_regular(folder / path, where=path) as file:
                member.size = file.seek(0, io.SEEK_END)
                file.seek(0)
                archive.addfile(member, file)
    layer = sha256_file(made)
    size = made.stat().st_size
    made.rename(blobs / layer)
    config = {"architecture": "", "os": "", "config": {}, "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer}"]}}
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": ARTIFACT,
        "config": _blob(blobs, config, CONFIG),
        "layers": [{"mediaType": LAYER, "digest": f"sha256:{layer}", "size": size}],
    }
    entry = _blob(blobs, manifest, MANIFEST)
    named = entry | {"annotations": {"org.opencontainers.image.ref.name": "suite"}}
    (layout / "oci-layout").write_bytes(_bytes({"imageLayoutVersion": "1.0.0"}))
    (layout / "index.json").write_bytes(_bytes({"schemaVersion": 2, "manifests": [named]}))
    return str(entry["digest"]).removeprefix("sha256:")


def _blob(blobs: Path, value: dict[str, Any], media_type: str) -> dict[str, Any]:
    content = _bytes(value)
    digest = hashlib.sha256(content).hexdigest()
    (blobs / digest).write_bytes(content)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}


def _bytes(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
