"""Build the model's image with buildah and push it by digest, or use that of a run with the same files again.

An image that another system built is not built again: it is compared with the commit.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.checked_contract import read_checked
from penstock.bundle.directory import Bundle
from penstock.bundle.drift_record import is_watched
from penstock.bundle.environment_record import write_environment_record
from penstock.bundle.models import Image, Source
from penstock.bundle.sbom_file import read_sbom, sbom_sha256, write_sbom
from penstock.bundle.steps import recorded
from penstock.contract.models import Contract
from penstock.contract.mounted_weights import beside_the_image, mount_of
from penstock.environment.built_image import NoSuchImageError, RegistryImage
from penstock.environment.look import look
from penstock.environment.prebuilt_image import parse_image, take_prebuilt
from penstock.environment.sbom import bill_of_materials, renamed
from penstock.foundation.errors import UsageError, WorldError
from penstock.releases.names import repository_identity
from penstock.sources.fork_image import PREFIX, forget, layout_in, leave, push_left
from penstock.sources.image import MODES, build, steps_from_cache
from penstock.sources.image_registry import authfile, registry_access
from penstock.steps.entrypoint import launched, log, param, run_step, workspace


@dataclass(frozen=True)
class Arguments:
    """Build the model's image."""

    registry: str = param(
        "registry, host[:port][/path], that the image is pushed to; empty: no image is built", default=""
    )
    mode: str = param("auto (an image where buildah works and a registry is named), image or process", default="auto")
    image: str = param(
        "an image that another system built, HOST/PATH@sha256:…: it is compared with the commit, and nothing is built",
        default="",
    )
    tls_verify: bool = param("the registry has a certificate", default=True)
    reuse: bool = param("take the image of an earlier run that was built from the same files", default=True)
    fork: bool = param(
        "the code is a fork's: it is built in a container without a secret, and pushed below forks/", default=False
    )
    source: Path = workspace("the model's repository")
    bundle: Path = workspace("the run's bundle")
    cache: Path = workspace("what outlives a run")
    layers: Path = workspace("where a fork's image lies between the two containers")
    registry_credentials: Path | None = workspace("config.json of the registry", optional=True)
    unprivileged: Path | None = launched("given to the container without a secret, which builds a fork's image")


RESULTS: tuple[str, ...] = (
    "IMAGE_URL",
    "IMAGE_DIGEST",
    "CHAINS-GIT_URL",
    "CHAINS-GIT_COMMIT",
    "weights-mount",
    "weights-folder",
)
"""The first four are what Tekton Chains makes a provenance of."""


def step(arguments: Arguments) -> dict[str, str]:
    """Build and push, or find the image that there is; write its digest to ``run.json``."""
    if arguments.unprivileged is not None:
        return _leave_image(arguments)
    bundle = Bundle(arguments.bundle)
    contract = read_checked(bundle, arguments.source).contract
    mode = next((mode for mode in MODES if mode == arguments.mode), None)
    if mode is None:
        raise UsageError(f"there is no mode '{arguments.mode}'", where="--mode", todo=f"Modes: {', '.join(MODES)}.")
    with recorded(bundle, "build") as note:
        run = bundle.run()
        if run.source is None:
            raise UsageError(
                "the bundle does not say what was cloned", where=str(bundle.run_file), todo="Run the step clone first."
            )
        if run.regated_from is not None and run.image is not None:
            _hold_given(arguments.image, run.image)
            note.inputs, note.note = run.image.digest, f"{run.image.kind} of the run '{run.regated_from}'"
            if sbom_sha256(bundle) is not None:  # the same commit may have been tagged since
                write_sbom(bundle, renamed(read_sbom(bundle), run))
            return _answer(contract, run.image)
        if is_watched(run) and run.image is not None:
            note.inputs, note.note = run.image.digest, f"{run.image.kind} of the release"
            _hold_there(arguments, run.image)
            _look(arguments, contract, run.image, bundle)
            return _answer(contract, run.image)
        if arguments.image:
            image = _take(arguments, contract, run.source, mode)
            note.inputs, note.note = image.digest, "image, built elsewhere: its label and files are the commit's"
            bundle.update_run(run.model_copy(update={"image": image}))
            _look(arguments, contract, image, bundle)
            return _answer(contract, image)
        if arguments.fork:
            image = _of_fork(arguments, contract.name, run.source)
            note.inputs, note.note = image.digest, f"{image.kind} of a fork"
            bundle.update_run(run.model_copy(update={"image": image}))
            _look(arguments, contract, image, bundle)
            return _answer(contract, image, run.source if image.kind == "image" else None)
        log_file = bundle.path / "logs" / "build.log"
        before = log_file.stat().st_size if log_file.exists() else 0
        image = build(
            arguments.source,
            contract.build,
            image_name=contract.name,
            tree=run.source.tree,
            commit=run.source.commit,
            beside=beside_the_image(contract.weights),
            registry=arguments.registry or None,
            mode=mode,
            cache_dir=arguments.cache,
            reuse=arguments.reuse,
            labels={
                "org.opencontainers.image.revision": run.source.commit,
                "org.opencontainers.image.version": run.source.version,
            },
            tls_verify=arguments.tls_verify,
            authfile=authfile(arguments.registry_credentials),
            log_file=log_file,
        )
        cached, steps = steps_from_cache(log_file, since=before)
        note.inputs, note.note = image.digest, image.kind
        # a build that is done leaves its steps in the log; an image that is used again leaves nothing
        if image.kind == "image" and steps:
            note.note = f"image, {cached} of {steps} steps from the cache"
        elif image.kind == "image":
            note.unchanged = True
            note.note = f"image, used again: built from the same files at {image.built_from[:12]}"
            log("unchanged", what=f"nothing that the image is built from has changed: {image.url}@{image.digest}")
        bundle.update_run(run.model_copy(update={"image": image}))
        _look(arguments, contract, image, bundle)
    return _answer(contract, image, run.source if image.kind == "image" else None)


