"""Bring the model's weights, apart from its image, and prove their digests."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.bundle.rerun import released_errors
from penstock.bundle.steps import recorded
from penstock.contract.load import load_contract, read_policy
from penstock.contract.models import Contract
from penstock.files import inside, sha256_json
from penstock.metrics.registry import METRICS
from penstock.sources.fetch import Fetcher
from penstock.sources.weights import provide
from penstock.store.rerun import plan_rerun
from penstock.store.store import open_store
from penstock.tekton.step import log, param, run_step, workspace


@dataclass(frozen=True)
class Arguments:
    """Fetch and verify the weights that the contract names; with 'baseline: rerun', look up the released model too."""

    store: str = param("where releases are kept; empty: no released model is looked for", default="")
    policy: str = param("a policy file below the repository; empty: the contract's", default="")
    released: bool = param("these are the released model's, to be run again beside the candidate", default=False)
    source: Path = workspace("the model's repository")
    bundle: Path = workspace("the run's bundle")
    cache: Path = workspace("what outlives a run")
    baseline: Path = workspace("where the released model's bundle goes, if it is to be run again")
    store_credentials: Path | None = workspace("for weights on S3, and the store", optional=True)


RESULTS: tuple[str, ...] = ("digest", "released-run", "released-commit")


def step(arguments: Arguments) -> dict[str, str]:
    """Fetch, verify, scan; write the digests to ``run.json``. Say which model is to be run again, if any."""
    bundle = Bundle(arguments.bundle)
    with recorded(bundle, "weights") as note, released_errors(arguments.released):
        contract = load_contract(arguments.source)
        # both sides are measured through the candidate's extractors
        judges = [] if arguments.released else list(contract.extractors.files.values())
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
        released = _released(arguments, contract)
    return {
        "digest": sha256_json([[file.path, file.sha256] for file in own]),
        "released-run": released[0],
        "released-commit": released[1],
    }


def _released(arguments: Arguments, contract: Contract) -> tuple[str, str]:
    """Run id and commit of the model that is to be run again; empty if there is none, or the policy wants none."""
    policy = contract.policy
    if arguments.policy:
        # here, before the model runs: a mistake in it would only be found when all is measured
        known = {metric.name: metric.direction for metric in METRICS.values()}
        policy, _ = read_policy(inside(arguments.source, arguments.policy, where="policy"), known)
    if policy.baseline != "rerun" or not arguments.store:
        return "", ""
    store = open_store(arguments.store, arguments.store_credentials)
    released = plan_rerun(store, contract.name, arguments.baseline)
    if released is None:
        log("first release", what="there is no released model that could be run beside the candidate")
        return "", ""
    log("released model", version=released.source.version, commit=released.source.commit, run=released.run_id)
    return released.run_id, released.source.commit


def main(argv: Sequence[str] | None = None) -> int:
    """Console script ``penstock-weights``."""
    return run_step("weights", Arguments, RESULTS, step, argv)


if __name__ == "__main__":
    sys.exit(main())
