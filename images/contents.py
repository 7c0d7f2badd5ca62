"""What an image holds, layer by layer: what a later layer has deleted is still there for anyone who fetches it."""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penstock.foundation.errors import WorldError
from penstock.sources.program import run

TIMEOUT_S = 1800.0
SCANNED_BYTES = 2 << 20
"""Of a file, this much is looked into for secrets."""
COMPILERS = re.compile(
    r"^(cc|c\+\+|gcc|g\+\+|clang|ld|as|make|rustc|go|nvcc|x86_64-linux-gnu-(gcc|ld|as).*)(-[0-9.]+)?$"
)
PROGRAM_FOLDERS = ("bin", "sbin", "usr/bin", "usr/sbin", "usr/local/bin", "usr/local/sbin", "opt/penstock/bin")
NO_PACKAGES = re.compile(r"/(?:site|dist)-packages/(torch|torchvision|tensorflow|nvidia|triton)(?:/|$)")
CACHES = re.compile(r"(^|/)\.cache/pip/|^var/lib/apt/lists/.+_Packages|^var/cache/apt/.+\.(deb|bin)$|(^|/)pip-ephem-")
CREDENTIALS = re.compile(
    r"(^|/)(\.netrc|\.git-credentials|\.pypirc|\.npmrc|id_(rsa|ed25519|ecdsa)|\.docker/config\.json|\.aws/credentials"
    r"|\.kube/config|containers/auth\.json)$"
)
SECRETS = {
    "a private key": re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/=]{40}"),
    "an AWS key": re.compile(rb"\bAKIA(?![A-Z0-9]*EXAMPLE)[A-Z0-9]{16}\b"),
    "a token of a forge": re.compile(
        rb"\b(ghp_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60,}|glpat-[A-Za-z0-9_-]{20})\b"
    ),
    "an address with a password": re.compile(
        rb"^\s*(?:index-url|extra-index-url|proxy)\s*=\s*https?://[^/\s:]+:[^@/\s]+@", re.MULTILINE
    ),
}
SECRET_NAME = re.compile(r"(SECRET|TOKEN|PASSWORD|PASSWD|CREDENTIAL|API_?KEY|PRIVATE)", re.IGNORECASE)
URL_PASSWORD = re.compile(r"https?://[^/\s:]+:[^@/\s]+@")


@dataclass(frozen=True)
class LayerFacts:
    """What one layer holds."""

    compressed: int
    unpacked: int
    faults: tuple[str, ...]


@dataclass(frozen=True)
class Facts:
    """One image."""

    user: str
    layers: tuple[str, ...]
    faults: tuple[str, ...]


@dataclass
class Images:
    """Images copied out of a registry; a layer that several have is kept and looked into once."""

    folder: Path
    tls_verify: bool
    layers: dict[str, LayerFacts] = field(default_factory=dict)

    def look(self, name: str, reference: str) -> Facts:
        """Fetch one image and look into its configuration and layers.

        Raises:
            WorldError: it cannot be fetched.
        """
        argv = ["skopeo", "copy", "--quiet", f"--src-tls-verify={str(self.tls_verify).lower()}"]
        copied = run([*argv, f"docker://{reference}", f"oci:{self.folder}:{name}"], timeout_s=TIMEOUT_S)
        if copied.code:
            raise WorldError("the image cannot be fetched", where=reference, todo=copied.tail.splitlines()[-1])
        manifest = self._json(reference.rpartition("@")[2])
        config = self._json(manifest["config"]["digest"])
        for layer in manifest["layers"]:
            if layer["digest"] not in self.layers:
                self.layers[layer["digest"]] = look_into(self._blob(layer["digest"]))
        return Facts(
            user=config["config"].get("User", ""),
            layers=tuple(layer["digest"] for layer in manifest["layers"]),
            faults=tuple(config_faults(name, config)),
        )

    def _blob(self, digest: str) -> Path:
        algorithm, _, value = digest.partition(":")
        return self.folder / "blobs" / algorithm / value

    def _json(self, digest: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self._blob(digest).read_bytes())
        return content


def config_faults(name: str, config: dict[str, Any]) -> Iterator[str]:
    """What is wrong with an image's configuration: who runs it, and secrets in variables, labels and history."""
    run_as = config["config"].get("User", "")
    wanted = "0:0" if name == "build" else "65532:65532"
    if run_as != wanted:
        yield f"runs as '{run_as}', not as {wanted}"
    for pair in config["config"].get("Env", []):
        variable, _, value = pair.partition("=")
        if SECRET_NAME.search(variable) or URL_PASSWORD.search(value):
            yield f"the variable {variable} looks like a secret"
    labels = config["config"].get("Labels") or {}
    texts = [*labels.values(), *(entry.get("created_by", "") for entry in config.get("history", []))]
    if any(URL_PASSWORD.search(text) for text in texts):
        yield "a label or the history holds an address with a password"


def look_into(layer: Path) -> LayerFacts:
    """Read a layer from its first file to its last."""
    unpacked = 0
    faults: list[str] = []
    with tarfile.open(layer, "r|*") as archive:
        for member in archive:
            path = member.name.removeprefix("./").removeprefix("/")
            unpacked += member.size
            faults += path_faults(path, member)
            if member.isreg():
                file = archive.extractfile(member)
                content = file.read(SCANNED_BYTES) if file is not None else b""
                if not content.startswith(b"\x7fELF"):  # a library of TLS holds the keys of its own self-test
                    faults += [f"{path}: {what}" for what, pattern in SECRETS.items() if pattern.search(content)]
    return LayerFacts(layer.stat().st_size, unpacked, tuple(faults))


def path_faults(path: str, member: tarfile.TarInfo) -> Iterator[str]:
    """What is wrong with a file's name, place or mode."""
    folder, _, name = path.rpartition("/")
    if folder in PROGRAM_FOLDERS and COMPILERS.match(name):
        yield f"{path}: a compiler"
    if package := NO_PACKAGES.search(f"/{path}"):
        yield f"{path}: {package[1]} has no place in a step"
    if CACHES.search(path):
        yield f"{path}: a cache"
    if CREDENTIALS.search(path):
        yield f"{path}: credentials"
    if member.isreg() and member.mode & 0o002:
        yield f"{path}: anybody can write it"
