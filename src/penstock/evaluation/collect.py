"""After the model has run: the shards' outputs, calls and logs become one bundle's, as if there had been one shard."""

from __future__ import annotations

import contextlib
import stat
from datetime import datetime
from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.bundle.export_record import EXPORT_FOLDER, export_record
from penstock.bundle.models import Inference, Invocation, Machine, Run, ShardRecord, StepRecord
from penstock.bundle.shards import Shard, shard_record, shards_folder
from penstock.bundle.steps import Products, utc_now
from penstock.contract.models import Suite
from penstock.evaluation.infer import LOG_FILE
from penstock.evaluation.model_log import LOGS
from penstock.evaluation.plan import INFER
from penstock.foundation.errors import UsageError, WorldError
from penstock.foundation.files import disk_errors, inside
from penstock.foundation.handles import Folder, NotPlainError, discard_tree, in_words, kind_of

AGAIN = "Run the step infer again."


def collect(suite: Suite, bundle: Bundle, *, cache: Path | None) -> list[Invocation]:
    """Merge the shards into the bundle, and return all calls in the order of the suite.

    Files are moved, not copied, and the records come after them; the shards go last. So whenever this is killed, it can
    begin again. ``run.json`` gets the record of the step *infer*, the machine that it ran on, and for each shard when
    it ran and how long its model was in use. Outputs without a failed case are kept for later runs.

    Args:
        suite: the cases.
        bundle: the run's, with the plan in ``run.json``.
        cache: where outputs are kept for later runs.

    Raises:
        UsageError: there is no plan.
        WorldError: a shard did not run to its end, a case is missing or there twice, an output is gone; the disk is
            full.
    """
    run = bundle.run()
    inference = run.inference
    if inference is None:
        raise UsageError("there is no plan", where=str(bundle.run_file), todo="Run the step plan first.")
    fresh = not inference.unchanged and not inference.shards
    if fresh:
        inference = _merge(suite, bundle, inference)
    calls = bundle.invocations()
    _hold_cases(suite, [call.case for call in calls], bundle.invocations_file)
    _hold_outputs(bundle, calls)
    keeping = cache is not None and inference.products and not inference.unchanged and _as_planned(inference)
    if cache is not None and keeping and all(call.status == "ok" for call in calls):
        products = Products(cache, INFER, inference.products)
        made_on = _machine(run.machine, inference.shards)
        kept = [Path(bundle.invocations_file.name), Path(bundle.outputs.name)]
        # what the model said, and what it was told when it made them, go with them
        kept += [path.relative_to(bundle.path) for path in sorted((bundle.path / LOG_FILE.parent).glob(LOGS))]
        kept += [EXPORT_FOLDER] if export_record(bundle) is not None else []
        products.keep(bundle, kept, made_on=made_on)
    _record(bundle, run, inference, calls)
    with disk_errors(bundle.path):
        discard_tree(shards_folder(bundle))
    return calls


def _merge(suite: Suite, bundle: Bundle, inference: Inference) -> Inference:
    shards = [(part, part.bundle(bundle)) for part in map(Shard.parse, inference.parts)]
    records = [_ended(part, shard) for part, shard in shards]
    found: dict[str, tuple[Bundle, Invocation]] = {}
    for _, shard in shards:
        for call in shard.invocations():
            if call.case in found:
                raise WorldError(f"the case '{call.case}' is in two shards", where=str(shard.path), todo=AGAIN)
            found[call.case] = shard, call
    ordered = [case.name for case in suite.cases if case.name in found]
    _hold_cases(suite, list(dict.fromkeys([*ordered, *found])), shards_folder(bundle))
    calls = [_take_output(shard, call, bundle) for shard, call in map(found.__getitem__, ordered)]
    for _, shard in shards:
        name = LOG_FILE.with_stem(f"{LOG_FILE.stem}-{shard.path.name}") if len(shards) > 1 else LOG_FILE
        _take(shard, LOG_FILE.as_posix(), bundle.path / name)
    bundle.write_invocations(calls)
    used = round(sum(record.used_s for record in records), 3)
    return inference.model_copy(update={"shards": records, "used_s": used})


def _ended(part: Shard, shard: Bundle) -> ShardRecord:
    record = shard_record(shard)
    if record is None or not record.ended:
        raise WorldError(f"the shard {part} has not run to its end", where=str(shard.path), todo=AGAIN)
    return record


