"""Measuring that is not done again when nothing that it depends on has changed; *plan* decides so on inference."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from penstock import __version__
from penstock.bundle.directory import Bundle
from penstock.bundle.figures_record import FIGURES_FILE
from penstock.bundle.machine import this_machine
from penstock.bundle.models import Measurement
from penstock.bundle.steps import Products
from penstock.contract.arithmetic import DEFAULT, Arithmetic
from penstock.contract.load import input_path
from penstock.contract.models import Contract, Suite
from penstock.evaluation.case_workers import worker_count
from penstock.evaluation.measure import measure, threads_each
from penstock.evaluation.networks import network_labels, open_networks
from penstock.families.registry import family
from penstock.foundation.errors import UsageError
from penstock.foundation.files import sha256_file, sha256_json, sha256_tree

Progress = Callable[[int, int, str], None]


def measure_once(
    contract: Contract,
    suite: Suite,
    source: Path,
    bundle: Bundle,
    *,
    cache: Path | None,
    keep: bool = True,
    arithmetic: Arithmetic = DEFAULT,
    released: Bundle | None = None,
    on_progress: Progress,
) -> tuple[list[Measurement], bool]:
    """Measure, or take the measurements of an earlier run over the same outputs, suite, extractors and versions.

    Args:
        contract: names the family and the extractors.
        suite: the cases.
        source: the model's repository.
        bundle: the run's.
        cache: where measurements are kept; ``None``: nowhere.
        keep: ``False``: those of earlier runs are taken from there, and these are not put there.
        arithmetic: how the networks are computed.
        released: the released model's bundle, in case that its answers or arrays are compared with; ``None``: there is
            none.
        on_progress: told after each case.

    Raises:
        UsageError: an extractor cannot be loaded.
    """
    if released is not None and not (family(contract.family).compares_released or contract.shows_arrays):
        released = None
    kept = [Path(bundle.measurements_file.name), Path(bundle.series_file.name)]
    kept += [Path(FIGURES_FILE)] if family(contract.family).figures is not None else []
    run = bundle.run()
    workers = worker_count(len(suite.cases))
    networks = open_networks(contract, source, threads=threads_each(workers), arithmetic=arithmetic)
    extractors = network_labels(networks)
    # the versions that move these numbers are this step's, which may be another container than the first
    versions = this_machine().versions
    machine = run.machine.model_copy(update={"versions": versions}) if run.machine else None
    compared_with = released.run().run_id if released is not None else None
    known = {"extractors": extractors, "machine": machine, "compared_with": compared_with}
    bundle.update_run(run.model_copy(update=known))
    inputs: dict[str, object] = {
        "penstock": __version__,
        "versions": versions,
        "outputs": sha256_tree(bundle.outputs),
        "invocations": sha256_file(bundle.invocations_file),
        "suite": suite_digest(source, contract, suite),
        "extractors": extractors,
        "kept": [path.as_posix() for path in kept],
    }
    if released is not None:
        inputs["released"] = [sha256_tree(released.outputs), sha256_file(released.invocations_file)]
    products = Products(cache, "measure", sha256_json(inputs)) if cache else None
    if products and products.restore(bundle):
        return bundle.measurements(), True
    measurements = measure(
        contract,
        suite,
        bundle,
        source,
        networks=networks,
        workers=workers,
        on_progress=on_progress,
        released=released,
    )
    if products and keep:
        products.keep(bundle, kept)
    return measurements, False


def suite_digest(source: Path, contract: Contract, suite: Suite) -> str:
    """SHA-256 over the cases and the content of every file that they name, the reference included.

    Raises:
        UsageError: a file is missing or leaves the repository.
    """
    files: dict[str, str] = {}
    for name in sorted({file for case in suite.cases for file in case.files}):
        path = input_path(source, contract, name)
        if not path.is_file():
            raise UsageError(
                "the file is missing",
                where=f"{contract.suite}/{name}",
                todo="Add it, or take its case out of suite.yaml.",
            )
        files[name] = sha256_file(path)
    if suite.reference is not None:
        reference = input_path(source, contract, suite.reference)
        if not reference.is_dir():
            raise UsageError(
                "the directory is missing",
                where=f"{contract.suite}/{suite.reference}",
                todo="Add it, or take 'reference' out.",
            )
        files[f"{suite.reference}/"] = sha256_tree(reference)
    return sha256_json({"suite": suite.model_dump(mode="json"), "files": files})
