"""Where the answers of an evaluation come from: a folder, a program, a service that runs already, or a model's own
directory with its contract.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from penstock.bundle.directory import Bundle
from penstock.bundle.machine import this_machine
from penstock.bundle.models import Inference, ShardRecord
from penstock.bundle.steps import recorded, utc_now
from penstock.contract.load import load_contract, load_suite
from penstock.contract.models import CONTRACT_FILE, Call, Command, Contract
from penstock.contract.placeholders import Scalar, placeholders
from penstock.contract.request import command_argv, wanted_names
from penstock.evaluation.infer import infer, withheld_files
from penstock.evaluation.photo_suite import PHOTO, PhotoSuite, photo_inputs
from penstock.families.family import Family
from penstock.families.registry import did_you_mean, find_preset, preset_names
from penstock.foundation.errors import UsageError, WorldError
from penstock.foundation.files import inside, sha256_file
from penstock.foundation.media_kinds import SUFFIXES
from penstock.invocation.environment import PythonEnvironment, choose_environment, named_by_shell
from penstock.invocation.isolation import best_level, in_pod, isolation
from penstock.invocation.service_address import ServiceAddress, look_for, read_address
from penstock.sources.git_url import mask
from penstock.sources.scan import scan

CANDIDATE, BASELINE = "candidate", "baseline"
OPTION = {CANDIDATE: "--", BASELINE: "--against-"}
"""Side → how its options begin."""
NOT_STARTED = "a service that runs already"
"""In the place of ``call.http.argv``, which a contract must have."""


@dataclass(frozen=True)
class Answering:
    """Where the answers of one side come from: one of these."""

    folder: Path | None = None
    """Of answers that are there."""
    command: str = ""
    """The program that makes one."""
    url: str = ""
    """Of a service that runs already."""
    contract: Path | None = None
    """The directory of a model with its ``penstock.yaml``."""

    @property
    def path(self) -> Path | None:
        """The directory, where it is one; that of a ``penstock.yaml`` that was named itself."""
        if self.contract is not None and self.contract.name == CONTRACT_FILE:
            return self.contract.parent
        return self.folder if self.folder is not None else self.contract

    @property
    def name(self) -> str:
        """As it was given."""
        return str(self.path) if self.path is not None else self.command or self.url


@dataclass(frozen=True)
class Calling:
    """How models are called."""

    preset: str = ""
    """A known system; empty: a service gets the photo as a form field."""
    parameters: Mapping[str, Scalar] = field(default_factory=dict)
    """Of the answers; those of a preset or a contract with the same name give way."""
    concurrency: int = 1
    """So many photos are put to a service at a time."""
    timeout_s: float | None = None
    """For one photo; ``None``: as a contract has it by default."""


@dataclass(frozen=True)
class AskedModel:
    """A model that is asked, and how."""

    contract: Contract
    code: Path
    """Where it is started."""
    python: PythonEnvironment | None = None
    """What it runs on; ``None``: it runs already."""
    service: ServiceAddress | None = None
    """Where it runs already."""
    given: str = ""
    """That address as it was given."""
    hidden: tuple[Path, ...] = ()
    """What it is not to read, beside what the photos are compared with."""


def side_names(sides: Mapping[str, Answering]) -> dict[str, str]:
    """What the sides are called: folders by their last name, if that tells them apart."""
    short = {side: of.path.resolve().name if of.path is not None else of.name for side, of in sides.items()}
    if len(set(short.values())) == len(short):
        return short
    full = {side: of.name for side, of in sides.items()}
    return full if len(set(full.values())) == len(full) else {side: f"{of.name} ({side})" for side, of in sides.items()}


def no_call(calling: Calling) -> dict[str, Any]:
    """The ``call`` of a suite whose answers are there: a contract must have one, and nobody makes it. Its parameters
    are those of the preset, and those that were given.

    Raises:
        UsageError: there is no such preset.
    """
    preset = calling.preset
    found = find_preset(preset) if preset else None
    if preset and found is None:
        what = f"there is no preset '{preset}'"
        raise UsageError(what, where="--preset", todo=did_you_mean(preset, preset_names()))
    parameters = {**(found.parameters if found is not None else {}), **calling.parameters}
    return {"command": {"argv": ["no-program", "{output}"], "output": ".png"}, "parameters": parameters}


def asked(made: PhotoSuite, kind: Family, of: Answering, side: str, calling: Calling) -> AskedModel | None:
    """The model that one side asks; ``None``: its answers are there.

    Raises:
        UsageError: the program, the service or the model cannot be called like this; its weights are not there.
        WorldError: nothing answers at the service's address.
    """
    if of.contract is not None and of.path is not None:
        return _model(made, kind, of.path, f"{OPTION[side]}contract", calling)
    if of.url:
        return _service(made, kind, of.url, f"{OPTION[side]}url", calling)
    if of.command:
        return _program(made, kind, of.command, f"{OPTION[side]}command", calling)
    return None


def _program(made: PhotoSuite, kind: Family, line: str, option: str, calling: Calling) -> AskedModel:
    try:
        argv = shlex.split(line)
    except ValueError as error:
        raise UsageError(f"this is no command line: {str(error).lower()}", where=option) from error
    (input_name,) = photo_inputs(kind)
    wanted = {name for text in argv for name in placeholders(text)}
    for name in (input_name, "output"):
        if name not in wanted:
            todo = f"Example: python run.py {{{input_name}}} {{output}}"
            raise UsageError(f"no argument holds '{{{name}}}'", where=option, todo=todo)
    call = Call(
        command=Command(argv=argv, output=SUFFIXES[kind.answers[0]]),
        parameters=dict(made.contract.call.parameters),
        warmup=0,  # it is started anew for each photo: there is nothing to warm
        **_time(calling),
    )
    contract = made.contract.model_copy(update={"call": call})
    try:
        command_argv(contract, made.suite.cases[0], {input_name: "", "output": ""})
    except UsageError as error:
        raise UsageError(error.what, where=option, todo=f"Known: {{{input_name}}} and {{output}}.") from error
    code = Path.cwd()
    return AskedModel(contract, code, choose_environment(found=named_by_shell(code), repository=code))


def _time(calling: Calling) -> dict[str, Any]:
    return {} if calling.timeout_s is None else {"timeout_s": calling.timeout_s}


def _service(made: PhotoSuite, kind: Family, url: str, option: str, calling: Calling) -> AskedModel:
    address = read_address(url, where=option)
    look_for(address)
    if calling.preset:
        contract = _as_preset(made, kind, calling)
        if contract is None:
            usable = [name for name in preset_names() if _as_preset(made, kind, Calling(name)) is not None]
            raise UsageError(
                f"the preset '{calling.preset}' does not say how one photo becomes one answer of the family "
                f"'{kind.name}'",
                where="--preset",
                todo=f"Use {' or '.join(usable) or 'none'}; without one the photo is sent as a form field.",
            )
        for call in contract.call.http.named_calls.values() if contract.call.http is not None else ():
            path = address.path.removesuffix(call.path)
            address = ServiceAddress(address.origin, address.host, address.port, path)
    else:
        contract = _contract(made, _form(kind, address.path or "/"), calling)
        address = ServiceAddress(address.origin, address.host, address.port, "")
    return AskedModel(contract, made.source, service=address, given=url)


def _model(made: PhotoSuite, kind: Family, code: Path, option: str, calling: Calling) -> AskedModel:
    """A model as a release starts and calls it, over the photos in the place of its own suite."""
    if not (code / CONTRACT_FILE).is_file():
        raise UsageError(f"there is no {CONTRACT_FILE}", where=f"{option}: {code}", todo="Name the model's directory.")
    own = load_contract(code)
    if own.family != kind.name:
        raise UsageError(f"the model is of the family '{own.family}', not '{kind.name}'", where=f"{option}: {code}")
    parameters = {**own.call.parameters, **calling.parameters}
    (input_name,) = photo_inputs(kind)
    if more := sorted(wanted_names(own) - parameters.keys() - {input_name, "output", "port"}):
        what = f"its calls want '{more[0]}', and here there is the input '{input_name}' alone"
        raise UsageError(what, where=f"{option}: {code}", todo=f"--param {more[0]}=VALUE, if it is a parameter.")
    _hold_weights(own, code)
    call = own.call.model_copy(update={"parameters": parameters, **_time(calling)})
    python = choose_environment(contract=own.call.python, found=named_by_shell(code), repository=code)
    contract = made.contract.model_copy(update={"call": call})
    return AskedModel(contract, code, python, hidden=_own_truths(own, code))


def _hold_weights(own: Contract, code: Path) -> None:
    """The model's weights are there, and are those that it names: nothing is fetched, and nothing written there."""
    for item in own.weights:
        path = inside(code, item.path, where="weights")
        if not path.is_file():
            what, todo = "the weights are not there", f"Bring them there, from {mask(item.source)}."
            raise UsageError(what, where=str(path), todo=todo)
        if (found := sha256_file(path)) != item.sha256:
            what = f"the weights are sha256:{found}, and the contract names sha256:{item.sha256}"
            raise UsageError(
                what, where=str(path), todo=f"Correct one of the two; of an LFS pointer: git lfs pull in {code}."
            )
        scan(path, name=item.path)


