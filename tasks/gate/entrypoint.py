"""Hold the measurements against the policy and against the model that is released today."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.bundle.steps import recorded
from penstock.contract.load import load_contract, load_policy
from penstock.files import inside
from penstock.gating.gate import gate, headline
from penstock.store.archive import fetch
from penstock.store.release import baseline
from penstock.store.store import open_store
from penstock.tekton.step import param, run_step, shorten, workspace


@dataclass(frozen=True)
class Arguments:
    """Answer pass, fail or inconclusive."""

    store: str = param("where releases are kept: a directory or s3://bucket/prefix")
    policy: str = param("a policy file below the repository; empty: the contract's", default="")
    source: Path = workspace("the model's repository")
    bundle: Path = workspace("the run's bundle")
    baseline: Path = workspace("where the baseline's bundle goes")
    store_credentials: Path | None = workspace("for S3", optional=True)


RESULTS: tuple[str, ...] = ("verdict", "baseline", "reason")


def step(arguments: Arguments) -> dict[str, str]:
    """Fetch the baseline, decide, write ``verdict.json``. It is a result: evidence is stored before it counts."""
    bundle = Bundle(arguments.bundle)
    contract = load_contract(arguments.source)
    policy = (
        load_policy(inside(arguments.source, arguments.policy, where="policy")) if arguments.policy else contract.policy
    )
    with recorded(bundle, "gate") as note:
        store = open_store(arguments.store, arguments.store_credentials)
        pointer = baseline(store, contract.name)
        released = (
            fetch(store, contract.name, pointer.run_id, arguments.baseline, manifest_sha256=pointer.manifest_sha256)
            if pointer
            else None
        )
        verdict = gate(
            bundle.measurements(),
            released.measurements() if released else None,
            policy,
            candidate_name=bundle.run().run_id,
            baseline_name=pointer.run_id if pointer else None,
            cases=[call.case for call in bundle.invocations()],
        )
        bundle.write_verdict(verdict)
        note.note = verdict.verdict
    reason = headline(verdict)
    return {"verdict": verdict.verdict, "baseline": pointer.run_id if pointer else "", "reason": shorten(reason, 500)}


def main(argv: Sequence[str] | None = None) -> int:
    """Console script ``penstock-gate``."""
    return run_step("gate", Arguments, RESULTS, step, argv)


if __name__ == "__main__":
    sys.exit(main())
