"""Comparing the answers of an exported model with those of its trained weights; over a limit it is not used."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.bundle.export_record import (
    Backend,
    ComparedCase,
    ExportRecord,
    TriedRecord,
    WorstValue,
    backend_bundle,
    export_record,
    share_of_limit,
    tried_record,
    write_export_record,
)
from penstock.bundle.models import Invocation
from penstock.contract.export_faults import agreement_of, compared_cases
from penstock.contract.models import Case, Contract, Suite
from penstock.contract.request import parameters
from penstock.evaluation.answers_apart import answers_apart, one_cut_line, over_limit
from penstock.evaluation.case_answers import answer_files
from penstock.evaluation.case_workers import each_case, worker_count
from penstock.foundation.errors import PenstockError, UsageError
from penstock.foundation.files import disk_errors
from penstock.foundation.handles import discard_tree

IN_WORDS: dict[Backend, str] = {"trained": "the trained weights", "exported": "the exported file"}


def compare_backends(contract: Contract, suite: Suite, bundle: Bundle, *, only: str = "") -> ExportRecord | None:
    """Compare what :func:`penstock.evaluation.backends.try_backends` has left, and decide whether the export is used.

    It is used if every case that the model answers at all has two answers within the limits, and there is at least one.
    Writes ``export/export.json`` and ``use_onnx`` of ``run.json``; of the answers those of one case stay, the one that
    is furthest off. An outcome that is there already stays.

    Returns:
        The outcome; ``None`` if ``only`` has no case that the model must answer: then nothing is known of the export.

    Args:
        contract: with an ``export``.
        suite: all cases.
        bundle: the run's.
        only: the slice that is compared, in place of the one that ``export`` names.

    Raises:
        UsageError: the family has no such comparison; nothing was run.
        WorldError: the disk is full.
    """
    if (before := export_record(bundle)) is not None:
        return before
    export, tried = contract.export, tried_record(bundle)
    chosen = compared_cases(export, suite, only=only).cases if export is not None else []
    if export is not None and not chosen:
        return None
    if export is None or tried is None:
        raise UsageError("nothing was exported", where=str(bundle.path), todo="Run the model's part of the step first.")
    agreement = agreement_of(contract)
    limits = {**agreement.limits, **export.limits}
    cases: list[ComparedCase] = []
    if tried.exporter.fault is None and tried.fault is None:
        compared = _Comparison(
            contract, agreement.compare, limits, _calls(bundle, "trained"), _calls(bundle, "exported")
        )
        cases = list(each_case(compared.case, chosen, workers=worker_count(len(chosen)), processes=True))
    worst = _worst(cases, limits)
    fault = _fault(tried, cases, worst, limits)
    shown = _furthest(cases, limits)
    record = ExportRecord(
        weights=export.weights,
        sha256=next((file.sha256 for file in bundle.run().weights if file.path == export.weights), ""),
        switch=export.switch,
        use_onnx=fault is None,
        fault=one_cut_line(fault) if fault is not None else None,
        exporter=tried.exporter,
        isolation=tried.isolation,
        seconds=tried.seconds,
        worst=worst,
        cases=cases,
        shown=shown,
    )
    write_export_record(bundle, record)
    _keep_only(bundle, shown)
    return record


@dataclass(frozen=True)
class _Answers:
    """The calls of one backend."""

    bundle: Bundle
    calls: Mapping[str, Invocation]

    def of(self, case: str) -> dict[str, Path]:
        """Name of each call → what came back; without arrays of preprocessing, which no weights have a part in."""
        return answer_files(self.bundle, self.calls[case])

    def failure(self, case: str) -> str | None:
        """Why there is no answer."""
        call = self.calls.get(case)
        if call is None:
            return "the case was not put to it"
        return None if call.status == "ok" and call.outputs else call.error or f"the call was {call.status}"


def _calls(bundle: Bundle, backend: Backend) -> _Answers:
    own = backend_bundle(bundle, backend)
    return _Answers(own, {call.case: call for call in own.invocations()})


@dataclass(frozen=True)
class _Comparison:
    contract: Contract
    compare: str
    limits: Mapping[str, float]
    trained: _Answers
    exported: _Answers

    def case(self, case: Case) -> ComparedCase:
        """Compare one case. The answers are hostile: what they do to a decoder is a fault of the case."""
        failures = {"trained": self.trained.failure(case.name), "exported": self.exported.failure(case.name)}
        if all(failures.values()):
            return ComparedCase(case=case.name, failed=True, fault=one_cut_line(f"with both: {failures['trained']}"))
        if (why := failures["trained"]) is not None:
            return ComparedCase(case=case.name, fault=one_cut_line(f"with {IN_WORDS['trained']}: {why}"))
        if (why := failures["exported"]) is not None:
            return ComparedCase(case=case.name, fault=one_cut_line(f"with {IN_WORDS['exported']}: {why}"))
        try:
            trained, exported = self.trained.of(case.name), self.exported.of(case.name)
        except PenstockError as error:
            return ComparedCase(case=case.name, fault=one_cut_line(error.what))
        apart = answers_apart(self.compare, self.limits, trained, exported, parameters(self.contract, case))
        return ComparedCase(case=case.name, values=apart.values, fault=apart.fault)


def _worst(cases: Iterable[ComparedCase], limits: Mapping[str, float]) -> dict[str, WorstValue]:
    found: dict[str, WorstValue] = {}
    for case in cases:
        for name, value in case.values.items():
            if name not in found or value > found[name].value:
                found[name] = WorstValue(value=value, limit=limits[name], case=case.case)
    return found


def _furthest(cases: Iterable[ComparedCase], limits: Mapping[str, float]) -> str | None:
    """The case whose answers are furthest apart for their limits; one that cannot be compared is further than any."""
    shares = {
        case.case: max((share_of_limit(value, limits[name]) for name, value in case.values.items()), default=math.inf)
        for case in cases
        if not case.failed
    }
    return max(shares, key=shares.__getitem__, default=None)


def _fault(
    tried: TriedRecord, cases: list[ComparedCase], worst: Mapping[str, WorstValue], limits: Mapping[str, float]
) -> str | None:
    """Why the export is not used, in one line; ``None``: it is."""
    if tried.exporter.fault is not None or tried.fault is not None:
        return tried.exporter.fault or tried.fault
    compared = [case for case in cases if not case.failed]
    if not compared:
        return f"the model answers no case; {cases[0].case}, {cases[0].fault}"
    faults = [case for case in compared if case.fault is not None]
    if not faults:
        return None
    told = next((f"{case.case}, {case.fault}" for case in faults if not case.values), None)
    if told is None:
        name = max(worst, key=lambda name: share_of_limit(worst[name].value, limits[name]))
        told = f"{over_limit(name, worst[name].value, limits[name])} (case {worst[name].case})"
    return f"{len(faults)} of {len(compared)} cases differ too much from the trained weights: {told}"


def _keep_only(bundle: Bundle, shown: str | None) -> None:
    """Remove the answers of all other cases: what they come to is on record, and they would triple the bundle."""
    for backend in IN_WORDS:
        outputs = backend_bundle(bundle, backend).outputs
        with disk_errors(outputs):
            for folder in outputs.iterdir() if outputs.is_dir() else ():
                if folder.name != shown:
                    discard_tree(folder)