def _own_truths(own: Contract, code: Path) -> tuple[Path, ...]:
    """What the model's own suite withholds from it, which may hold the truth of these photos, too."""
    try:
        return withheld_files(own, load_suite(code, own), code, code, None)
    except (UsageError, WorldError):
        return ()  # there is no suite that a release would take: the photos' own files are hidden all the same


def _form(kind: Family, path: str) -> dict[str, Any]:
    """The photo as a form field that is called as the family calls it; the answer is the file itself."""
    (input_name,) = photo_inputs(kind)
    escaped = path.replace("{", "{{").replace("}", "}}")
    return {"http": {"path": escaped, "files": {input_name: input_name}, "response": kind.answers[0]}}


def _as_preset(made: PhotoSuite, kind: Family, calling: Calling) -> Contract | None:
    """The contract of a known system; ``None`` if that wants more than a photo, or answers something else."""
    try:
        contract = _contract(made, {"preset": calling.preset, "http": {}}, calling)
    except ValidationError:
        return None
    (input_name,) = photo_inputs(kind)
    http = contract.call.http
    calls = http.named_calls if http is not None else {}
    fits = list(calls) == [""] and calls[""].response in kind.answers
    wanted = wanted_names(contract) - contract.call.parameters.keys()
    return contract if fits and wanted == {input_name} else None


