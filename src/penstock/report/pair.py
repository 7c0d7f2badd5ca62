"""What runs in production: an image and its weights, each by digest."""

from __future__ import annotations

from dataclasses import dataclass

from penstock.bundle.models import Run

SHORT = 12
"""Digits of a digest that are shown."""


@dataclass(frozen=True)
class Pair:
    """The image and the weights of a run."""

    image: str | None
    """``URL@sha256:…``; of a model without an image, the digest of its source tree; ``None``: not known yet."""
    built: bool
    """Whether it is an image."""
    weights: dict[str, str]
    """Path → ``sha256:…``."""

    def image_words(self) -> str:
        """``sha256:5b69c9e358d1``; a model without an image runs as a process."""
        if self.image is None:
            return "–"
        return f"{'' if self.built else 'process '}sha256:{self.image.rpartition(':')[2][:SHORT]}"

    def weights_words(self) -> str:
        """``sha256:1a2b3c4d5e6f``, and how many more files there are."""
        digests = list(self.weights.values())
        if not digests:
            return "–"
        more = f" and {len(digests) - 1} more" if len(digests) > 1 else ""
        return f"sha256:{digests[0].removeprefix('sha256:')[:SHORT]}{more}"

    def __str__(self) -> str:
        """``image sha256:5b69c9e358d1 with weights sha256:1a2b3c4d5e6f``."""
        kind = "image " if self.built else ""
        return f"{kind}{self.image_words()} with weights {self.weights_words()}"


def pair_of(run: Run) -> Pair:
    """The pair of a run, as far as it is known."""
    image = run.image
    built = image is not None and image.kind == "image"
    reference = None if image is None else f"{image.url}@{image.digest}" if built else image.digest
    return Pair(reference, built, {file.path: f"sha256:{file.sha256}" for file in run.weights})
