"""Before the model runs: whether it has to, what it is given, and into how many parts that is split."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass
from pathlib import Path

from penstock import __version__
from penstock.bundle.directory import Bundle
from penstock.bundle.export_record import EXPORT_FOLDER, RECORD, export_record
from penstock.bundle.models import Image, Inference, Run, SuiteRecord
from penstock.bundle.rerun_bundle import released_errors
from penstock.bundle.shards import Shard, shards_folder, split
from penstock.bundle.steps import Products
from penstock.contract.models import Case, Contract, Suite
from penstock.contract.policy import Level
from penstock.evaluation.case_workers import each_case, worker_count
from penstock.evaluation.filled_parameters import Values, filled_parameters, with_parameters
from penstock.evaluation.inputs import check_case, input_paths, reference_frames
from penstock.evaluation.measure_cache import suite_digest
from penstock.foundation.errors import UsageError
from penstock.foundation.files import disk_errors, sha256_json
from penstock.foundation.handles import discard_tree
from penstock.invocation.isolation import best_level, is_below

log = logging.getLogger(__name__)

INFER = "infer"
"""The step whose products are kept."""


@dataclass(frozen=True)
class Plan:
    """What is to be done."""

    suite_digest: str
    unchanged: bool
    """The outputs of an earlier run hold, and are in the bundle now."""
    shards: tuple[Shard, ...]


def plan(
    contract: Contract,
    suite: Suite,
    source_dir: Path,
    bundle: Bundle,
    *,
    cache: Path | None,
    shards: int = 1,
    demanded: Level = "none",
    python: str = "",
    whole: Suite | None = None,
) -> Plan:
    """Take the outputs of an earlier run where they hold, or validate every input of the suite and split it.

    Outputs hold if code, weights, image, suite, machine, Penstock, the Python that a local model runs on and how far it
    is confined are the same; then the inputs were validated before.
    Only outputs of runs without a failed case are kept: a failure may be the world's, and is worth another try. What a
    killed attempt over the same plan has left in the bundle stays, anything else that an earlier plan has left goes.
    Outputs of a run that is judged again are in the bundle already.

    Args:
        contract: how the model is called.
        suite: the cases.
        source_dir: the model's repository.
        bundle: the run's.
        cache: where outputs of earlier runs are; ``None``: they are not looked for, and none are kept.
        shards: parts that are put to models of their own; not more than there are cases.
        demanded: how far the policy demands that the model is confined.
        python: digest of the environment that a local model runs on.
        whole: the suite that these cases are a part of; ``None``: they are all.

    Raises:
        UsageError: a file of the suite or of its reference is missing, empty, or not what it should be; a case lacks an
            input or parameter; so many shards cannot be; the model would be confined less far than is demanded.
    """
    level = best_level()
    if is_below(level, demanded):
        raise UsageError(
            f"the policy demands that the model is confined by '{demanded}', and here it would be by '{level}'",
            where="policy.isolation",
            todo="Install bubblewrap (bwrap), or run on a cluster: docs/security.md says what each level needs.",
        )
    parts = split(shards, len(suite.cases))
    run = bundle.run()
    try:
        digest = suite_digest(source_dir, contract, suite)
    except UsageError:
        _validate(contract, suite, source_dir)  # says more exactly which case it is
        raise
    if run.regated_from is not None:
        return _taken_over(run, digest, demanded)
    products = sha256_json(_depends_on(run, digest, level, python))
    earlier = Products(cache, INFER, products) if cache is not None else None
    unchanged = earlier is not None and _holds(earlier, contract) and earlier.restore(bundle)
    filled = {} if unchanged else _validate(contract, suite, source_dir)
    inference = Inference(
        unchanged=unchanged,
        products=products if cache is not None else "",
        parts=[str(part) for part in parts],
        filled=filled,
        machine=earlier.made_on() if earlier is not None and unchanged else None,
        isolation=level,
        demanded=demanded,
    )
    record = SuiteRecord(digest=digest, cases=len(suite.cases), whole=_whole(contract, whole, source_dir))
    if not unchanged and not _goes_on(run, inference, record):
        _forget(bundle)
    exported = export_record(bundle)
    known = {
        "suite": record,
        "inference": inference,
        "parameters": dict(contract.call.parameters),
        "use_onnx": exported.use_onnx if exported is not None else None,
    }
    bundle.update_run(run.model_copy(update=known))
    return Plan(digest, unchanged, tuple(parts))


def _whole(contract: Contract, suite: Suite | None, source_dir: Path) -> str:
    """Digest of the suite that the cases are a part of, which a release was measured over; empty: it is not known.

    What is wrong with cases that are not run stops nothing here.
    """
    if suite is None:
        return ""
    try:
        return suite_digest(source_dir, contract, suite)
    except UsageError as error:
        log.warning("the whole suite cannot be compared with that of a release: %s", error)
        return ""


def _taken_over(run: Run, digest: str, demanded: Level) -> Plan:
    """The outputs are those of an archived run, and in the bundle: the step *weights* has brought them."""
    inference = run.inference
    if inference is None or run.suite is None or run.suite.digest != digest:
        raise UsageError(
            "its suite was another", where=f"run '{run.regated_from}'", todo="Start a new run without --regate."
        )
    level = inference.isolation or "none"
    if is_below(level, demanded):
        raise UsageError(
            f"the policy demands that the model is confined by '{demanded}', and its outputs were made at '{level}'",
            where=f"run '{run.regated_from}'",
            todo="Start a new run without --regate.",
        )
    return Plan(digest, True, tuple(map(Shard.parse, inference.parts)))


def plan_released(
    contract: Contract, suite: Suite, source_dir: Path, bundle: Bundle, planned: Plan, *, as_process: bool
) -> None:
    """Plan the same suite in the same parts for the released model, which is run again beside the candidate.

    Args:
        contract: how the released model is called, see :func:`penstock.evaluation.rerun_plan.called_alike`.
        suite: the candidate's.
        source_dir: the candidate's repository, which holds the suite.
        bundle: the released model's.
        planned: what was planned for the candidate, which validated the files.
        as_process: it is not run in its image.

    Raises:
        WorldError: the released model cannot be called with a case: it wants an input or parameter that there is not.
    """
    with released_errors():
        filled = filled_parameters(contract, suite, source_dir)
        for case in with_parameters(suite, filled).cases:
            check_case(contract, source_dir, case, set(input_paths(contract, source_dir, case).values()))
    run = bundle.run()
    if as_process and run.source is not None:
        # it may have been released as an image, but its code is what runs now
        run = run.model_copy(update={"image": Image(kind="process", digest=f"sha256:{run.source.tree}")})
    inference = Inference(unchanged=False, parts=[str(part) for part in planned.shards], filled=filled)
    record = SuiteRecord(digest=planned.suite_digest, cases=len(suite.cases))
    if not _goes_on(run, inference, record):
        _forget(bundle)
    known = {"suite": record, "inference": inference, "parameters": dict(contract.call.parameters)}
    bundle.update_run(run.model_copy(update=known))


def _validate(contract: Contract, suite: Suite, source_dir: Path) -> dict[str, Values]:
    """Validate every case; returns the parameters that the cases' inputs say."""
    seen: set[Path] = set()
    told: set[Path] = set()
    filled = filled_parameters(contract, suite, source_dir)
    cases = with_parameters(suite, filled).cases

    def checked(case: Case) -> dict[Path, list[str]]:
        return check_case(contract, source_dir, case, seen)

    with contextlib.closing(each_case(checked, cases, workers=worker_count(len(cases)), processes=True)) as found:
        for remarks in found:
            for path in [path for path in remarks if path not in told]:  # each process sees a file for the first time
                told.add(path)
                for remark in remarks[path]:
                    log.warning("%s", remark)
    if suite.reference is not None and contract.extractors:
        for _ in reference_frames(contract, source_dir, suite.reference):
            pass
    return filled


