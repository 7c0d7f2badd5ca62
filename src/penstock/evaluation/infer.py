"""Putting cases to a model: each is put to it once, in one call or several, and what came of it is kept as it comes.

This runs in the model's own image, on the driver's runtime: nothing here may import more than that has (no numpy, no
decoders); the step *plan* has looked into the files before.
"""

from __future__ import annotations

import contextlib
import mimetypes
import tempfile
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.bundle.models import CallRecord, Invocation, Use
from penstock.bundle.steps import utc_now
from penstock.contract.load import SUITE_FILE, suite_directory, withheld_paths
from penstock.contract.models import Case, Contract, Suite
from penstock.contract.request import calls_of
from penstock.evaluation.concurrent_calls import Called, called_at_once
from penstock.evaluation.inputs import input_paths
from penstock.foundation.files import disk_errors
from penstock.foundation.handles import discard_tree
from penstock.foundation.media_kinds import SUFFIXES
from penstock.invocation.driver import reach, start
from penstock.invocation.environment import PythonEnvironment
from penstock.invocation.model import CallResult, Model
from penstock.invocation.sandbox import ImageFiles
from penstock.invocation.service_address import ServiceAddress

OUTPUT_NAME = "output"
LOG_FILE = Path("logs") / "model.log"
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
    code: Path | None = None,
    image: ImageFiles | None = None,
    python: PythonEnvironment | None = None,
    hidden: tuple[Path, ...] = (),
    service: ServiceAddress | None = None,
    temporary: Path | None = None,
    on_progress: Progress | None = None,
    on_use: Callable[[Use], None] = no_use,
    resume: bool = True,
) -> list[Invocation]:
    """Start the model, put every case to it, and return one record a case, in the order of the suite.

    ``outputs/CASE/output.*`` (``outputs/CASE/NAME.*`` of each call, where the contract names several) and a line of
    ``invocations.jsonl`` are written after each case, so that a run that was killed goes on where it stopped;
    ``logs/model.log`` holds what the model said. Before the first case, and again after the model had to be started
    anew, ``call.warmup`` calls are made and not counted, with a case that went well if there is one.
    A case that fails or times out is a record like any other.

    Args:
        contract: how the model is called.
        suite: the cases, validated by :func:`penstock.evaluation.plan.plan`.
        source_dir: the repository that holds the suite, and the model unless it runs in its image.
        bundle: what is filled: a run's bundle, or a shard's.
        code: the model's repository, if it is another one: that of the released model.
        image: the model is that of the image in which this process runs, see there.
        python: what a model without an image runs on; ``None``: what Penstock itself does.
        hidden: files that the model may not read either, beside what the suite withholds.
        service: the model runs already, as a service at this address: nothing is started, and ``code``, ``image``,
            ``python`` and ``hidden`` do not matter.
        temporary: where the model's scratch directory is made, by default where temporary files go.
        on_progress: told after each case.
        on_use: told after each case since when the model is in use.
        resume: keep the records of cases that an interrupted run over the same model and suite has left, failures too,
            except where the output of a call that was ``ok`` is missing. False: begin from nothing.

    Raises:
        UsageError: a file of the suite is gone; a case lacks an input or parameter.
        WorldError: the model could not be started or never got ready; or the disk is full.
    """
    calls = Calls(
        contract,
        suite,
        source_dir,
        bundle,
        code=code,
        image=image,
        python=python,
        hidden=hidden,
        service=service,
        resume=resume,
    )
    left = calls.begin()
    if left:
        with scratch_folder(temporary) as work, calls.started(work, on_use):
            for record in calls.put_all(left):
                if on_progress is not None:
                    on_progress(len(calls.done), len(suite.cases), in_words(record))
    return calls.finish()


@contextlib.contextmanager
def scratch_folder(temporary: Path | None) -> Iterator[Path]:
    """A directory for the model's scratch directory and for answers that are not kept, removed in the end."""
    with disk_errors(temporary or Path(tempfile.gettempdir())):
        work = Path(tempfile.mkdtemp(prefix="penstock-model-", dir=temporary))
    try:
        yield work
    finally:
        discard_tree(work)