def _take_output(shard: Bundle, call: Invocation, bundle: Bundle) -> Invocation:
    """Move what a case's calls have left into the bundle; if that is no plain file of its own, the case has failed.

    Where the kernel cannot confine a model, it could have written here as well as the driver.
    """
    if call.status != "ok":
        return call
    folder = f"{shard.outputs.name}/{call.case}/"
    for output in call.outputs if call.complete else [""]:
        name = output.removeprefix(folder)
        if not output.startswith(folder) or name != Path(name).name:
            raise WorldError(f"the output of the case '{call.case}' lies elsewhere", where=str(shard.path), todo=AGAIN)
        if (problem := _take(shard, output, bundle.path / output)) is not None:
            calls = [made.model_copy(update={"output": None}) for made in call.calls]
            failed = {"status": "failed", "output": None, "calls": calls, "error": f"the model's output: {problem}"}
            return call.model_copy(update=failed)
    return call


def _take(shard: Bundle, relative: str, target: Path) -> str | None:
    """Move a file of a shard into the bundle, unless an earlier attempt has; return what is wrong with it, if anything.

    It is moved through handles of the directories, so that what was looked at is what is moved.
    """
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        above, _, name = relative.rpartition("/")
        with Folder.at(shard.path) as whole, Folder.at(target.parent) as into:
            try:
                source = whole.folder(above)
            except FileNotFoundError:
                return None  # moved before, or gone: who counts the outputs says so
            except (NotPlainError, PermissionError) as error:
                return in_words(error)
            with source, contextlib.suppress(FileNotFoundError):
                facts = source.stat(name)
                if not stat.S_ISREG(facts.st_mode):
                    return f"'{name}' is {kind_of(facts.st_mode)}"
                if facts.st_nlink != 1:
                    return f"'{name}' has another name"
                source.move(name, into, target.name)
    return None


def _hold_cases(suite: Suite, have: list[str], where: Path) -> None:
    """Check that every case is there exactly once, in order."""
    wanted = {case.name: None for case in suite.cases}
    there = set(have)
    if missing := next((name for name in wanted if name not in there), None):
        raise WorldError(f"the case '{missing}' was not put to the model", where=str(where), todo=AGAIN)
    if have != list(wanted):
        other = next((name for name in have if name not in wanted), "")
        what = f"the case '{other}' is not in the suite" if other else "a case is there twice, or the order is another"
        raise WorldError(what, where=str(where), todo=AGAIN)


def _hold_outputs(bundle: Bundle, calls: list[Invocation]) -> None:
    """Check that every call that went well has its output."""
    where = str(bundle.invocations_file)
    for call in calls:
        files = [inside(bundle.path, output, where=where) for output in call.outputs]
        if call.status == "ok" and not (call.complete and all(path.is_file() for path in files)):
            raise WorldError(f"the output of the case '{call.case}' is gone", where=where, todo=AGAIN)


def _as_planned(inference: Inference) -> bool:
    """Whether each shard's model was confined as *plan* expected, which is part of what products are kept under."""
    return all(shard.isolation is None or shard.isolation.level == inference.isolation for shard in inference.shards)


def _record(bundle: Bundle, run: Run, inference: Inference, calls: list[Invocation]) -> None:
    """Write what the shards say of themselves to ``run.json``."""
    ok = sum(call.status == "ok" for call in calls)
    began = min((record.started for record in inference.shards), default=utc_now())
    ended = max((record.ended for record in inference.shards), default=began)
    bundle.update_run(
        run.model_copy(update={"inference": inference, "machine": _machine(run.machine, inference.shards)})
    )
    bundle.record_step(
        StepRecord(
            name=INFER,
            status="unchanged" if inference.unchanged else "done",
            started=began,
            seconds=round((datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds(), 3),
            inputs=run.suite.digest if run.suite else "",
            note="unchanged: outputs of an earlier run" if inference.unchanged else f"{ok} of {len(calls)} calls ok",
        )
    )


def _machine(first: Machine | None, shards: list[ShardRecord]) -> Machine | None:
    """Where the model ran, with the versions that measure: those of the first machine until *measure* says its own."""
    ran_on = next((record.machine for record in shards if record.machine is not None), None)
    if ran_on is None:
        return first
    return ran_on.model_copy(update={"versions": first.versions if first else {}})