def _leave_image(arguments: Arguments) -> dict[str, str]:
    """In the container without a secret: build a fork's image and leave it for the one that pushes it.

    The layers lie there too: no cache of other runs is in reach.
    """
    mode = next((mode for mode in MODES if mode == arguments.mode), None)
    layers, nothing = arguments.layers, dict.fromkeys(RESULTS, "")
    if not arguments.fork or arguments.image or mode is None:  # the next container says what is wrong
        return nothing
    forget(layers)
    bundle = Bundle(arguments.bundle)
    contract, source = read_checked(bundle, arguments.source).contract, bundle.run().source
    if source is None:
        return nothing
    image = build(
        arguments.source,
        contract.build,
        image_name=contract.name,
        tree=source.tree,
        commit=source.commit,
        beside=beside_the_image(contract.weights),
        registry=arguments.registry or None,
        mode=mode,
        cache_dir=layers,
        reuse=False,
        labels={
            "org.opencontainers.image.revision": source.commit,
            "org.opencontainers.image.version": source.version,
        },
        log_file=bundle.path / "logs" / "build.log",
        layout=layout_in(layers),
    )
    if image.kind == "image":
        leave(image, layers)
    return nothing


def _of_fork(arguments: Arguments, name: str, source: Source) -> Image:
    """Push what the container without a secret has built; nothing of the fork's code runs here."""
    access = registry_access(arguments.tls_verify, authfile(arguments.registry_credentials))
    image = None
    if arguments.registry and arguments.mode != "process":
        image = push_left(arguments.layers, f"{arguments.registry}/{PREFIX}/{name}", access=access)
    forget(arguments.layers)
    if image is None and arguments.mode == "image":
        raise WorldError("no image was built", where="--mode image", todo="See the log of the container 'layers'.")
    return image or Image(kind="process", digest=f"sha256:{source.tree}")


def _take(arguments: Arguments, contract: Contract, source: Source, mode: str) -> Image:
    """The image that the run was given, if it is the commit's."""
    if mode == "process":
        raise UsageError(
            "a run with an image of its own has no mode 'process'", where="--mode", todo="Leave --image or --mode out."
        )
    return take_prebuilt(
        parse_image(arguments.image, arguments.registry or None),
        arguments.source,
        contract.build,
        source=source,
        same_repository=_same_repository,
        cache_dir=arguments.cache,
        beside=beside_the_image(contract.weights),
        tls_verify=arguments.tls_verify,
        authfile=authfile(arguments.registry_credentials),
    )


def _hold_there(arguments: Arguments, image: Image) -> None:
    """Check that the registry still has the image of a release, before a pod waits for it.

    Raises:
        WorldError: it has not, or cannot be asked.
    """
    if image.kind != "image":
        return
    access = registry_access(arguments.tls_verify, authfile(arguments.registry_credentials))
    try:
        RegistryImage(f"docker://{image.url}@{image.digest}", access).verified_manifest()
    except NoSuchImageError:
        raise WorldError(
            "the registry has the image of the release no more",
            where=f"{image.url}@{image.digest}",
            todo="Push it again from where it is still kept; a release that is gone cannot be rolled back to either.",
        ) from None


def _same_repository(label: str, url: str) -> bool:
    """Whether an image's label names the repository that was cloned; of a path of this machine no label can tell."""
    ours = repository_identity(url)
    if ours.startswith("/"):
        return True
    try:
        return ":" in label and repository_identity(label) == ours
    except UsageError:
        return False


def _hold_given(given: str, image: Image) -> None:
    """Check that a run whose outputs are judged again was not given another image than the one that made them."""
    if given and (image.elsewhere is None or image.elsewhere.given != given):
        raise UsageError(
            "the outputs that are judged again were not made by this image",
            where=f"--image {given[:200]}",
            todo="Leave 'regate' out: the image is a new run.",
        )


def _look(arguments: Arguments, contract: Contract, image: Image, bundle: Bundle) -> None:
    """Write what the image was built with, what of it does not fit, and the bill of materials of image and weights.

    The gate decides what comes of what does not fit.
    """
    looked = look(
        arguments.source,
        contract,
        image,
        arguments.layers if arguments.fork else arguments.cache,
        tls_verify=arguments.tls_verify,
        authfile=authfile(arguments.registry_credentials),
    )
    write_environment_record(bundle, looked.record)
    write_sbom(bundle, bill_of_materials(bundle.run(), contract, looked.facts))
    for finding in looked.record.findings:
        log("environment", severity=finding.severity, what=finding.what, todo=finding.todo)


def _answer(contract: Contract, image: Image, built_from: Source | None = None) -> dict[str, str]:
    """The results. What this run has not made of its commit names no commit, so that no provenance says so."""
    mount = mount_of(contract, image.directory if image.key else None)
    return {
        "IMAGE_URL": image.url,
        "IMAGE_DIGEST": image.digest,
        "CHAINS-GIT_URL": built_from.url if built_from is not None else "",
        "CHAINS-GIT_COMMIT": built_from.commit if built_from is not None else "",
        "weights-mount": mount.path,
        "weights-folder": mount.folder,
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Console script ``penstock-build``."""
    return run_step("build", Arguments, RESULTS, step, argv)


if __name__ == "__main__":
    sys.exit(main())