class Calls:
    """One model and a suite: which cases were put to it, and putting the next one. See :func:`infer`."""

    def __init__(
        self,
        contract: Contract,
        suite: Suite,
        source_dir: Path,
        bundle: Bundle,
        *,
        code: Path | None = None,
        image: ImageFiles | None = None,
        python: PythonEnvironment | None = None,
        hidden: tuple[Path, ...] = (),
        service: ServiceAddress | None = None,
        resume: bool = True,
    ) -> None:
        self.suite = suite
        self._contract = contract
        self._bundle = bundle
        self._code = code or source_dir
        self._image = image
        self._python = python
        self._service = service
        self._inputs = {case.name: input_paths(contract, source_dir, case) for case in suite.cases}
        self._readable = self._beside_the_code(source_dir)
        self._hidden = (*withheld_files(contract, suite, source_dir, self._code, image), *hidden)
        self._suffixes = output_suffixes(contract)
        self.done = _done(bundle, suite) if resume else {}
        self._model: Model | None = None
        self._starts = 0
        self._work = Path()
        self._on_use: Callable[[Use], None] = no_use
        self._began, self._clock = "", 0.0

    def begin(self, keep: Collection[str] | None = None) -> list[Case]:
        """Forget what an interrupted run has left of cases that are not done; return those, in the suite's order.

        Args:
            keep: of the cases that are done only these; all by default.
        """
        if keep is not None:
            self.done = {name: record for name, record in self.done.items() if name in keep}
        left = [case for case in self.suite.cases if case.name not in self.done]
        for case in left:
            _forget(self._bundle, case)
        self._write()
        return left

    @contextlib.contextmanager
    def started(self, work: Path, on_use: Callable[[Use], None] = no_use) -> Iterator[Model]:
        """Start the model; when the block is left, none of its processes is alive.

        Raises:
            WorldError: it could not be started or never got ready.
        """
        self._work, self._starts, self._on_use = work, 0, on_use
        self._began, self._clock = utc_now("milliseconds"), time.monotonic()
        with self._reached() as self._model:
            yield self._model

    def _reached(self) -> contextlib.AbstractContextManager[Model]:
        log_file = self._bundle.path / LOG_FILE
        if self._service is not None:
            return reach(self._contract, self._service, log_file)
        return start(
            self._contract,
            self._code,
            self._work / "scratch",
            log_file,
            image=self._image,
            python=self._python,
            readable=self._readable,
            hidden=self._hidden,
        )

    def put(self, case: Case) -> Invocation:
        """Put one case to the model, after the calls that are not counted if it was started since the last one."""
        return self._keep(self._call(self._warm_model(), case).record)

    def put_all(self, cases: list[Case]) -> Iterator[Invocation]:
        """Put cases to the model, as many at a time as the contract says; yield the records in the cases' order.

        A call that broke off while others were under way is made again, alone: which of them ended the service cannot
        be told otherwise. Not so with a service that runs already: it cannot be started again, and the second answer
        would be in place of the reason why the first broke off.
        """
        http = self._contract.call.http
        workers = http.concurrency if http is not None else 1
        if workers == 1:
            yield from map(self.put, cases)
            return
        left = deque(cases)
        while left:
            model = self._warm_model()
            at_once = called_at_once(list(left), partial(self._call, model), workers, again=self._service is None)
            for case, record in at_once:
                left.popleft()
                if record is not None:
                    yield self._keep(record)
                else:
                    again = self._call(self._warm_model(), case).record
                    yield self._keep(again.model_copy(update={"attempts": 2}))

    def _warm_model(self) -> Model:
        """The model, after the calls that are not counted if it was started since the last one."""
        model = self._model
        if model is None:
            raise AssertionError("the model is not started")
        if model.revive() > self._starts:
            cases = [case for case in self.suite.cases if case.expect is None] or self.suite.cases
            known = next((good for good in cases if _is_ok(self.done.get(good.name))), cases[0])
            _warm_up(model, self._contract, known, self._inputs[known.name], self._work / "warm-up")
            self._starts = model.revive()
        return model

    def _keep(self, record: Invocation) -> Invocation:
        self.done[record.case] = record
        seconds = round(time.monotonic() - self._clock, 3)
        self._on_use(Use(started=self._began, ended=utc_now("milliseconds"), seconds=seconds))
        self._bundle.append_invocation(record)
        return record

    def finish(self) -> list[Invocation]:
        """Bring the records of all cases into the suite's order, on disk as well, and return them."""
        self._write()
        return [self.done[case.name] for case in self.suite.cases]

    def _call(self, model: Model, case: Case) -> Called:
        """Make the calls of a case, up to the first that is not answered. Safe to use from several threads."""
        folder = self._bundle.outputs / case.name
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        warm, started = model.warm, utc_now("milliseconds")
        made: list[tuple[CallRecord, CallResult]] = []
        for name in call_names(self._contract, case):
            output = folder / f"{name or OUTPUT_NAME}{self._suffixes[name]}"
            begun = utc_now("milliseconds")
            result = model.call(case, self._inputs[case.name], output, self._contract.call.timeout_s, name=name)
            answered = result.status == "ok" and result.refusal is None
            relative = output.relative_to(self._bundle.path).as_posix() if answered else None
            made.append((CallRecord(name=name, output=relative, started=begun, **vars(result)), result))
            if not answered:
                break
        record = _record_of(case, made, warm=warm, started=started)
        if not record.outputs:
            _forget(self._bundle, case)
        return Called(record, made[-1][1].broken_off)

    def _write(self) -> None:
        self._bundle.write_invocations(self.done[case.name] for case in self.suite.cases if case.name in self.done)

    def _beside_the_code(self, source_dir: Path) -> tuple[Path, ...]:
        """What the model may read beside its own directory: the suite, and inputs that lie elsewhere in the repository.

        The whole clone, if it runs in a container but not in an image of its own: then its directory is the clone.
        """
        if self._image is None and self._code == source_dir:
            return ()
        own = (self._code,) if self._image is not None and self._image.directory == self._code.resolve() else ()
        if self._code == source_dir and own:
            return own
        suite = suite_directory(source_dir, self._contract)
        files = {path for paths in self._inputs.values() for path in paths.values()}
        return (*own, suite, *sorted(path for path in files if not path.is_relative_to(suite)))