def _contract(made: PhotoSuite, call: dict[str, Any], calling: Calling) -> Contract:
    http = {**call["http"], "argv": [NOT_STARTED], "concurrency": calling.concurrency}
    parameters = dict(made.contract.call.parameters)
    whole = {**call, "http": http, "parameters": parameters, "warmup": 0, **_time(calling)}
    return made.contract.model_copy(update={"call": Call.model_validate(whole)})


def ask(model: AskedModel, made: PhotoSuite, bundle: Bundle, on_progress: Callable[[int, int], None]) -> None:
    """Put every photo to the model, which is called, and confined where it is started here, as in a release.

    Raises:
        WorldError: it could not be started, or nothing answers.
    """
    started = utc_now("milliseconds")
    with recorded(bundle, "infer") as note:
        calls = infer(
            model.contract,
            made.suite,
            made.source,
            bundle,
            code=model.code,
            python=model.python,
            # it is not to read the truth where that lies either, nor what others have answered
            hidden=tuple(sorted({*_hidden(made), *model.hidden})),
            service=model.service,
            on_progress=lambda done, total, _: on_progress(done, total),
        )
        note.note = f"{sum(call.status == 'ok' for call in calls)} of {len(calls)} calls ok"
        if model.given:
            note.note += f", of the service at {model.given}"
    level = best_level()
    network = bool(model.contract.call.network)
    shard = ShardRecord(
        shard="1/1",
        cases=len(calls),
        started=started,
        ended=utc_now("milliseconds"),
        machine=this_machine() if model.service is None else None,
        isolation=isolation(level, pod=in_pod(), network=network) if model.service is None else None,
        python=str(model.python) if model.python is not None else "",
    )
    inference = Inference(
        unchanged=False, parts=["1/1"], shards=[shard], isolation=level if model.service is None else None
    )
    bundle.update_run(bundle.run().model_copy(update={"inference": inference}))


def _hidden(made: PhotoSuite) -> Iterator[Path]:
    for each in made.matched.values():
        yield from (path.resolve() for what, path in each.files.items() if what != PHOTO)
