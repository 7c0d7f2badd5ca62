"""A first look at the files of a suite: there, regular, of a sensible size, and of a format that is read.

Which formats these are, :mod:`penstock.foundation.media_kinds` says for all of Penstock.

Nothing is decoded here, so that ``penstock check`` stays instant; what is broken further in is found by the steps that
decode it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from penstock.contract.faults import Fault, fault_at
from penstock.contract.http_call import Http, HttpCall, parts_of, where_of
from penstock.contract.json_body import body_placeholders
from penstock.contract.load import below
from penstock.contract.models import Case, Contract, Suite
from penstock.contract.placeholders import RESERVED, placeholders, unknown_placeholder
from penstock.contract.request import call_inputs, calls_of, parameters, request_for
from penstock.families.family import Family
from penstock.families.registry import find_family
from penstock.foundation.errors import UsageError
from penstock.foundation.files import inside, open_regular, regular_files
from penstock.foundation.media_kinds import EVERY_KIND, Kind, media_fault, set_fault, set_files
from penstock.foundation.yaml_text import Document, KeyPath


def suite_file_faults(directory: Path, folder: str, suite: Suite, document: Document) -> Iterator[Fault]:
    """Files of the suite that are missing or not what they should be. Paths that leave it are reported elsewhere."""
    family = _family(suite.family)
    put_to_the_model = {file for case in suite.cases for file in case.inputs.values()}
    for index, case in enumerate(suite.cases):
        for name, file in case.inputs.items():
            path = _path(directory, folder, file)
            expected = family.kinds_of(name) if family is not None else EVERY_KIND
            if path is not None and (found := input_fault(path, expected, case)) is not None:
                what, todo = found
                yield fault_at(
                    document, ("cases", index, "inputs", name), f"{file}: {what} (case '{case.name}')", todo=todo
                )
        yield from _withheld_faults(directory, folder, case, index, put_to_the_model, document)
    if suite.reference is not None and (path := _path(directory, folder, suite.reference)) is not None:
        yield from _reference_faults(path, suite.reference, document)


def _withheld_faults(
    directory: Path, folder: str, case: Case, index: int, put_to_the_model: Collection[str], document: Document
) -> Iterator[Fault]:
    """Files that the model is not to get: missing, not what they should be, or put to it all the same."""
    for withheld in case.withheld_files:
        path, place = _path(directory, folder, withheld.file), ("cases", index, *withheld.place)
        if path is not None and (fault := media_fault(path, expected=case.withheld_kinds(withheld.field))) is not None:
            what, todo = fault
            yield fault_at(document, place, f"{withheld.file}: {what} (case '{case.name}')", todo=todo)
        if withheld.file in put_to_the_model:
            what = (
                f"{withheld.file}: the model gets this file as an input, and is compared with it (case '{case.name}')"
            )
            yield fault_at(document, place, what, todo="Check which file is which.", warning=True)


def _family(name: str) -> Family | None:
    try:
        return find_family(name)
    except UsageError:
        return None  # it cannot be loaded: the contract's fault says so


def input_fault(path: Path, expected: tuple[Kind, ...], case: Case) -> tuple[str, str] | None:
    """What is wrong at first sight with a case's input; a case that must be refused may hold a broken file."""
    if case.expect is None:
        return media_fault(path, expected=expected)
    try:
        open_regular(path, where="").close()
    except UsageError as error:
        return error.what, error.todo
    return None


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
        yield from _expectation_faults(http, case, index, suite_document)
        calls = calls_of(http, case) if http is not None else {}
        if http is not None and not calls:
            names = ", ".join(http.calls)
            what = f"the case '{case.name}' has the inputs of none of the contract's calls ({names})"
            yield fault_at(suite_document, ("cases", index, "inputs"), what)
        for name, call in calls.items():
            faults = list(_http_faults(name, call, case, index, {*given, *said}, suite_document))
            yield from faults or _request_faults(contract, name, case, index, said - {*given}, suite_document)
        if command is not None:
            for position, text in enumerate(command.argv):
                known = {*given, *said, *case.inputs, "output"}
                yield from _unfilled(text, known, case, index, f"call.command.argv[{position}]", suite_document)


def _http_faults(
    name: str, call: HttpCall, case: Case, index: int, known: set[str], document: Document
) -> Iterator[Fault]:
    """What one call of a service wants and a case does not give."""
    where = where_of(name)
    for field, wanted in call_inputs(call):
        if wanted not in case.inputs:
            yield fault_at(
                document,
                ("cases", index, "inputs"),
                f"the case '{case.name}' has no input '{wanted}'",
                todo=f"{where}.{field} of penstock.yaml sends it.",
            )
    for field, text in parts_of(call):
        yield from _unfilled(text, known, case, index, f"{where}.{field}", document)
    for found in body_placeholders(call.body.template if call.body is not None else None):
        if not found.encoding:
            yield from _missing(found.name, known, case, index, f"{where}.body.json.{found.path}", document)


def _request_faults(
    contract: Contract, name: str, case: Case, index: int, unknown: set[str], document: Document
) -> Iterator[Fault]:
    """What would be refused once a request is made, though all of it is there: a header that is not plain text.

    ``unknown``: parameters whose values only the inputs say; any value stands for them.
    """
    filled = case.model_copy(update={"parameters": dict.fromkeys(unknown, 0) | case.parameters}) if unknown else case
    try:
        request_for(contract, filled, name)
    except UsageError as error:
        path: KeyPath = ("cases", index, "parameters")
        yield fault_at(
            document, path, error.what, todo=f"{error.where} of penstock.yaml sends it. {error.todo}".strip()
        )


def _expectation_faults(http: Http | None, case: Case, index: int, document: Document) -> Iterator[Fault]:
    """An expected refusal of a call that there is not."""
    if case.expect is None:
        return
    path: KeyPath = ("cases", index, "expect")
    if http is None:
        yield fault_at(
            document, path, "a program refuses nothing: 'expect' goes with 'call.http'", todo="Leave it out."
        )
        return
    calls = calls_of(http, case)
    if case.expect.call is None and len(calls) > 1:
        yield fault_at(document, path, f"say which call is refused: 'call: {next(iter(calls))}'")
    elif case.expect.call is not None and case.expect.call not in calls:
        names = ", ".join(filter(None, calls))
        todo = f"Calls: {names}." if names else "The contract has one call, without a name: leave 'call' out."
        said = "case" if case.expect.call in http.calls else "contract"
        yield fault_at(document, (*path, "call"), f"the {said} has no call '{case.expect.call}'", todo=todo)


def _unfilled(text: str, known: set[str], case: Case, index: int, field: str, document: Document) -> Iterator[Fault]:
    for name in placeholders(text):
        yield from _missing(name, known, case, index, field, document)


def _missing(name: str, known: set[str], case: Case, index: int, field: str, document: Document) -> Iterator[Fault]:
    if name in known:
        return
    path: KeyPath = ("cases", index, "parameters")
    what = f"the case '{case.name}' gives no '{name}', which {field} of penstock.yaml wants"
    todo = f"Write 'parameters: {{{name}: …}}', or a default in call.parameters."
    yield fault_at(document, path, what, todo=todo)


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