def withheld_files(
    contract: Contract, suite: Suite, source_dir: Path, code: Path, image: ImageFiles | None
) -> tuple[Path, ...]:
    """What the model's answers are compared with, unless another case puts that very file to it.

    The model's own code may hold a copy at the same place: of the same suite in an earlier commit, or in its image.
    """
    paths = (withheld_paths(source_dir, contract, case) for case in suite.cases)
    withheld = {path for fields in paths for files in fields.values() for path in files}
    if any(case.says_truth for case in suite.cases):
        withheld.add(suite_directory(source_dir, contract) / SUITE_FILE)
    withheld -= {path for case in suite.cases for path in input_paths(contract, source_dir, case).values()}
    roots = {source_dir.resolve(), code.resolve()}
    roots |= {image.directory} if image is not None else set()
    inside_source = [path.relative_to(source_dir.resolve()) for path in withheld]
    return tuple(sorted(root / path for root in roots for path in inside_source))


def _record_of(case: Case, made: Sequence[tuple[CallRecord, CallResult]], *, warm: bool, started: str) -> Invocation:
    """The record of a case from those of its calls; one that was not ``ok`` has no outputs."""
    last = made[-1][1]
    refusal = last.refusal or ("otherwise" if case.expect is not None else None)
    calls = [call for call, _ in made]
    if last.status != "ok":
        calls = [call.model_copy(update={"output": None}) for call in calls]
    merged = replace(
        last,
        refusal=refusal,
        latency_s=None if last.latency_s is None else sum(call.latency_s or 0.0 for call in calls),
        peak_memory_mib=_largest(call.peak_memory_mib for call in calls),
        gpu_memory_mib=_largest(call.gpu_memory_mib for call in calls),
    )
    one = not calls[0].name
    return Invocation(
        case=case.name,
        warm=warm,
        started=started,
        output=calls[0].output if one else None,
        calls=[] if one else calls,
        **vars(merged),
    )


def _largest(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _warm_up(model: Model, contract: Contract, case: Case, inputs: dict[str, Path], output: Path) -> None:
    """Make the calls that are not counted. One that fails ends them: the next case records the fault."""
    for _ in range(contract.call.warmup):
        for name in call_names(contract, case):
            result = model.call(case, inputs, output, contract.call.timeout_s, name=name)
            output.unlink(missing_ok=True)
            if result.status != "ok" or result.refusal is not None:
                return


def _done(bundle: Bundle, suite: Suite) -> dict[str, Invocation]:
    """The records of an interrupted run that still hold."""
    if not bundle.invocations_file.exists():
        return {}
    names = {case.name for case in suite.cases}
    return {
        record.case: record
        for record in bundle.unfinished_invocations()
        if record.case in names and (record.status != "ok" or _is_there(bundle, record))
    }


def _is_there(bundle: Bundle, record: Invocation) -> bool:
    """Whether the outputs of a case are whole: they are written under another name first."""
    files = [bundle.path / output for output in record.outputs]
    return record.complete and all(path.is_file() and path.stat().st_size > 0 for path in files)


def _forget(bundle: Bundle, case: Case) -> None:
    discard_tree(bundle.outputs / case.name)


def _is_ok(record: Invocation | None) -> bool:
    return record is not None and record.status == "ok"


def in_words(record: Invocation) -> str:
    """What came of a call, for people who watch."""
    if record.status == "ok":
        said = ", refused as it must be" if record.refusal is not None else ""
        return f"{record.case}: {record.latency_s or 0.0:.1f} s{said}"
    return f"{record.case}: {record.error}"


def call_names(contract: Contract, case: Case) -> list[str]:
    """Names of the calls that a case takes, in their order; the one call has no name."""
    http = contract.call.http
    return [""] if http is None else list(calls_of(http, case))


def output_suffixes(contract: Contract) -> dict[str, str]:
    """Name of each call of a case → the suffix of the file that it leaves, such as ``.mp4``."""
    http = contract.call.http
    if http is None:
        return {"": contract.call.command.output if contract.call.command is not None else ""}
    return {name: _suffix(call.response) for name, call in http.named_calls.items()}


def _suffix(media_type: str) -> str:
    return SUFFIXES.get(media_type) or mimetypes.MimeTypes().guess_extension(media_type, strict=False) or ".bin"
