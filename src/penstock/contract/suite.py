"""A first look at the files of a suite: there, regular, of a sensible size, and of a format that is read.

Which formats these are, :mod:`penstock.foundation.media_kinds` says for all of Penstock.

Nothing is decoded here, so that ``penstock check`` stays instant; what is broken further in is found by the steps that
decode it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from penstock.contract.faults import Fault, fault_at
from penstock.contract.load import below
from penstock.contract.models import Case, Contract, Suite
from penstock.contract.presets import RESERVED, parameters, placeholders, text_of, unknown_placeholder
from penstock.families.family import Family
from penstock.families.registry import find_family
from penstock.foundation.errors import UsageError
from penstock.foundation.files import inside, regular_files
from penstock.foundation.media_kinds import EVERY_KIND, media_fault, set_fault, set_files
from penstock.foundation.yaml_text import Document, KeyPath


def suite_file_faults(directory: Path, folder: str, suite: Suite, document: Document) -> Iterator[Fault]:
    """Files of the suite that are missing or not what they should be. Paths that leave it are reported elsewhere."""
    family = _family(suite.family)
    for index, case in enumerate(suite.cases):
        for name, file in case.inputs.items():
            path = _path(directory, folder, file)
            expected = family.kinds_of(name) if family is not None else EVERY_KIND
            if path is not None and (found := media_fault(path, expected=expected)) is not None:
                what, todo = found
                yield fault_at(
                    document, ("cases", index, "inputs", name), f"{file}: {what} (case '{case.name}')", todo=todo
                )
    if suite.reference is not None and (path := _path(directory, folder, suite.reference)) is not None:
        yield from _reference_faults(path, suite.reference, document)


def _family(name: str) -> Family | None:
    try:
        return find_family(name)
    except UsageError:
        return None  # it cannot be loaded: the contract's fault says so


def _path(directory: Path, folder: str, file: str) -> Path | None:
    try:
        return inside(directory, below(folder, file), where="")
    except UsageError:
        return None


def _reference_faults(path: Path, written: str, document: Document) -> Iterator[Fault]:
    if not path.is_dir():
        what = "must be a directory" if path.exists() else "the directory is missing"
        yield fault_at(
            document,
            ("reference",),
            f"{written}: {what}",
            todo="Put the images or videos there that FID and KID compare with.",
        )
        return
    try:
        regular_files(path)  # its digest is taken over all of them, pictures or not
        files = set_files(path)
    except UsageError as error:
        yield fault_at(document, ("reference",), f"{written}: {error.what}", todo=error.todo)
        return
    for file in files:
        if (fault := set_fault(file)) is not None:
            what, todo = fault
            yield fault_at(document, ("reference",), f"{written}/{file.name}: {what}", todo=todo)


def call_faults(
    contract: Contract, suite: Suite, contract_document: Document, suite_document: Document
) -> Iterator[Fault]:
    """Compare what the call wants with what each case gives: inputs and parameters."""
    http, command = contract.call.http, contract.call.command
    family = _family(contract.family)
    if http is not None:
        for index, text in enumerate(http.argv):
            for name in placeholders(text):
                if name != "port":
                    error = unknown_placeholder(name, ["port"], case=None, where="")
                    yield fault_at(contract_document, ("call", "http", "argv", index), error.what, todo=error.todo)
    for index, case in enumerate(suite.cases):
        given = parameters(contract, case)
        # what an input says where the case does not
        said = {name for name, filled in (family.filled if family else {}).items() if filled.input in case.inputs}
        for name in sorted({*case.inputs, *case.parameters} & set(RESERVED)):
            yield fault_at(
                suite_document,
                ("cases", index),
                f"the name '{name}' has a meaning of its own in the call",
                todo="Choose another.",
            )
        for name in sorted(set(case.inputs) & set(given)):
            yield fault_at(
                suite_document, ("cases", index), f"'{name}' is an input and a parameter", todo="Rename one of them."
            )
        if http is not None:
            for field, wanted in http.files.items():
                if wanted not in case.inputs:
                    todo = f"call.http.files.{field} of penstock.yaml sends it."
                    yield fault_at(
                        suite_document,
                        ("cases", index, "inputs"),
                        f"the case '{case.name}' has no input '{wanted}'",
                        todo=todo,
                    )
            for field, value in http.fields.items():
                yield from _unfilled(
                    text_of(value), {*given, *said}, case, index, f"call.http.fields.{field}", suite_document
                )
        if command is not None:
            for position, text in enumerate(command.argv):
                known = {*given, *said, *case.inputs, "output"}
                yield from _unfilled(text, known, case, index, f"call.command.argv[{position}]", suite_document)


def _unfilled(text: str, known: set[str], case: Case, index: int, field: str, document: Document) -> Iterator[Fault]:
    for name in placeholders(text):
        if name not in known:
            path: KeyPath = ("cases", index, "parameters")
            what = f"the case '{case.name}' gives no '{name}', which {field} of penstock.yaml wants"
            yield fault_at(
                document, path, what, todo=f"Write 'parameters: {{{name}: …}}', or a default in call.parameters."
            )


def output_faults(contract: Contract, document: Document) -> Iterator[Fault]:
    """A command that is never told where to write cannot be called."""
    command = contract.call.command
    if command is not None and not any("output" in placeholders(text) for text in command.argv):
        yield fault_at(
            document,
            ("call", "command", "argv"),
            "no argument holds '{output}', so that the program cannot know where to write",
        )
    http = contract.call.http
    if http is not None and not any("port" in placeholders(text) for text in http.argv):
        what = "no argument holds '{port}': the service must listen on the port in the environment variable PORT"
        yield fault_at(document, ("call", "http", "argv"), what, todo="If it does, all is well.", warning=True)
