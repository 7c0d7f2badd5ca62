"""What ``penstock evaluate`` does: one or two models over folders of photos, without a repository and a release."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from penstock.bundle.checked_contract import keep_checked
from penstock.bundle.directory import Bundle
from penstock.bundle.models import EVALUATION, WHOLE_SUITE, Measurement
from penstock.bundle.steps import begin, recorded
from penstock.contract.load import SUITE_FILE
from penstock.contract.models import CONTRACT_FILE
from penstock.contract.placeholders import Scalar
from penstock.evaluation.case_workers import two_at_a_time
from penstock.evaluation.given_answers import take_answers
from penstock.evaluation.measure_cache import measure_once
from penstock.evaluation.photo_suite import (
    SUITE_FOLDER,
    PhotoFolders,
    PhotoSuite,
    family_of_folders,
    make_suite,
)
from penstock.families.engine_metrics import CALL_METRICS
from penstock.families.family import Family
from penstock.foundation.errors import UsageError
from penstock.foundation.files import disk_errors
from penstock.foundation.handles import discard_tree
from penstock.foundation.yaml_text import read_yaml
from penstock.gating.by_slice import SliceTable, by_slice, chosen_metrics
from penstock.gating.compare import Comparison, compare
from penstock.gating.measured import SideMeans, summarise
from penstock.gating.measurements import read_source
from penstock.local_run.evaluation_sides import (
    BASELINE,
    CANDIDATE,
    Answering,
    AskedModel,
    Calling,
    ask,
    asked,
    no_call,
    side_names,
)
from penstock.local_run.run_arguments import pairs
from penstock.report.page import write_page

LEVEL = 0.05
WORDS = {CANDIDATE: "answer", BASELINE: "answer to compare with"}
"""Side → what its folder holds, in words."""
Progress = Callable[[str, int, int], None]
"""What is done, cases done, cases in all."""


@dataclass(frozen=True)
class _Side:
    """One of the two, while it is worked on."""

    role: str
    """``candidate`` or ``baseline``."""
    name: str
    answers: Answering
    asked: AskedModel | None
    """``None``: its answers are there."""
    bundle: Bundle


@dataclass(frozen=True)
class EvaluationRequest:
    """What is to be evaluated."""

    photos: Path
    withheld: Mapping[str, list[Path]]
    """``truth``, ``trimap`` → folders; at least ``truth``, which is the first."""
    sides: Mapping[str, Answering]
    """``candidate``, and ``baseline`` if there is one to compare with."""
    slices: Path | None = None
    family: str = ""
    calling: Calling = field(default_factory=Calling)
    """Its parameters hold for answers that are there, too, such as the size of those to large photos."""
    out: Path | None = None
    """Where page and bundles go; ``None``: they are not kept."""


@dataclass(frozen=True)
class FailedCase:
    """A case of which nothing could be measured."""

    side: str
    """The side's name."""
    case: str
    """The photo's name, without its suffix."""
    reason: str
    program: bool
    """Whether the answer is that of a program or a service that was asked, not a file that was given."""


@dataclass(frozen=True)
class Evaluation:
    """What came out."""

    family: str
    cases: int
    about: Comparison | SideMeans
    failed: list[FailedCase]
    slices: SliceTable | None = None
    """The slices by the metrics that count most; ``None``: no photo is in one."""


def evaluate(request: EvaluationRequest, on_progress: Progress) -> Evaluation:
    """Match and validate the files, get the answers, measure them, compare, and write the page.

    Raises:
        UsageError: files are missing or not what they should be, ``out`` is there already, a model cannot be called
            like this.
        WorldError: the disk is full; a model could not be started, or nothing answers at a service's address.
    """
    _hold_free(request.out)
    kind = family_of_folders(request.family, list(request.withheld))
    folders = {WORDS[side]: of.folder for side, of in request.sides.items() if of.folder is not None}
    photos = PhotoFolders(request.photos, request.withheld, folders, request.slices)
    with tempfile.TemporaryDirectory(prefix="penstock-evaluate-") as scratch, _kept(request.out) as target:
        on_progress("files are validated", 0, 1)
        made = make_suite(photos, kind, no_call(request.calling), Path(scratch))
        names = side_names(request.sides)
        sides = [
            _Side(role, names[role], of, asked(made, kind, of, role, request.calling), Bundle(target / role))
            for role, of in request.sides.items()
        ]
        failed = [found for side in sides for found in _fill(side, made, kind, on_progress)]
        bundles = {side.role: side.bundle for side in sides}
        about = _about(bundles)
        write_page(bundles[CANDIDATE], bundles.get(BASELINE), about, target, source=made.source, each=two_at_a_time)
        slices = _slices(bundles, kind)
    return Evaluation(kind.name, len(made.suite.cases), about, failed, slices)


