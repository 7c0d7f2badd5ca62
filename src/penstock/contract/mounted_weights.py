"""Where a model's weights are in its container: beside the image, mounted below its working directory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from penstock.contract.models import Contract, Weights


def weights_folder(weights: Sequence[Weights]) -> str:
    """The folder that is mounted into the container: the deepest one that holds all weights.

    Args:
        weights: from the contract; each ``path`` is relative to the repository, and to the image's working directory.

    Returns:
        A relative path such as ``weights``. Empty: there is no folder to mount, because a file lies in the root of the
        repository (or two have no folder in common); then the image itself has to hold the weights.
    """
    folders = [PurePosixPath(item.path).parent.parts for item in weights]
    common: list[str] = []
    for level in zip(*folders, strict=False):
        if len(set(level)) > 1:
            break
        common.append(level[0])
    return "/".join(common)


def beside_the_image(weights: Sequence[Weights]) -> set[str]:
    """Paths below the repository that no image is built from: the files that are mounted, and the files of the
    repository that those are copies of.
    """
    if not weights_folder(weights):
        return set()
    copied = {item.source for item in weights if item.source != "lfs" and "://" not in item.source}
    return {item.path for item in weights} | copied


@dataclass(frozen=True)
class Mount:
    """What the step *infer* mounts into the model's container."""

    path: str
    """Absolute, in the container; empty: the place of a workspace that names none, where no model may read."""
    folder: str
    """Of the repository."""


def mount_of(contract: Contract, directory: str | None) -> Mount:
    """Where a model's weights are mounted.

    Args:
        contract: names the weights.
        directory: the image's working directory; ``None``: there is no image, or one that holds its weights.

    Returns:
        The folder of the weights below ``directory``. Where nothing is to be mounted, the suite, which the model may
        read anyway, at the place of a workspace that names none: Tekton has no workspace that is sometimes there.
    """
    folder = weights_folder(contract.weights)
    if directory is None or not folder:
        return Mount("", contract.suite_folder.strip("/"))
    return Mount(str(PurePosixPath(directory) / folder), folder)
