"""Build the model's image with buildah and push it by digest; without buildah, say so and use the process."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.checked_contract import read_checked
from penstock.bundle.directory import Bundle
from penstock.bundle.steps import recorded
from penstock.foundation.errors import UsageError
from penstock.sources.image import MODES, build, steps_from_cache
from penstock.sources.image_registry import authfile
from penstock.steps.entrypoint import param, run_step, workspace


@dataclass(frozen=True)
class Arguments:
    """Build the model's image."""

    registry: str = param(
        "registry, host[:port][/path], that the image is pushed to; empty: no image is built", default=""
    )
    mode: str = param("auto (an image where buildah works and a registry is named), image or process", default="auto")
    tls_verify: bool = param("the registry has a certificate", default=True)
    source: Path = workspace("the model's repository")
    bundle: Path = workspace("the run's bundle")
    cache: Path = workspace("what outlives a run")
    registry_credentials: Path | None = workspace("config.json of the registry", optional=True)


RESULTS: tuple[str, ...] = ("IMAGE_URL", "IMAGE_DIGEST")


def step(arguments: Arguments) -> dict[str, str]:
    """Build, push, write the digest to ``run.json``."""
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
            note.inputs, note.note = run.image.digest, f"{run.image.kind} of the run '{run.regated_from}'"
            return {"IMAGE_URL": run.image.url, "IMAGE_DIGEST": run.image.digest}
        log_file = bundle.path / "logs" / "build.log"
        before = log_file.stat().st_size if log_file.exists() else 0
        image = build(
            arguments.source,
            contract.build,
            image_name=contract.name,
            tree=run.source.tree,
            registry=arguments.registry or None,
            mode=mode,
            cache_dir=arguments.cache,
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
        if image.kind == "image":
            note.note = f"image, {cached} of {steps} steps from the cache"
        bundle.update_run(run.model_copy(update={"image": image}))
    return {"IMAGE_URL": image.url, "IMAGE_DIGEST": image.digest}


def main(argv: Sequence[str] | None = None) -> int:
    """Console script ``penstock-build``."""
    return run_step("build", Arguments, RESULTS, step, argv)


if __name__ == "__main__":
    sys.exit(main())
