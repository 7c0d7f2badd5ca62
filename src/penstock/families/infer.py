"""Putting cases to a model: every one is called once, and what came of it is kept as it comes.

This runs in the model's own image, on the driver's runtime: nothing here may import more than that has (no numpy, no
decoders); the step *plan* has looked into the files before.
"""

from __future__ import annotations

import mimetypes
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Invocation, Use
from penstock.bundle.steps import utc_now
from penstock.contract.load import suite_directory
from penstock.contract.models import Case, Contract, Suite
from penstock.families.inputs import input_paths
from penstock.files import disk_errors
from penstock.invocation.driver import Model, start
from penstock.invocation.sandbox import ImageFiles

OUTPUT_NAME = "output"
LOG_FILE = Path("logs") / "model.log"
SUFFIXES = {"video/mp4": ".mp4", "video/webm": ".webm", "video/quicktime": ".mov", "video/x-matroska": ".mkv"}
Progress = Callable[[int, int, str], None]
"""Cases done, cases in all, what was done last."""


def no_use(_use: Use) -> None:
    """The default listener."""


def infer(
    contract: Contract,
    suite: Suite,
    source_dir: Path,
    bundle: Bundle,
    *,
    image: ImageFiles | None = None,
    temporary: Path | None = None,
    on_progress: Progress | None = None,
    on_use: Callable[[Use], None] = no_use,
    resume: bool = True,
) -> list[Invocation]:
    """Start the model, put every case to it, and return one record a case, in the order of the suite.

    ``outputs/CASE/output.*`` and ``invocations.jsonl`` are written after each case, so that a run that was killed goes
    on where it stopped; ``logs/model.log`` holds what the model said. Before the first case, and again after the model
    had to be started anew, ``call.warmup`` calls are made and not counted, with a case that went well if there is one.
    A case that fails or times out is a record like any other.

    Args:
        contract: how the model is called.
        suite: the cases, proven by :func:`penstock.families.plan.plan`.
        source_dir: the model's repository: holds the suite, and the model unless it runs in its image.
        bundle: what is filled: a run's bundle, or a shard's.
        image: the model is that of the image in which this process runs, see there.
        temporary: where the model's scratch directory is made, by default where temporary files go.
        on_progress: told after each case.
        on_use: told after each case since when the model is in use.
        resume: keep the records of cases that an interrupted run over the same model and suite has left, failures too,
            except where the output of a call that was ``ok`` is missing. False: begin from nothing.

    Raises:
        UsageError: a file of the suite is gone; a case lacks an input or parameter.
        WorldError: the model could not be started or never got ready; or the disk is full.
    """
    inputs = {case.name: input_paths(contract, source_dir, case) for case in suite.cases}
    done = _done(bundle, suite) if resume else {}
    for case in suite.cases:
        if case.name not in done:
            _forget(bundle, case)
    _write(bundle, suite, done)
    left = [case for case in suite.cases if case.name not in done]
    if not left:
        return [done[case.name] for case in suite.cases]
    with disk_errors(temporary or Path(tempfile.gettempdir())):
        work = Path(tempfile.mkdtemp(prefix="penstock-model-", dir=temporary))
    try:
        began, clock = utc_now("milliseconds"), time.monotonic()
        readable = _beside_the_model(contract, source_dir, inputs, image) if image else ()
        with start(
            contract, source_dir, work / "scratch", bundle.path / LOG_FILE, image=image, readable=readable
        ) as model:
            starts = 0
            for case in left:
                if model.revive() > starts:
                    known = next((good for good in suite.cases if _is_ok(done.get(good.name))), suite.cases[0])
                    _warm_up(model, contract, known, inputs[known.name], work / "warm-up")
                    starts = model.revive()
                done[case.name] = _call(model, contract, case, inputs[case.name], bundle)
                seconds = round(time.monotonic() - clock, 3)
                on_use(Use(started=began, ended=utc_now("milliseconds"), seconds=seconds))
                _write(bundle, suite, done)
                if on_progress is not None:
                    on_progress(len(done), len(suite.cases), _in_words(done[case.name]))
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return [done[case.name] for case in suite.cases]


def _beside_the_model(
    contract: Contract, source_dir: Path, inputs: dict[str, dict[str, Path]], image: ImageFiles
) -> tuple[Path, ...]:
    """What a model in its image may read of the repository: the suite, and inputs that lie elsewhere in it.

    All of it, if the model lies in the repository and not in an image of its own.
    """
    if image.directory == source_dir.resolve():
        return (source_dir,)
    suite = suite_directory(source_dir, contract)
    files = {path for paths in inputs.values() for path in paths.values()}
    return (suite, *sorted(path for path in files if not path.is_relative_to(suite)))


def _call(model: Model, contract: Contract, case: Case, inputs: dict[str, Path], bundle: Bundle) -> Invocation:
    folder = bundle.outputs / case.name
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    output = folder / f"{OUTPUT_NAME}{output_suffix(contract)}"
    warm = model.warm
    result = model.call(case, inputs, output, contract.call.timeout_s)
    if result.status != "ok":
        _forget(bundle, case)
    relative = output.relative_to(bundle.path).as_posix() if result.status == "ok" else None
    return Invocation(case=case.name, output=relative, warm=warm, **asdict(result))


def _warm_up(model: Model, contract: Contract, case: Case, inputs: dict[str, Path], output: Path) -> None:
    """Make the calls that are not counted. One that fails ends them: the next case records the fault."""
    for _ in range(contract.call.warmup):
        result = model.call(case, inputs, output, contract.call.timeout_s)
        output.unlink(missing_ok=True)
        if result.status != "ok":
            return


def _done(bundle: Bundle, suite: Suite) -> dict[str, Invocation]:
    """The records of an interrupted run that still hold."""
    if not bundle.invocations_file.exists():
        return {}
    names = {case.name for case in suite.cases}
    return {
        record.case: record
        for record in bundle.invocations()
        if record.case in names and (record.status != "ok" or _is_there(bundle, record))
    }


def _is_there(bundle: Bundle, record: Invocation) -> bool:
    """Whether the output of a call is whole: it is written under another name first."""
    path = bundle.path / (record.output or "")
    return record.output is not None and path.is_file() and path.stat().st_size > 0


def _forget(bundle: Bundle, case: Case) -> None:
    shutil.rmtree(bundle.outputs / case.name, ignore_errors=True)


def _write(bundle: Bundle, suite: Suite, done: dict[str, Invocation]) -> None:
    bundle.write_invocations(done[case.name] for case in suite.cases if case.name in done)


def _is_ok(record: Invocation | None) -> bool:
    return record is not None and record.status == "ok"


def _in_words(record: Invocation) -> str:
    if record.status == "ok":
        return f"{record.case}: {record.latency_s or 0.0:.1f} s"
    return f"{record.case}: {record.error}"


def output_suffix(contract: Contract) -> str:
    """The suffix of the file that a call leaves, such as ``.mp4``."""
    if contract.call.command is not None:
        return contract.call.command.output
    response = contract.call.http.response if contract.call.http is not None else ""
    return SUFFIXES.get(response) or mimetypes.guess_extension(response) or ".bin"
