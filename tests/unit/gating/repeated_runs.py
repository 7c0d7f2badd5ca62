"""Runs of the same model, each with one metric."""

from __future__ import annotations

from typing import Any

from penstock.bundle.models import (
    Image,
    Machine,
    Measurement,
    Run,
    SuiteRecord,
    WeightsFile,
)
from penstock.bundle.models import Source as Code
from penstock.gating.calibration import Calibration
from penstock.gating.measurements import MeasurementSource
from penstock.gating.repeats import calibrate

MACHINE = Machine(system="Linux", processor="x", cores=2, memory_bytes=1, gpu="NVIDIA H200, 550.54", python="3.11")
SYNCNET = "syncnet@sha256:" + "a" * 64


def run_of(name: str, **changes: Any) -> Run:
    """What ran, the same for every name."""
    code = Code(url="u", revision="v1", commit="c" * 40, committer_date="", version="1", tree="t" * 64)
    run = Run(
        penstock="0.1.0",
        run_id=name,
        model="tiny",
        family="talking-head",
        source=code,
        image=Image(kind="process", digest="sha256:" + "d" * 64),
        weights=[WeightsFile(path="w.bin", sha256="e" * 64, bytes=1)],
        suite=SuiteRecord(digest="f" * 64, cases=2),
        extractors={"lipsync": SYNCNET},
        parameters={"steps": 25},
        machine=MACHINE,
    )
    return run.model_copy(update=changes)


def source(
    name: str, values: dict[str, float | None], *, metric: str = "lse_d", run: Run | None = None
) -> MeasurementSource:
    """One run with one metric; ``None`` is a value that could not be had."""
    lines = [
        Measurement(case=case, metric=metric, value=value, extractor=SYNCNET, error=None if value else "it crashed")
        for case, value in values.items()
    ]
    return MeasurementSource(name, lines, run=run or run_of(name))


def noise_of(*runs: MeasurementSource) -> Calibration:
    return calibrate(runs).calibration
