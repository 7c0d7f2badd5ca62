"""The files that a case puts to a model, validated before any model is started: a bad suite is not a bad model."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.contract.http_call import HttpCall
from penstock.contract.load import SUITE_FILE, input_path, withheld_paths
from penstock.contract.models import Case, Contract
from penstock.contract.request import MAX_JSON_BODY, base64_bytes, call_inputs, calls_of, command_argv, request_for
from penstock.contract.suite import input_fault
from penstock.families.registry import family
from penstock.foundation.errors import UsageError
from penstock.foundation.files import open_regular
from penstock.foundation.media_kinds import TEXT, media_fault, recognise
from penstock.foundation.references import load

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def check_case(contract: Contract, source_dir: Path, case: Case, seen: set[Path]) -> dict[Path, list[str]]:
    """Validate that a case can be put to the model: every file decodes to its end, every parameter is there.

    Files of a case that must be refused need only be there: a broken one may be the reason.

    Args:
        contract: names the suite's directory and how the model is called.
        source_dir: the model's repository.
        case: the case.
        seen: files that were decoded before and need not be again; this call adds to it.

    Returns:
        File → what is worth a word about it, of those that were decoded now: several tracks, silence.

    Raises:
        UsageError: ``where`` names the file, the case and the suite.
    """
    paths: dict[str, Path] = {}
    remarks: dict[Path, list[str]] = {}
    kinds_of = family(contract.family).kinds_of
    folder = contract.suite_folder
    for name, file in case.inputs.items():
        where = f"{folder}/{file} (input '{name}' of case '{case.name}' in {folder}/{SUITE_FILE})"
        path = input_path(source_dir, contract, file)
        if (fault := input_fault(path, kinds_of(name), case)) is not None:
            raise UsageError(fault[0], where=where, todo=fault[1])
        if path not in seen and case.expect is None:
            try:
                said = decode(path, sound_only=kinds_of(name)[0] == "audio")
            except UsageError as error:
                raise UsageError(error.what, where=where, todo=error.todo) from error
            remarks[path] = [f"{where}: {remark}" for remark in said]
            seen.add(path)
        paths[name] = path
    _check_withheld(contract, source_dir, case, paths, seen)
    if (http := contract.call.http) is not None:
        where = f"case '{case.name}' in {contract.suite_folder}/{SUITE_FILE}"
        calls = calls_of(http, case)
        if not calls:
            raise UsageError("it has the inputs of none of the contract's calls", where=where)
        for name, call in calls.items():
            request_for(contract, case, name)
            _check_body_size(call, paths, where)
        _check_expectation(calls, case, where)
    else:
        command_argv(contract, case, {**paths, "output": "output"})
        if case.expect is not None:
            where = f"case '{case.name}' in {contract.suite_folder}/{SUITE_FILE}"
            raise UsageError("a program refuses nothing: 'expect' goes with 'call.http'", where=where)
    return remarks


def _check_withheld(
    contract: Contract, source_dir: Path, case: Case, inputs: Mapping[str, Path], seen: set[Path]
) -> None:
    """Validate the files that the model does not get, and that the files of a case fit together."""
    folder = contract.suite_folder
    for found in case.withheld_files:
        place = found.field if found.index is None else f"{found.field}[{found.index}]"
        where = f"{folder}/{found.file} ('{place}' of case '{case.name}' in {folder}/{SUITE_FILE})"
        path = input_path(source_dir, contract, found.file)
        if (fault := media_fault(path, expected=case.withheld_kinds(found.field))) is not None:
            raise UsageError(fault[0], where=where, todo=fault[1])
        if path not in seen and case.withheld_kinds(found.field) != TEXT:
            try:
                decode(path)
            except UsageError as error:
                raise UsageError(error.what, where=where, todo=error.todo) from error
            seen.add(path)
    check = family(contract.family).check
    if check is not None and case.expect is None:
        try:
            load(check)(case, inputs, withheld_paths(source_dir, contract, case))
        except UsageError as error:
            where = f"case '{case.name}' in {contract.suite_folder}/{SUITE_FILE}"
            raise UsageError(error.what, where=where, todo=error.todo) from error


def _check_body_size(call: HttpCall, paths: Mapping[str, Path], where: str) -> None:
    """Check that the inputs fit into a body of JSON, where they go into one."""
    if call.body is None or call.body.file is not None:
        return
    size = sum(base64_bytes(paths[name].stat().st_size) for _, name in call_inputs(call))
    if size > MAX_JSON_BODY:
        raise UsageError(
            f"its inputs make a body of JSON of {size >> 20} MiB, and {MAX_JSON_BODY >> 20} MiB are the limit",
            where=where,
            todo="Use smaller files, or send them as multipart.",
        )


def _check_expectation(calls: Collection[str], case: Case, where: str) -> None:
    """Check that the call that must be refused is one that is made."""
    if case.expect is None or (case.expect.call is None and len(calls) == 1):
        return
    if case.expect.call not in calls:
        said = f"the case has no call '{case.expect.call}'" if case.expect.call else "it is not said which call"
        raise UsageError(f"{said} that is refused", where=where, todo="`penstock check` lists the calls.")


def input_paths(contract: Contract, source_dir: Path, case: Case) -> dict[str, Path]:
    """Input name → file of a case that :func:`check_case` has validated before.

    Raises:
        UsageError: a file is gone.
    """
    paths = {name: input_path(source_dir, contract, file) for name, file in case.inputs.items()}
    for name, path in paths.items():
        if not path.is_file():
            where = f"{contract.suite_folder}/{case.inputs[name]} (input '{name}' of case '{case.name}')"
            raise UsageError("the file is missing", where=where, todo="Run the step plan first.")
    return paths


def reference_frames(contract: Contract, source_dir: Path, reference: str) -> Iterator[npt.NDArray[np.uint8]]:
    """The pictures and frames of a suite's reference, see :func:`penstock.media.sets.read_set`.

    Raises:
        UsageError: a file of it cannot be read; ``where`` names it as the suite does.
    """
    from penstock.media.sets import read_set

    directory = input_path(source_dir, contract, reference)
    try:
        yield from read_set(directory)
    except UsageError as error:
        file = Path(error.where).relative_to(directory)
        where = f"{contract.suite_folder}/{reference}/{file} ('reference' in {contract.suite_folder}/{SUITE_FILE})"
        raise UsageError(error.what, where=where, todo=error.todo) from error


def decode(path: Path, *, sound_only: bool = False) -> tuple[str, ...]:
    """Decode a media file to its end and keep nothing; return what is worth a word: several tracks, silence.

    Raises:
        UsageError: it is damaged, truncated, empty of content, or over the limits of :mod:`penstock.media`.
    """
    from penstock.media import probe, read_audio, read_frames
    from penstock.media.images import read_image
    from penstock.media.loudness import SILENT, is_silent

    with open_regular(path, where=str(path)) as file:
        found = recognise(file)
    if found is not None and found.kind == "image":
        read_image(path)
        return ()
    remarks = probe(path).remarks
    if sound_only or (found is not None and found.kind == "audio"):
        sound = read_audio(path)
        if not sound.size:
            raise UsageError("there is no sound in the file", where=str(path), todo="Give a recording.")
        return (*remarks, SILENT) if is_silent(sound) else remarks
    if not sum(1 for _ in read_frames(path, fps=None)):
        raise UsageError("there is no frame in the file", where=str(path), todo="Give a video.")
    return remarks
