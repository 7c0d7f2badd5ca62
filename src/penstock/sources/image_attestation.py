"""Signed statements about an image, beside it in its registry: at the tag ``sha256-HEX.att``.

There cosign, policy-controller and Kyverno look for them, and Tekton Chains puts its own. It is an image manifest whose
layers are DSSE envelopes, one for each statement; no registry needs the referrers API for it.

Format: https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md, and ATTESTATION_SPEC.md beside it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import tempfile
from pathlib import Path
from typing import Any, Final

from penstock.bundle.models import Image
from penstock.foundation.errors import UsageError, WorldError
from penstock.foundation.files import disk_errors
from penstock.foundation.strict_json import JsonError, read_json
from penstock.sources.image import failed, is_absent, registry_environment
from penstock.sources.image_registry import registry_access
from penstock.sources.program import run

log = logging.getLogger(__name__)
MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
CONFIG: Final = "application/vnd.oci.image.config.v1+json"
ENVELOPE: Final = "application/vnd.dsse.envelope.v1+json"
SIGNATURE: Final = "dev.cosignproject.cosign/signature"
"""An annotation that cosign wants on every layer; of an envelope, which carries its own, it is empty."""
PREDICATE: Final = "predicateType"
MAX_STATEMENTS: Final = 1000
MAX_BYTES: Final = 64 << 20
"""Of all statements about an image together."""
TIMEOUT_S: Final = 120.0
TRIES: Final = 5
"""A registry has no compare-and-swap: what another has written at the same time may take ours away again."""


def attach_statement(
    image: Image,
    envelope: bytes,
    predicate_type: str,
    *,
    tls_verify: bool = True,
    authfile: Path | None = None,
    skopeo: str = "skopeo",
) -> bool:
    """Put a signed statement beside an image; those that are there stay.

    Args:
        image: in its registry, by digest.
        envelope: DSSE, JSON.
        predicate_type: of the statement in it, so that it is found without being unpacked.
        tls_verify: whether the registry's certificate is checked.
        authfile: credentials of the registry.
        skopeo: the program that asks it.

    Returns:
        Whether anything was written; ``False``: this very envelope is there.

    Raises:
        UsageError: the image was not pushed.
        WorldError: the registry fails, or what lies at the tag is something else.
    """
    place = _place(image, tls_verify, authfile, skopeo)
    for tried in range(TRIES + 1):
        there = place.manifest()
        if there is not None and _digest(envelope) in _layers(there, place.target):
            return tried > 0
        if tried == TRIES:
            break
        with disk_errors(Path(tempfile.gettempdir())), tempfile.TemporaryDirectory(prefix="penstock-att-") as folder:
            layout = _Layout(Path(folder))
            if there is None:
                config: dict[str, Any] = {"architecture": "", "os": "", "config": {}}
                config["rootfs"] = {"type": "layers", "diff_ids": []}
                there = {"schemaVersion": 2, "mediaType": MANIFEST, "layers": []}
            else:
                place.fetch(layout)
                config = layout.json(there["config"]["digest"])
            layout.add(there, config, envelope, predicate_type)
            place.push(layout)
    raise WorldError(
        "a statement was written beside the image, and is gone again each time",
        where=place.target,
        todo="Something else writes there all the time: run the step again when it is done.",
    )


def attached_statements(
    image: Image, *, tls_verify: bool = True, authfile: Path | None = None, skopeo: str = "skopeo"
) -> list[bytes]:
    """All signed statements beside an image, DSSE envelopes as they are; whether a signature holds is not looked at.

    Args:
        image: in its registry, by digest.
        tls_verify: whether the registry's certificate is checked.
        authfile: credentials of the registry.
        skopeo: the program that asks it.

    Raises:
        UsageError: the image was not pushed.
        WorldError: the registry fails, or what lies at the tag is something else, or too much.
    """
    place = _place(image, tls_verify, authfile, skopeo)
    there = place.manifest()
    if there is None:
        return []
    with disk_errors(Path(tempfile.gettempdir())), tempfile.TemporaryDirectory(prefix="penstock-att-") as folder:
        layout = _Layout(Path(folder))
        place.fetch(layout)
        return [layout.blob(digest) for digest in _layers(there, place.target)]


def _place(image: Image, tls_verify: bool, authfile: Path | None, skopeo: str) -> _Place:
    if image.kind != "image" or not image.url:
        raise UsageError("statements are attached to a pushed image only", where=image.url)
    return _Place(f"{image.url}:{image.digest.replace(':', '-')}.att", tls_verify, authfile, skopeo)


class _Place:
    """The tag in the registry."""

    def __init__(self, target: str, tls_verify: bool, authfile: Path | None, skopeo: str) -> None:
        self.target = f"docker://{target}"
        self._access = registry_access(tls_verify, authfile)
        self._skopeo = skopeo

    def manifest(self) -> dict[str, Any] | None:
        """``None``: nothing is attached yet."""
        argv = [self._skopeo, "inspect", "--raw", *self._access, self.target]
        answer = run(argv, env=registry_environment(), timeout_s=TIMEOUT_S)
        if answer.code and is_absent(answer):
            return None
        if answer.code:
            raise failed("the registry cannot be asked for the image's statements", answer, self.target)
        found = _object(answer.output, self.target)
        _layers(found, self.target)
        return found

    def fetch(self, layout: _Layout) -> None:
        """All that is attached, as it is."""
        self._copy("--src-tls-verify", self.target, layout.name, "what lies beside the image cannot be fetched")

    def push(self, layout: _Layout) -> None:
        """Put it in place of what is there."""
        self._copy("--dest-tls-verify", layout.name, self.target, "the statement cannot be attached to the image")

    def _copy(self, side: str, source: str, destination: str, failing: str) -> None:
        access = [word.replace("--tls-verify", side) for word in self._access]
        argv = [self._skopeo, "copy", "--quiet", "--preserve-digests", *access, source, destination]
        copied = run(argv, env=registry_environment(), timeout_s=TIMEOUT_S)
        if copied.code:
            raise failed(failing, copied, self.target)


class _Layout:
    """An OCI image layout in a folder, with one image in it."""

    def __init__(self, folder: Path) -> None:
        self.name = f"oci:{folder}:att"
        self._folder = folder
        self._blobs = folder / "blobs" / "sha256"

    def json(self, digest: str) -> dict[str, Any]:
        """A blob that is a JSON object; one that was fetched has this digest, or it is none of the image's."""
        return _object(self.blob(digest), digest)

    def blob(self, digest: str) -> bytes:
        """A blob; empty: it is none of the image's, as one that was replaced while it was fetched."""
        path = self._blobs / digest.partition(":")[2]
        return path.read_bytes() if path.is_file() else b""

    def add(self, manifest: dict[str, Any], config: dict[str, Any], envelope: bytes, predicate_type: str) -> None:
        """Make it hold the manifest with one layer more."""
        self._blobs.mkdir(parents=True, exist_ok=True)
        layer = self._blob(envelope, ENVELOPE) | {"annotations": {SIGNATURE: "", PREDICATE: predicate_type}}
        root = config.get("rootfs")
        before = root.get("diff_ids") if isinstance(root, dict) else None
        # packed as it is, the layer unpacked has the same digest
        names = [*(before if isinstance(before, list) else []), layer["digest"]]
        config = config | {"rootfs": {"type": "layers", "diff_ids": names}}
        config.pop("history", None)  # it would have to name the new layer, and says nothing
        manifest = manifest | {"config": self._blob(_bytes(config), CONFIG), "layers": [*manifest["layers"], layer]}
        entry = self._blob(_bytes(manifest), MANIFEST) | {"annotations": {"org.opencontainers.image.ref.name": "att"}}
        (self._folder / "oci-layout").write_bytes(_bytes({"imageLayoutVersion": "1.0.0"}))
        (self._folder / "index.json").write_bytes(_bytes({"schemaVersion": 2, "manifests": [entry]}))

    def _blob(self, content: bytes, media_type: str) -> dict[str, Any]:
        digest = _digest(content)
        (self._blobs / digest.partition(":")[2]).write_bytes(content)
        return {"mediaType": media_type, "size": len(content), "digest": digest}


def _layers(manifest: dict[str, Any], where: str) -> list[str]:
    """Digests of what is attached."""
    try:
        found = [(str(layer["digest"]), int(layer["size"])) for layer in manifest["layers"]]
        size = int(manifest["config"]["size"]) + sum(size for _, size in found)
        str(manifest["config"]["digest"])
        if any(layer["mediaType"] != ENVELOPE for layer in manifest["layers"]):
            raise ValueError("of an image")
    except (KeyError, TypeError, ValueError):
        found, size = [], MAX_BYTES + 1
    if len(found) >= MAX_STATEMENTS or not 0 <= size <= MAX_BYTES:
        raise WorldError(
            "what lies beside the image are no statements, or too many",
            where=where,
            todo="Look what has put it there, and remove the tag.",
        )
    return [digest for digest, _ in found]


def _object(content: bytes, where: str) -> dict[str, Any]:
    try:
        found = read_json(content)
    except JsonError:
        found = None
    if not isinstance(found, dict):
        raise WorldError("the registry's answer is no image", where=where)
    return found


def _bytes(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
