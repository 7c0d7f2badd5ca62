"""Measure what the model returned with the field's metrics."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from penstock.bundle.checked_contract import read_checked
from penstock.bundle.directory import Bundle
from penstock.bundle.export_record import add_export_value
from penstock.bundle.steps import recorded
from penstock.contract.arithmetic import Device, PrecisionChoice, computed_otherwise
from penstock.environment.outcome import add_environment_value
from penstock.evaluation.measure_cache import measure_once
from penstock.evaluation.model_log import judge_log
from penstock.evaluation.transcripts import transcribe
from penstock.extractors.precision import cannot_follow, choose_arithmetic, one_of
from penstock.speech.transcription import Transcriber, key_in, open_transcriber
from penstock.steps.entrypoint import param, progress, run_step, workspace


@dataclass(frozen=True)
class Arguments:
    """Measure every case."""

    reuse: bool = param(
        "take the measurements of an earlier run if nothing that they depend on has changed", default=True
    )
    precision: str = param(
        "what networks compute in: f32, bf16 (a CPU with AMX), or auto, as what the values are compared with",
        default="auto",
    )
    device: str = param("what networks compute on: cpu, or cuda (the image measure-cuda)", default="cpu")
    like: str = param("what 'auto' follows: the arithmetic of the policy or of the current release", default="")
    stored: str = param("what the values that are compared with were computed in, if they are stored", default="")
    transcriber: str = param(
        "who says what is heard in the videos: pocketsphinx, or a server's address up to /v1; empty: nobody", default=""
    )
    transcriber_model: str = param("the model of that server, as it names it", default="whisper-1")
    slice: str = param("only the cases that carry this slice; empty: all", default="")
    fork: bool = param("the code is a fork's: caches are read and not written", default=False)
    source: Path = workspace("the model's repository")
    bundle: Path = workspace("the run's bundle")
    cache: Path = workspace("what outlives a run")
    baseline: Path | None = workspace("the released model's bundle, whose answers are compared with", optional=True)
    transcriber_key: Path | None = workspace("the transcriber's key, in the file 'key'", optional=True)


RESULTS: tuple[str, ...] = ("measurements", "missing", "arithmetic", "again")
PRECISIONS: tuple[PrecisionChoice, ...] = get_args(PrecisionChoice)
DEVICES: tuple[Device, ...] = get_args(Device)


def step(arguments: Arguments) -> dict[str, str]:
    """One line a case and metric; a value that could not be had says why."""
    bundle = Bundle(arguments.bundle)
    checked = read_checked(bundle, arguments.source)
    contract, suite = checked.contract, checked.suite().only(arguments.slice)
    with recorded(bundle, "measure") as note:
        transcriber = _transcriber(arguments)
        arithmetic = choose_arithmetic(
            one_of(PRECISIONS, arguments.precision, where="precision"),
            device=one_of(DEVICES, arguments.device, where="device"),
            like=arguments.like,
        )
        measurements, note.unchanged = measure_once(
            contract,
            suite,
            arguments.source,
            bundle,
            cache=arguments.cache if arguments.reuse else None,
            keep=not arguments.fork,
            arithmetic=arithmetic,
            released=_released(arguments.baseline),
            on_progress=progress,
        )
        if transcriber is not None:
            transcribe(bundle, suite.cases, transcriber)
        add_export_value(bundle)
        if contract.log is not None:
            judge_log(contract.log, bundle)
        add_environment_value(bundle)
        missing = [measurement for measurement in measurements if measurement.value is None]
        note.note = "unchanged: measurements of an earlier run" if note.unchanged else f"{len(measurements)} values"
        otherwise = computed_otherwise(arguments.stored, bundle.run().extractors)
        if otherwise:
            note.note += f", in {arithmetic}; what they are compared with is stored in {arguments.stored}"
            followed = arguments.precision == "auto" and arguments.device == "cpu"
            note.note += f": {why}" if followed and (why := cannot_follow(arguments.like)) else ""
    return {
        "measurements": str(len(measurements)),
        "missing": str(len(missing)),
        "arithmetic": arithmetic,
        "again": str(bool(otherwise)).lower(),
    }


def _transcriber(arguments: Arguments) -> Transcriber | None:
    if not arguments.transcriber:
        return None
    # what a fork's model has made is sent to nobody with the platform's key
    key = key_in(arguments.transcriber_key) if not arguments.fork else None
    return open_transcriber(arguments.transcriber, key, model=arguments.transcriber_model)


def _released(folder: Path | None) -> Bundle | None:
    """The released model's bundle, if there is one: the step weights brought it, or it ran beside the candidate."""
    if folder is None or not Bundle(folder).run_file.is_file():
        return None
    return Bundle(folder)


def main(argv: Sequence[str] | None = None) -> int:
    """Console script ``penstock-measure``."""
    return run_step("measure", Arguments, RESULTS, step, argv)


if __name__ == "__main__":
    sys.exit(main())
