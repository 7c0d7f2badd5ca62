"""The pair that is served: an image by its digest, and the files of weights that were judged with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from penstock.foundation.errors import UsageError
from penstock.releases.baseline import Release
from penstock.targets.targets_file import Said


@dataclass(frozen=True)
class ServedWeights:
    """One file of weights."""

    path: str
    """Where the model looks for it, as in the contract."""
    sha256: str
    bytes: int
    source: str
    """Where it comes from, as in the contract: ``lfs`` and paths are of the repository at the release's commit."""


@dataclass(frozen=True)
class ServedPair:
    """What a target gets."""

    model: str
    version: str
    run_id: str
    repository: str
    commit: str
    image: str
    """``ADDRESS@sha256:…``."""
    image_digest: str
    """``sha256:…``."""
    weights: tuple[ServedWeights, ...]
    use_onnx: bool | None
    """Whether the service computes with its exported file; ``None``: it decides for itself."""
    evidence: str
    """The archived bundle's address."""

    def says(self, what: Said) -> tuple[str, ...]:
        """The texts that something in service shows of this pair: at least one, but for a pair without weights."""
        if what == "image_digest":
            return (self.image_digest,)
        return (self.version,) if what == "version" else tuple(file.sha256 for file in self.weights)

    @property
    def values(self) -> dict[str, str]:
        """What ``{image}`` and so on stand for."""
        told = "" if self.use_onnx is None else str(self.use_onnx).lower()
        whole = {"model": self.model, "version": self.version, "image": self.image, "image_digest": self.image_digest}
        return whole | {"use_onnx": told}

    def as_object(self) -> dict[str, Any]:
        """As JSON has it."""
        weights = [
            {"path": file.path, "sha256": file.sha256, "bytes": file.bytes, "source": file.source}
            for file in self.weights
        ]
        return {
            "model": self.model,
            "version": self.version,
            "run": self.run_id,
            "repository": self.repository,
            "commit": self.commit,
            "image": self.image,
            "image_digest": self.image_digest,
            "weights": weights,
            "use_onnx": self.use_onnx,
            "evidence": self.evidence,
        }


def pair_of(release: Release, *, evidence: str) -> ServedPair:
    """The pair of a release.

    Args:
        release: its record.
        evidence: the archived bundle's address.

    Raises:
        UsageError: it was released without an image, so there is nothing to bring anywhere.
    """
    image = release.image
    if image.kind != "image":
        raise UsageError(
            "it was released without an image: nothing can be brought to a target",
            where=f"{release.model} {release.version}",
            todo="Release it with one: build-mode=image.",
        )
    weights = tuple(ServedWeights(file.path, file.sha256, file.bytes, file.source) for file in release.weights)
    # an address with a digest or a tag in it would make two of them
    address = image.url.partition("@")[0]
    return ServedPair(
        release.model,
        release.version,
        release.run_id,
        release.url,
        release.commit,
        f"{address}@{image.digest}",
        image.digest,
        weights,
        release.use_onnx,
        evidence,
    )
