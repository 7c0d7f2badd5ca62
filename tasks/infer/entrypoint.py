"""Put the cases of one shard to the model and keep what came back.

On a cluster this runs in the model's own image, on the driver's runtime: it imports no more than that has.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.bundle.machine import this_machine
from penstock.bundle.models import Image, ShardRecord, Use
from penstock.bundle.shards import Shard, shard_record, write_shard_record
from penstock.bundle.steps import utc_now
from penstock.contract.load import load_contract, load_suite
from penstock.errors import UsageError
from penstock.families.infer import infer
from penstock.invocation.sandbox import ImageFiles
from penstock.tekton.step import launched, log, param, progress, run_step, workspace


@dataclass(frozen=True)
class Arguments:
    """Run the model over its cases."""

    slice: str = param("only the cases that carry this slice; empty: all", default="")
    shard: str = param("which part of them: 2/3 is the second of three", default="1/1")
    image: str = param("the image that this step runs in, as the step plan said")
    runtime_id: str = param("which driver calls the model, as the step plan said")
    source: Path = workspace("the model's repository")
    bundle: Path = workspace("the run's bundle")
    runtime: Path = workspace("the driver, which comes with this step into the model's image")
    model_dir: Path | None = launched("the image's working directory; left out where steps are not run in images")


RESULTS: tuple[str, ...] = ("calls", "failed")


def step(arguments: Arguments) -> dict[str, str]:
    """Start the model, wait for it, put the cases to it, one line a call; all of it below the shard's directory."""
    whole = Bundle(arguments.bundle)
    contract = load_contract(arguments.source)
    suite = load_suite(arguments.source, contract).only(arguments.slice)
    part = Shard.parse(arguments.shard)
    suite = suite.model_copy(update={"cases": part.of_all(suite.cases)})
    shard = part.bundle(whole)
    shard.sweep()
    image = _image_files(arguments, whole.run().image)
    before = shard_record(shard)
    record = ShardRecord(
        shard=str(part),
        cases=len(suite.cases),
        image=arguments.image,
        runtime=arguments.runtime_id,
        started=before.started if before else utc_now("milliseconds"),
        uses=before.uses if before else [],
        machine=this_machine(),
    )
    write_shard_record(shard, record)

    def used(use: Use) -> None:
        write_shard_record(shard, record.model_copy(update={"uses": [*record.uses, use]}))

    calls = infer(
        contract,
        suite,
        arguments.source,
        shard,
        image=image,
        # an image need not have a directory for temporary files, and its root is read-only: Tekton's own volume is not
        temporary=arguments.runtime.parent if image else None,
        on_progress=progress,
        on_use=used,
    )
    ended = shard_record(shard) or record
    write_shard_record(shard, ended.model_copy(update={"ended": utc_now("milliseconds")}))
    failed = [call for call in calls if call.status != "ok"]
    return {"calls": str(len(calls)), "failed": str(len(failed))}


def _image_files(arguments: Arguments, built: Image | None) -> ImageFiles | None:
    """What the container holds in which this step and the model run; ``None`` where steps are not run in containers.

    Raises:
        UsageError: it is another image than was built.
    """
    if arguments.model_dir is None:
        return None
    # no image was built: the clone is what runs, on the programs of the image that stands in for one
    directory = arguments.source
    if built is not None and built.kind == "image":
        directory = arguments.model_dir
        if arguments.image != f"{built.url}@{built.digest}":
            raise UsageError(
                f"the step runs in '{arguments.image}', but {built.url}@{built.digest} was built",
                where="--image",
                todo="Pass on the result 'image' of the step plan.",
            )
    log("image", image=arguments.image, directory=str(directory))
    return ImageFiles(directory.resolve(), volumes=(arguments.source, arguments.bundle, arguments.runtime))


def main(argv: Sequence[str] | None = None) -> int:
    """Console script ``penstock-infer``."""
    return run_step("infer", Arguments, RESULTS, step, argv)


if __name__ == "__main__":
    sys.exit(main())
