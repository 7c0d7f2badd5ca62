"""The files that a case puts to a model, proven whole before any model is started: a bad suite is not a bad model."""

from __future__ import annotations

from pathlib import Path

from penstock.contract.load import SUITE_FILE, input_path
from penstock.contract.models import Case, Contract
from penstock.contract.presets import command_argv, request_fields, request_files
from penstock.contract.suite import EXPECTED, HEAD_BYTES, media_fault, media_kind
from penstock.errors import UsageError
from penstock.files import open_regular


def check_case(contract: Contract, source_dir: Path, case: Case, seen: set[Path]) -> dict[str, Path]:
    """Prove that a case can be put to the model: every file decodes to its end, every parameter is there.

    Args:
        contract: names the suite's directory and how the model is called.
        source_dir: the model's repository.
        case: the case.
        seen: files that were decoded before and need not be again; this call adds to it.

    Returns:
        Input name → file.

    Raises:
        UsageError: ``where`` names the file, the case and the suite.
    """
    paths: dict[str, Path] = {}
    for name, file in case.inputs.items():
        where = f"{contract.suite}/{file} (input '{name}' of case '{case.name}' in {contract.suite}/{SUITE_FILE})"
        path = input_path(source_dir, contract, file)
        if (fault := media_fault(path, expected=EXPECTED.get(name, ("image", "audio", "video")))) is not None:
            raise UsageError(fault[0], where=where, todo=fault[1])
        if path not in seen:
            try:
                decode(path, sound_only=name == "audio")
            except UsageError as error:
                raise UsageError(error.what, where=where, todo=error.todo) from error
            seen.add(path)
        paths[name] = path
    if contract.call.http is not None:
        request_fields(contract, case)
        request_files(contract, case)
    else:
        command_argv(contract, case, {**paths, "output": "output"})
    return paths


def input_paths(contract: Contract, source_dir: Path, case: Case) -> dict[str, Path]:
    """Input name → file of a case that :func:`check_case` has proven before.

    Raises:
        UsageError: a file is gone.
    """
    paths = {name: input_path(source_dir, contract, file) for name, file in case.inputs.items()}
    for name, path in paths.items():
        if not path.is_file():
            where = f"{contract.suite}/{case.inputs[name]} (input '{name}' of case '{case.name}')"
            raise UsageError("the file is missing", where=where, todo="Run the step plan first.")
    return paths


def decode(path: Path, *, sound_only: bool = False) -> None:
    """Decode a media file to its end and keep nothing.

    Raises:
        UsageError: it is damaged, truncated, empty of content, or over the limits of :mod:`penstock.media`.
    """
    from penstock.media import read_audio, read_frames
    from penstock.media.images import read_image

    with open_regular(path, where=str(path)) as file:
        kind = media_kind(file.read(HEAD_BYTES))
    if kind == "image":
        read_image(path)
    elif kind == "audio" or sound_only:
        if not read_audio(path).size:
            raise UsageError("there is no sound in the file", where=str(path), todo="Give a recording.")
    elif not sum(1 for _ in read_frames(path, fps=None)):
        raise UsageError("there is no frame in the file", where=str(path), todo="Give a video.")
