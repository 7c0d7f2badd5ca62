"""The image in which a step and the model run together, and how far the model has to be confined there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Image, Isolation
from penstock.contract.load import load_contract
from penstock.contract.models import Contract
from penstock.contract.mounted_weights import weights_folder
from penstock.foundation.errors import UsageError, WorldError
from penstock.invocation.isolation import best_level, in_pod, is_below, isolation
from penstock.invocation.sandbox import ImageFiles


def image_files(
    built: Image | None,
    image: str,
    model_dir: Path | None,
    code: Path,
    mounted: Iterable[Path | None],
    *,
    bundle: Bundle,
) -> ImageFiles | None:
    """What the container holds in which the step and the model run; ``None`` where steps are not run in containers.

    Args:
        built: the image that was built of the model; ``None``, or a process: the clone is what runs, on the programs of
            the image that stands in for one.
        image: the one that the step runs in, as the step *plan* said.
        model_dir: the image's working directory; ``None`` where steps are not run in images.
        code: the model's repository.
        mounted: the step's workspaces, as far as they are bound.
        bundle: says which weights were verified.

    Raises:
        UsageError: it is another image than was built.
        WorldError: weights are missing that should be mounted beside the image.
    """
    if model_dir is None:
        return None
    directory = code
    if built is not None and built.kind == "image":
        directory = model_dir
        if image != f"{built.url}@{built.digest}":
            raise UsageError(
                f"the step runs in '{image}', but {built.url}@{built.digest} was built",
                where="--image",
                todo="Pass on the result 'image' of the step plan.",
            )
    files = ImageFiles(directory.resolve(), volumes=tuple(path for path in mounted if path is not None))
    _hold_weights(files, built, code, bundle)
    return files


def _hold_weights(files: ImageFiles, built: Image | None, code: Path, bundle: Bundle) -> None:
    """Check that the weights are where the model looks for them, if they are mounted beside its image.

    Raises:
        WorldError: a file is missing, or not as large as the one that was verified.
    """
    if built is None or not built.key or not weights_folder(load_contract(code).weights):
        return
    for file in bundle.run().weights:
        path = files.directory / file.path
        if not path.is_file() or path.stat().st_size != file.bytes:
            raise WorldError(
                "the weights are not in the model's container",
                where=str(path),
                todo="Its Task mounts them at its parameter weights-mount: pass on what the step build said.",
            )


def confined(contract: Contract, bundle: Bundle, *, image: bool) -> Isolation:
    """By what this process confines the model that it starts.

    Args:
        contract: says whether the model has a network.
        bundle: says what the policy demands.
        image: the step and the model run in an image.

    Raises:
        UsageError: the policy demands more.
    """
    found = isolation(best_level(image=image), pod=in_pod(), network=bool(contract.call.network))
    hold_level(found, bundle)
    return found


def hold_level(got: Isolation | None, bundle: Bundle) -> None:
    """Start no model that is confined less far than the policy demands: *plan* looked at its own process only.

    Raises:
        UsageError: it would be.
    """
    inference = bundle.run().inference
    demanded = inference.demanded if inference is not None else "none"
    if got is not None and is_below(got.level, demanded):
        raise UsageError(
            f"the policy demands that the model is confined by '{demanded}', and here it would be by '{got.level}'",
            where="policy.isolation",
            todo="docs/security.md says what each level needs.",
        )
