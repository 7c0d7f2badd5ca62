"""Inference and measuring that are not done again when nothing that they depend on has changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from penstock import __version__
from penstock.bundle.directory import Bundle
from penstock.bundle.models import Invocation, Measurement, SuiteRecord
from penstock.bundle.steps import Products
from penstock.contract.load import input_path
from penstock.contract.models import Contract, Suite
from penstock.errors import UsageError
from penstock.families.infer import infer
from penstock.families.measure import extractor_names, measure
from penstock.files import sha256_file, sha256_json, sha256_tree

Progress = Callable[[int, int, str], None]


def infer_once(
    contract: Contract,
    suite: Suite,
    source: Path,
    bundle: Bundle,
    *,
    cache: Path | None,
    url: str | None,
    on_progress: Progress,
) -> tuple[list[Invocation], bool]:
    """Infer, or take the outputs of an earlier run over the same code, weights, image, suite and machine.

    Returns:
        The calls in the order of the suite, and whether they are an earlier run's. Only runs without a failed case are
        kept: a failure may be the world's, and is worth another try.

    Raises:
        UsageError: a file of the suite is broken.
        WorldError: the model never got ready.
    """
    run = bundle.run()
    digest = suite_digest(source, contract, suite)
    run = run.model_copy(update={"suite": SuiteRecord(digest=digest, cases=len(suite.cases))})
    bundle.update_run(run)
    inputs = {
        "penstock": __version__,
        "tree": run.source.tree if run.source else "",
        "weights": [[weights.path, weights.sha256] for weights in run.weights],
        "image": run.image.digest if run.image else "",
        "suite": digest,
        "machine": [run.machine.processor, run.machine.gpu] if run.machine else [],
    }
    products = Products(cache, "infer", inputs) if cache else None
    if products and products.restore(bundle):
        return bundle.invocations(), True
    calls = infer(contract, suite, source, bundle, url=url, on_progress=on_progress)
    if products and all(call.status == "ok" for call in calls):
        products.keep(bundle, [Path(bundle.invocations_file.name), Path(bundle.outputs.name)])
    return calls, False


def measure_once(
    contract: Contract,
    suite: Suite,
    source: Path,
    bundle: Bundle,
    *,
    cache: Path | None,
    on_progress: Progress,
) -> tuple[list[Measurement], bool]:
    """Measure, or take the measurements of an earlier run over the same outputs, suite, extractors and versions.

    Raises:
        UsageError: an extractor cannot be loaded.
    """
    run = bundle.run()
    extractors = extractor_names(contract, source)
    run = run.model_copy(update={"extractors": extractors})
    bundle.update_run(run)
    inputs = {
        "penstock": __version__,
        "versions": run.machine.versions if run.machine else {},
        "outputs": sha256_tree(bundle.outputs),
        "invocations": sha256_file(bundle.invocations_file),
        "suite": suite_digest(source, contract, suite),
        "extractors": extractors,
    }
    products = Products(cache, "measure", inputs) if cache else None
    if products and products.restore(bundle):
        return bundle.measurements(), True
    measurements = measure(contract, suite, bundle, source, on_progress=on_progress)
    if products:
        # measuring also leaves each frame's numbers beside the outputs
        products.keep(bundle, [Path(bundle.measurements_file.name), Path(bundle.outputs.name)])
    return measurements, False


def suite_digest(source: Path, contract: Contract, suite: Suite) -> str:
    """SHA-256 over the cases and the content of every file that they name, the reference included.

    Raises:
        UsageError: a file is missing or leaves the repository.
    """
    files: dict[str, str] = {}
    for name in sorted({file for case in suite.cases for file in case.inputs.values()}):
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