def _holds(earlier: Products, contract: Contract) -> bool:
    """Whether what was kept says what the model was told when it made the outputs, if it has to be told anything."""
    return contract.export is None or (earlier.folder / RECORD).is_file()


def _depends_on(run: Run, suite: str, level: Level, python: str) -> dict[str, object]:
    """Everything that decides what the model returns, and how fast."""
    return {
        "penstock": __version__,
        "tree": run.source.tree if run.source else "",
        "weights": [[weights.path, weights.sha256] for weights in run.weights],
        "image": run.image.digest if run.image else "",
        "suite": suite,
        "isolation": level,
        "python": python,
        "machine": [run.machine.processor, run.machine.gpu] if run.machine else [],
    }


def _goes_on(run: Run, inference: Inference, suite: SuiteRecord) -> bool:
    """Whether this is a second attempt at the same plan."""
    before = run.inference
    return before is not None and run.suite == suite and before == inference and not before.shards


def _forget(bundle: Bundle) -> None:
    """Remove outputs and calls that are not of this plan."""
    with disk_errors(bundle.path):
        for folder in (shards_folder(bundle), bundle.outputs):
            discard_tree(folder)
            folder.mkdir(exist_ok=True)
        discard_tree(bundle.path / EXPORT_FOLDER)
        bundle.invocations_file.unlink(missing_ok=True)
