"""Files made into cases of a suite: copied beside the others, and named in ``suite.yaml``; all of it, or nothing."""

from __future__ import annotations

import glob
import re
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from penstock.contract.load import SUITE_FILE, accepted, below, validated
from penstock.contract.models import Suite, suite_model
from penstock.contract.suite import suite_file_faults
from penstock.contract.suite_sources import suite_source
from penstock.families.registry import find_family
from penstock.foundation.errors import UsageError
from penstock.foundation.files import inside, open_regular, read_regular, replacing, sha256_file, write_text
from penstock.foundation.media_kinds import EVERY_KIND, MAX_BYTES, media_fault
from penstock.foundation.yaml_text import parse_yaml
from penstock.suites.lint import CheckedSuite, licence_of
from penstock.suites.suite_text import with_cases

STEM = "{stem}"
MAX_SUITE_BYTES = 4 << 20
MAX_NAME = 100
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9._-]+")
_OWN = frozenset(("name", "inputs", "parameters", "slices"))
"""Fields of a case that are no file."""


@dataclass(frozen=True)
class NewCases:
    """What the new cases are, beside the file that each has of its own.

    Attributes:
        files: one case of each.
        put_in: the input that the file is.
        beside: other inputs → file; ``{stem}`` in it is the name of the case's own file without its suffix.
        fields: fields of the family → file, likewise: ``truth``.
        parameters: of the call.
        slices: that they belong to.
        licence: of all files that are new, with their origin; ``None``: not said.
    """

    files: Sequence[Path]
    put_in: str
    beside: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    slices: Sequence[str] = ()
    licence: Mapping[str, str] | None = None


def add_cases(checked: CheckedSuite, new: NewCases) -> list[str]:
    """Add cases to a suite.

    Returns:
        The names of the new cases.

    Raises:
        UsageError: a file cannot be read or is not what the input must be; another file of its name is there; a case of
            its name is there; ``suite.yaml`` cannot be added to, or would not hold. Nothing is written then.
    """
    if suite_source(checked.contract.suite) is not None:
        todo = "Add the cases there, and name what comes of it in penstock.yaml."
        raise UsageError("the suite does not lie in this repository", where="penstock.yaml: suite", todo=todo)
    suite_folder = inside(checked.directory, checked.contract.suite_folder, where="suite")
    copies: dict[str, Path] = {}

    def placed(source: Path, input_name: str) -> str:
        name = (_folder_of(checked.suite, input_name) / source.name).as_posix()
        _check(source, suite_folder / name, copies.get(name))
        copies[name] = source
        return name

    if taken := _OWN.intersection(new.fields):
        raise UsageError(f"'{min(taken)}' names no file", where="--field", todo="Name a field of the family's.")
    cases: list[dict[str, Any]] = []
    for file in new.files:
        given = {new.put_in: file} | {name: Path(path.replace(STEM, file.stem)) for name, path in new.beside.items()}
        inputs = {name: placed(path, name) for name, path in given.items()}
        _check_kinds(checked.suite.family, given)
        fields = {name: placed(Path(path.replace(STEM, file.stem)), name) for name, path in new.fields.items()}
        case: dict[str, Any] = {"name": _case_name(file), "inputs": inputs}
        if new.parameters:
            case["parameters"] = dict(new.parameters)
        if new.slices:
            case["slices"] = list(new.slices)
        cases.append(case | fields)
    unstated = [name for name in copies if licence_of(name, checked.suite.licences) is None]
    # what a licence stands beside is a pattern
    licences = dict.fromkeys(map(glob.escape, unstated), new.licence) if new.licence else {}
    path = suite_folder / SUITE_FILE
    text = read_regular(path, max_bytes=MAX_SUITE_BYTES, where=SUITE_FILE).decode("utf-8-sig")
    written = with_cases(text, cases, {name: stated for name, stated in licences.items() if stated})
    _write(checked, path, written, copies)
    return [str(case["name"]) for case in cases]


def _case_name(file: Path) -> str:
    """What the case of a file is called."""
    name = _NOT_A_NAME.sub("-", file.stem).strip("-._")
    if not 0 < len(name) <= MAX_NAME:
        what = f"a case cannot be called after this file: its name has up to {MAX_NAME} of A-Z, a-z, 0-9, '.', '_', '-'"
        raise UsageError(what, where=str(file), todo="Rename it.")
    return name


def _folder_of(suite: Suite, name: str) -> PurePosixPath:
    """Where most files of an input, or of a field, lie."""
    files = [case.inputs[name] for case in suite.cases if name in case.inputs]
    files += [found.file for case in suite.cases for found in case.withheld_files if found.field == name]
    folders = Counter(PurePosixPath(file).parent for file in files)
    return folders.most_common(1)[0][0] if folders else PurePosixPath()


def _check(source: Path, target: Path, before: Path | None) -> None:
    """Another file of that name may not be there, nor among the new ones."""
    open_regular(source, where=str(source)).close()
    try:
        source.name.encode()
    except UnicodeEncodeError:
        raise UsageError("the name of the file is not UTF-8 text", where=str(source), todo="Rename it.") from None
    digest = sha256_file(source)
    for there in (target, before):
        if there is not None and there.exists() and sha256_file(there) != digest:
            raise UsageError(f"another file of this name is there: {there}", where=str(source), todo="Rename it.")


def _check_kinds(family_name: str, inputs: Mapping[str, Path]) -> None:
    family = find_family(family_name)
    for name, path in inputs.items():
        expected = family.kinds_of(name) if family is not None else EVERY_KIND
        if path.is_file() and (fault := media_fault(path, expected=expected)) is not None:
            what, todo = fault
            raise UsageError(what, where=f"{path} ({name})", todo=todo)
        if path.is_file() and path.stat().st_size > max(MAX_BYTES[kind] for kind in expected):
            raise UsageError("the file is too large for a suite", where=str(path))


def _write(checked: CheckedSuite, path: Path, text: str, copies: Mapping[str, Path]) -> None:
    """The files first: a suite never names one that is not there. Those that came in vain go again."""
    document = parse_yaml(
        text.encode(), name=f"{checked.contract.suite_folder}/{SUITE_FILE}", max_bytes=MAX_SUITE_BYTES
    )
    suite = accepted(*validated(document, suite_model(checked.suite.family)))
    come: list[Path] = []
    try:
        for name, source in copies.items():
            target = inside(checked.directory, below(checked.contract.suite_folder, name), where=name)
            if not target.exists():
                with replacing(target) as half:
                    shutil.copyfile(source, half)
                come.append(target)
        folder = checked.contract.suite_folder
        # what is missing for other cases, such as the example's of `penstock init`, is for `penstock check` to say
        before = {found.what for found in suite_file_faults(checked.directory, folder, checked.suite, checked.document)}
        faults = suite_file_faults(checked.directory, folder, suite, document)
        fault = next((found for found in faults if not found.warning and found.what not in before), None)
        if fault is not None:
            raise UsageError(fault.what, where=fault.field, todo=fault.todo)
        write_text(path, text)
    except BaseException:
        for target in come:
            target.unlink(missing_ok=True)
        raise
