"""Bring the model's weights, apart from its image, and prove their digests."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.bundle.steps import recorded
from penstock.contract.load import load_contract
from penstock.files import sha256_json
from penstock.sources.fetch import Fetcher
from penstock.sources.weights import provide
from penstock.tekton.step import run_step, workspace


@dataclass(frozen=True)
class Arguments:
    """Fetch and verify the weights that the contract names."""

    source: Path = workspace("the model's repository")
    bundle: Path = workspace("the run's bundle")
    cache: Path = workspace("what outlives a run")
    store_credentials: Path | None = workspace("for weights on S3", optional=True)


RESULTS: tuple[str, ...] = ("digest",)


def step(arguments: Arguments) -> dict[str, str]:
    """Fetch, verify, scan; write the digests to ``run.json``."""
    bundle = Bundle(arguments.bundle)
    contract = load_contract(arguments.source)
    judges = [judge for judge in (contract.extractors.lipsync, contract.extractors.frechet) if judge is not None]
    with recorded(bundle, "weights") as note:
        files = provide(
            [*contract.weights, *judges],
            arguments.source,
            arguments.cache,
            fetcher=Fetcher(credentials=arguments.store_credentials),
        )
        own = files[: len(contract.weights)]
        note.inputs = sha256_json([file.sha256 for file in files])
        bundle.update_run(
            bundle.run().model_copy(update={"weights": own, "model": contract.name, "family": contract.family})
        )
    return {"digest": sha256_json([[file.path, file.sha256] for file in own])}


def main(argv: Sequence[str] | None = None) -> int:
    """Console script ``penstock-weights``."""
    return run_step("weights", Arguments, RESULTS, step, argv)


if __name__ == "__main__":
    sys.exit(main())