def _hold_free(out: Path | None) -> None:
    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError("there is something already", where=str(out), todo="Name another directory, or remove it.")


@contextlib.contextmanager
def _kept(out: Path | None) -> Iterator[Path]:
    """A new directory that gets its name once all of it is there; without a name it is removed."""
    with disk_errors(out or Path(tempfile.gettempdir())):
        if out is not None:
            out.parent.mkdir(parents=True, exist_ok=True)
        parent = out.parent if out is not None else None
        made = Path(tempfile.mkdtemp(prefix=".penstock-evaluation-", dir=parent))
        made.chmod(0o755)
    try:
        yield made
        if out is not None:
            with disk_errors(out):
                made.replace(out)
    finally:
        discard_tree(made)


def read_parameters(texts: Sequence[str]) -> dict[str, Scalar]:
    """``NAME=VALUE`` texts as parameters of a contract: numbers, ``true`` and ``false`` as such.

    Raises:
        UsageError: one is not such a pair, or a name is there twice.
    """
    found: dict[str, Scalar] = {}
    for name, text in pairs(texts, "--param").items():
        try:
            value = json.loads(text, parse_constant=str)
        except (ValueError, RecursionError):
            value = text
        found[name] = value if isinstance(value, str | int | float | bool) else text
    return found


def _fill(side: _Side, made: PhotoSuite, kind: Family, on_progress: Progress) -> list[FailedCase]:
    """Fill the bundle of one side with its answers and what is measured of them; returns what could not be measured."""
    bundle = side.bundle
    contract = side.asked.contract if side.asked is not None else made.contract
    run = begin(bundle, run_id=side.name, track=EVALUATION)
    known = {"family": kind.name, "suite": made.record, "parameters": dict(contract.call.parameters)}
    bundle.update_run(run.model_copy(update=known))
    plain = [read_yaml(made.source / file, name=file).value for file in (CONTRACT_FILE, f"{SUITE_FOLDER}/{SUITE_FILE}")]
    plain[0]["call"]["parameters"] = dict(contract.call.parameters)  # by which its answers are read, and drawn
    keep_checked(bundle, made.source, plain[0], plain[1])
    if side.asked is not None:
        ask(side.asked, made, bundle, lambda done, total: on_progress(f"{side.name}: answered", done, total))
    else:
        take_answers(made, WORDS[side.role], bundle)
    with recorded(bundle, "measure") as note:
        measurements, _ = measure_once(
            contract,
            made.suite,
            made.source,
            bundle,
            cache=None,
            on_progress=lambda done, total, _: on_progress(f"{side.name}: measured", done, total),
        )
        measurements = _without_unknown(measurements)
        bundle.write_measurements(measurements)
        note.note = f"{len(measurements)} values"
    return _failed(kind, side, made, measurements)


def _without_unknown(measurements: list[Measurement]) -> list[Measurement]:
    """The measurements but those of calls that nobody made: of answers that were there already, no time is known."""
    measured = {found.metric for found in measurements if found.value is not None}
    unknown = {metric.name for metric in CALL_METRICS} - measured
    return [found for found in measurements if found.metric not in unknown]


def _failed(kind: Family, side: _Side, made: PhotoSuite, measurements: list[Measurement]) -> list[FailedCase]:
    """The cases that have no value of any of the family's metrics, each with its reason."""
    own = {metric.name for metric in kind.metrics}
    by_case: dict[str, list[Measurement]] = defaultdict(list)
    for found in measurements:
        if found.metric in own and found.case != WHOLE_SUITE:
            by_case[found.case].append(found)
    return [
        FailedCase(
            side.name,
            made.matched[case].name,
            found[0].error or "there is no value",
            program=side.asked is not None,
        )
        for case, found in by_case.items()
        if all(one.value is None for one in found)
    ]


def _slices(bundles: Mapping[str, Bundle], kind: Family) -> SliceTable | None:
    baseline = read_source(bundles[BASELINE].path) if BASELINE in bundles else None
    metrics = chosen_metrics(kind.view.slice_metrics, (metric.name for metric in kind.metrics))
    return by_slice(read_source(bundles[CANDIDATE].path), baseline, metrics, level=LEVEL)


def _about(bundles: Mapping[str, Bundle]) -> Comparison | SideMeans:
    candidate = read_source(bundles[CANDIDATE].path)
    if BASELINE not in bundles:
        return summarise(candidate, level=LEVEL)
    return compare(read_source(bundles[BASELINE].path), candidate, level=LEVEL)
