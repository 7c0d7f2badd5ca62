"""Before the model runs: validate its inputs, look for outputs that hold, split the suite, and lay the driver out."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.checked_contract import read_checked
from penstock.bundle.directory import Bundle
from penstock.bundle.models import Image
from penstock.bundle.rerun_bundle import is_rerun, released_errors
from penstock.bundle.shards import Shard
from penstock.bundle.steps import recorded
from penstock.contract.load import load_contract, load_policy
from penstock.contract.models import Contract
from penstock.contract.mounted_weights import Mount, mount_of
from penstock.evaluation.local_python import Named, local_environment
from penstock.evaluation.plan import plan, plan_released
from penstock.evaluation.rerun_plan import called_alike, halves, how, parts_for
from penstock.foundation.errors import UsageError
from penstock.foundation.files import inside
from penstock.invocation.runtime import provide_runtime
from penstock.steps.entrypoint import log, param, run_step, workspace


@dataclass(frozen=True)
class Arguments:
    """Say what the step infer is to do, and in which image."""

    slice: str = param("only the cases that carry this slice; empty: all", default="")
    shards: int = param("how many parts the suite is split into, each put to a model of its own", default=1)
    reuse: bool = param("take the outputs of an earlier run if nothing that they depend on has changed", default=True)
    policy: str = param("a policy file below the repository; empty: the contract's", default="")
    python: str = param(
        "the Python environment of a model that runs on one machine without an image; empty: the contract's", default=""
    )
    python_found: str = param(
        "the Python environment that is taken there where the contract names none; empty: Penstock's own", default=""
    )
    process_image: str = param(
        "the image in which the model runs as a process, where none was built", default="penstock.local/infer:0.1.0"
    )
    source: Path = workspace("the model's repository")
    bundle: Path = workspace("the run's bundle")
    cache: Path = workspace("what outlives a run")
    released: Path | None = workspace(
        "the released model's repository, if it is run beside the candidate", optional=True
    )
    baseline: Path | None = workspace("the released model's bundle, if it is run beside the candidate", optional=True)


RESULTS: tuple[str, ...] = (
    *("unchanged", "shards", "runtime", "image", "beside", "second"),
    *("released-image", "released-weights-mount", "released-weights-folder", "export", "page"),
    *("load", "interface"),
)


def step(arguments: Arguments) -> dict[str, str]:
    """Check the suite's files, restore or split, and name the image that was built."""
    bundle = Bundle(arguments.bundle)
    checked = read_checked(bundle, arguments.source)
    contract, suite = checked.contract, checked.suite().only(arguments.slice)
    released = _released(arguments, contract)
    with recorded(bundle, "plan") as note:
        image = bundle.run().image
        if image is None:
            raise UsageError(
                "the bundle does not say what was built", where=str(bundle.run_file), todo="Run the step build first."
            )
        beside = how(image, released.bundle.run().image, len(suite.cases)) if released else ""
        # pairs are to be fresh on both sides
        cache = arguments.cache if arguments.reuse and not released else None
        shards = parts_for(beside, arguments.shards)
        policy = contract.policy
        if arguments.policy:
            policy = load_policy(inside(arguments.source, arguments.policy, where="policy"))
        python = None
        if image.kind == "process":
            named = Named(arguments.python, arguments.python_found)
            python = local_environment(contract, bundle.run(), arguments.source, named)
        planned = plan(
            contract,
            suite,
            arguments.source,
            bundle,
            cache=cache,
            shards=shards,
            demanded=policy.isolation,
            python=python.digest() if python is not None else "",
            whole=checked.suite() if arguments.slice else None,
        )
        if released:
            as_process = beside == "turns"
            plan_released(released.contract, suite, arguments.source, released.bundle, planned, as_process=as_process)
        runtime = provide_runtime(arguments.cache)
        cases = f"{len(suite.cases)} cases"
        note.inputs = planned.suite_digest
        note.note = f"{cases}, outputs of an earlier run hold" if planned.unchanged else cases
        if len(planned.shards) > 1 and not planned.unchanged:
            note.note = f"{cases} in {len(planned.shards)} shards"
        if released:
            note.note += f", beside the released model in {beside}"
    if planned.unchanged:
        log("unchanged", what="nothing that the outputs depend on has changed: the model is not run again")
    blocks = halves(beside, planned.shards)
    mount = released.mount() if released else mount_of(contract, None)
    return {
        "unchanged": str(planned.unchanged).lower(),
        "shards": _array(blocks.first),
        "runtime": runtime,
        "image": _reference(image, arguments),
        "beside": beside,
        # never empty: Tekton skips a task over an empty array, and all that comes after it
        "second": _array(blocks.second or blocks.first[:1]),
        "released-image": _reference(released.bundle.run().image, arguments) if released else "",
        "released-weights-mount": mount.path,
        "released-weights-folder": mount.folder,
        "export": str(contract.export is not None and not planned.unchanged).lower(),
        "page": "" if contract.page is None else "card" if contract.page.card else "plain",
        "interface": str(contract.interface is not None).lower(),
        "load": "" if contract.load is None else "1/2" if released else "1/1",
    }


@dataclass(frozen=True)
class _Released:
    bundle: Bundle
    contract: Contract
    """Called as the candidate is."""
    own: Contract

    def mount(self) -> Mount:
        """Where its weights are mounted: a release of an older version has them in its image."""
        image = self.bundle.run().image
        return mount_of(self.own, image.directory if image is not None and image.key else None)


def _released(arguments: Arguments, contract: Contract) -> _Released | None:
    """The released model, if the step *weights* has said that it is to be run again."""
    if arguments.released is None or arguments.baseline is None or not is_rerun(Bundle(arguments.baseline)):
        return None
    with released_errors():
        own = load_contract(arguments.released)
        return _Released(Bundle(arguments.baseline), called_alike(contract, own), own)


def _array(shards: Sequence[Shard]) -> str:
    return json.dumps([str(shard) for shard in shards], separators=(",", ":"))


def _reference(image: Image | None, arguments: Arguments) -> str:
    if image is not None and image.kind == "image":
        return f"{image.url}@{image.digest}"
    return arguments.process_image


def main(argv: Sequence[str] | None = None) -> int:
    """Console script ``penstock-plan``."""
    return run_step("plan", Arguments, RESULTS, step, argv)


if __name__ == "__main__":
    sys.exit(main())
