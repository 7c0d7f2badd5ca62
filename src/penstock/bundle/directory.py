"""Reading and writing a bundle, whole files at a time."""

from __future__ import annotations

import errno
import json
import math
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from penstock.bundle.models import Invocation, Manifest, Measurement, Run, StepRecord
from penstock.bundle.verdict_record import Verdict
from penstock.foundation.errors import MissingFileError, UsageError
from penstock.foundation.files import disk_errors, file_digests, folder_errors, read_regular, write_text
from penstock.foundation.handles import Folder

MAX_RECORD_BYTES = 64 << 20
TEMPORARY = re.compile(r"\..+\.tmp-[A-Za-z0-9_]+")
"""Names under which files are written before they are whole."""
Model = TypeVar("Model", bound=BaseModel)


class Bundle:
    """A bundle on disk. Nothing is cached: each call reads or replaces one file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run_file = path / "run.json"
        self.contract_file = path / "contract.json"
        self.outputs = path / "outputs"
        self.invocations_file = path / "invocations.jsonl"
        self.measurements_file = path / "measurements.jsonl"
        self.series_file = path / "series.jsonl"
        self.verdict_file = path / "verdict.json"
        self.report = path / "report"
        self.failures = path / "failures"
        self.manifest_file = path / "manifest.json"

    # run.json

    def run(self) -> Run:
        """The record of what ran.

        Raises:
            UsageError: there is none, or it is not one of ours.
        """
        return read_model(self.run_file, Run)

    def update_run(self, run: Run) -> None:
        """Replace ``run.json``."""
        write_model(self.run_file, run)

    def record_step(self, record: StepRecord) -> None:
        """Add a step's record, or replace the one of the same name."""
        run = self.run()
        steps = [step for step in run.steps if step.name != record.name] + [record]
        self.update_run(run.model_copy(update={"steps": steps}))

    # the lists

    def invocations(self) -> list[Invocation]:
        """All calls, in the order of the suite."""
        return list(read_lines(self.invocations_file, Invocation))

    def unfinished_invocations(self) -> list[Invocation]:
        """The calls of an inference that may have been killed: a last line that was not written to its end is left out.

        Raises:
            UsageError: a whole line is no record.
        """
        return list(read_lines(self.invocations_file, Invocation, unfinished=True))

    def append_invocation(self, invocation: Invocation) -> None:
        """Add one call to ``invocations.jsonl``: from now on the line is there, even if we are killed."""
        append_line(self.invocations_file, invocation)

    def write_invocations(self, invocations: Iterable[Invocation]) -> None:
        """Replace ``invocations.jsonl``."""
        write_lines(self.invocations_file, invocations)

    def measurements(self) -> list[Measurement]:
        """All measurements."""
        return list(read_lines(self.measurements_file, Measurement))

    def write_measurements(self, measurements: Iterable[Measurement]) -> None:
        """Replace ``measurements.jsonl``."""
        write_lines(self.measurements_file, measurements)

    # the verdict and the seal

    def verdict(self) -> Verdict:
        """The gate's answer."""
        return read_model(self.verdict_file, Verdict)

    def write_verdict(self, verdict: Verdict) -> None:
        """Replace ``verdict.json``."""
        write_model(self.verdict_file, verdict)

    def sweep(self) -> None:
        """Remove what a killed writer has left: files under the temporary names of :mod:`penstock.foundation.files`.

        A bundle has one writer at a time, so that none of them is still being written.
        """
        if not self.path.is_dir():
            return
        with disk_errors(self.path), folder_errors(self.path), Folder.at(self.path) as folder:
            for relative, _ in folder.walk():
                if TEMPORARY.match(Path(relative).name):
                    (self.path / relative).unlink(missing_ok=True)

    def seal(self) -> Manifest:
        """Write ``manifest.json`` over every file that is there now. Nothing may be written after it."""
        self.sweep()
        manifest = Manifest(files=self._digests())
        write_model(self.manifest_file, manifest)
        return manifest

    def verify(self) -> Manifest:
        """Compare every file with the manifest.

        Raises:
            UsageError: names the files that are missing, changed or extra; or the manifest itself is broken.
        """
        manifest = read_model(self.manifest_file, Manifest)
        here = self._digests()
        missing = sorted(set(manifest.files) - set(here))
        extra = sorted(set(here) - set(manifest.files))
        changed = sorted(name for name in set(here) & set(manifest.files) if here[name] != manifest.files[name])
        faults = [
            f"{word} {', '.join(names[:5])}{f' and {len(names) - 5} more' if len(names) > 5 else ''}"
            for word, names in (("missing", missing), ("changed", changed), ("extra", extra))
            if names
        ]
        if faults:
            raise UsageError(
                f"the bundle does not match its manifest: {'; '.join(faults)}",
                where=str(self.path),
                todo="Fetch it again. What was edited on purpose is not evidence: give the measurements file alone.",
            )
        return manifest

    def _digests(self) -> dict[str, str]:
        """Of every file that the manifest is to name; a pipe or device in a file's place is refused, never waited for.

        Raises:
            UsageError: something in the bundle is no plain file.
        """
        aside = (self.manifest_file.name, self.failures.name)
        return {path.as_posix(): digest for path, digest in file_digests(self.path, aside=aside).items()}


def read_model(path: Path, model: type[Model]) -> Model:
    """Read one JSON record; a record of a newer schema, a broken or absent file is one clear :class:`UsageError`."""
    return parse_model(_read(path, "Point to a bundle, a directory that a run has filled."), model, where=str(path))


def parse_model(content: bytes, model: type[Model], *, where: str) -> Model:
    """As :func:`read_model`, of what was read already.

    Raises:
        UsageError: the record is broken, or of a newer schema; ``where`` is put before that.
    """
    _refuse_newer(content, model, where)
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        raise UsageError(f"not a valid record: {explain(error)}", where=where) from None


def _refuse_newer(content: bytes, model: type[BaseModel], where: str) -> None:
    """Look at the version first: the fields of a newer schema may have other types, which would seem to be faults."""
    if "schema_version" not in model.model_fields:
        return
    try:
        record = json.loads(content)
    except (ValueError, RecursionError):
        return  # what is wrong with it is said by who reads it
    version = record.get("schema_version") if isinstance(record, dict) else None
    if isinstance(version, int | float) and version > model.model_fields["schema_version"].default:
        raise UsageError("written by a newer Penstock", where=where, todo="Update Penstock.")


def _read(path: Path, todo_if_missing: str) -> bytes:
    try:
        return read_regular(path, max_bytes=MAX_RECORD_BYTES, where=str(path))
    except MissingFileError as error:
        raise MissingFileError(error.what, where=error.where, todo=todo_if_missing) from None


def write_model(path: Path, record: BaseModel) -> None:
    """Write one JSON record, whole or not at all."""
    write_text(path, record.model_dump_json(indent=2) + "\n")


def read_lines(path: Path, model: type[Model], *, unfinished: bool = False) -> Iterator[Model]:
    """Read JSON lines; see :func:`read_numbered_lines`."""
    for _, record in read_numbered_lines(path, model, unfinished=unfinished):
        yield record


def read_numbered_lines(path: Path, model: type[Model], *, unfinished: bool = False) -> Iterator[tuple[int, Model]]:
    """Read JSON lines, each with its number.

    UTF-8, with or without the mark that some editors put before it. Empty lines are passed over. NaN and infinity are
    refused wherever they stand, and so is a name that an object has twice: readers differ in which value they take.

    Args:
        path: the file.
        model: what each line is.
        unfinished: the file's writer may have been killed: what stands after the last line end is left out.

    Raises:
        UsageError: the file is missing, larger than 64 MiB, no UTF-8 text, or a line is no record; ``where`` is
            ``FILE:LINE``.
    """
    content = _read(path, "Run the step that writes it.")
    if unfinished:
        content = content[: content.rfind(b"\n") + 1]
    try:
        # Not splitlines(): a JSON text may hold U+2028 and its like.
        lines = content.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError:
        raise UsageError("not UTF-8 text", where=str(path), todo="Write it as UTF-8.") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = model.model_validate_json(line)
            _STRICT.decode(line)
        except ValidationError as error:
            cut = number == len(lines) and error.errors(include_url=False)[0]["type"] == "json_invalid"
            todo = "The file does not end with a whole line: it may be cut off. Write or fetch it again." if cut else ""
            raise UsageError(f"not a valid record: {explain(error)}", where=f"{path}:{number}", todo=todo) from None
        except (ValueError, RecursionError) as error:
            raise UsageError(f"not a valid record: {error}", where=f"{path}:{number}") from None
        yield number, record


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    names = dict(pairs)
    if len(names) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name in counts if counts[name] > 1)
        raise ValueError(f"'{twice[:80]}' is there twice")
    return names


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]} is not a finite number")
    return value


_STRICT = json.JSONDecoder(object_pairs_hook=_once, parse_float=_number, parse_constant=_number)
"""Refuses what the check against a model lets through: a name twice in one object (the last value counts), NaN."""


def write_lines(path: Path, records: Iterable[BaseModel]) -> None:
    """Write JSON lines, whole or not at all. Absent optional fields are left out, a missing ``value`` is ``null``."""
    with disk_errors(path):
        write_text(path, "".join(map(_line, records)))


def append_line(path: Path, record: BaseModel) -> None:
    """Add one JSON line, written as by :func:`write_lines`; the file is made if there is none.

    The line is handed to the system in one piece, so that only a full disk or the system's own end can cut it.
    """
    line = _line(record).encode()
    with disk_errors(path), path.open("ab", buffering=0) as file:
        written = file.write(line)
        if written != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _line(record: BaseModel) -> str:
    content = record.model_dump(mode="json")
    kept = {key: item for key, item in content.items() if item is not None or key == "value"}
    return json.dumps(kept, ensure_ascii=False, allow_nan=False) + "\n"


def explain(error: ValidationError) -> str:
    """The first fault of a validation error in plain words: ``field: message``."""
    first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    message = str(first["msg"]).removeprefix("Value error, ")
    return f"{field}: {message}" if field else message
