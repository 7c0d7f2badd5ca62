"""The contract, ``penstock.yaml``: what the model is, its weights, how to build and call it, its suite, its policy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, create_model, field_validator, model_validator
from pydantic_core import PydanticCustomError

from penstock.contract.expectation import Expect
from penstock.contract.export import Export
from penstock.contract.http_call import PREPROCESS, Http, Seconds
from penstock.contract.interface import ServiceInterface
from penstock.contract.model_log import ModelLog
from penstock.contract.page import Page
from penstock.contract.placeholders import Scalar, VariableName
from penstock.contract.policy import Policy, Strict
from penstock.contract.presets import page_with_preset, with_preset
from penstock.contract.serving import Load
from penstock.contract.suite_sources import MAX_ADDRESS, suite_folder, suite_source
from penstock.families.registry import family_names, find_family, preset_names
from penstock.foundation.errors import UsageError
from penstock.foundation.media_kinds import Kind
from penstock.foundation.references import load

CONTRACT_FILE = "penstock.yaml"
MAX_CASES = 10_000
MAX_LICENCES = 1000
Name = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
CaseName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
RelativePath = Annotated[str, Field(min_length=1, max_length=500)]
"""A path below the repository; :func:`penstock.foundation.files.inside` checks it where it is used."""
FilePattern = Annotated[str, Field(min_length=1, max_length=500)]
Line = Annotated[str, Field(max_length=500, pattern=r"^\S(.*\S)?$")]
SliceName = Annotated[str, Field(min_length=1, max_length=100)]
Host = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,252}(:[0-9]{1,5})?$")]


def one_of(value: str, known: Iterable[str]) -> str:
    """``value``, if it is one of the known names.

    Raises:
        PydanticCustomError: it is none; the fault names those that there are.
    """
    names = tuple(known)
    if value not in names:
        raise PydanticCustomError("literal_error", "must be {expected}", {"expected": " or ".join(map(repr, names))})
    return value


def suite_place(value: str) -> str:
    """``value``, if it is a folder or names a suite elsewhere by what it holds.

    Raises:
        ValueError: it names one by what can be moved, or a place that nothing is fetched from.
    """
    try:
        suite_source(value)
    except UsageError as error:
        raise ValueError(f"{error.what}. {error.todo}".strip()) from None
    return value


FamilyName = Annotated[Name, AfterValidator(lambda name: one_of(name, family_names()))]
PresetName = Annotated[Name, AfterValidator(lambda name: one_of(name, preset_names()))]


class Weights(Strict):
    """One file of weights, fetched apart from the image and verified before anything reads it."""

    path: RelativePath
    """Where the model looks for it: relative to the repository, and to the image's working directory, where it is
    mounted."""
    sha256: Sha256
    source: Annotated[str, Field(min_length=1, max_length=2000)]
    """``lfs`` (it is in the repository, through Git LFS or not), a path relative to the repository, ``https://…``, ``s3://bucket/key``
    or ``hf://org/repo@commit/file``."""
    licence: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """Under which the weights may be used, best as an SPDX expression: ``Apache-2.0``, ``LicenseRef-OpenRAIL-M``. It
    stands in the bill of materials."""
    signature: RelativePath | None = None
    """A file of the repository: a signature over these weights, as ``penstock weights sign`` writes it. Demanded where
    the platform names keys."""


class Build(Strict):
    """How to build the model's image."""

    containerfile: RelativePath = "Containerfile"
    """The recipe of the image."""
    context: RelativePath = "."
    """The directory that the recipe can copy from."""
    target: str | None = None
    """The stage to build; the last one if none is named."""
    args: dict[VariableName, str] = Field(default_factory=dict)
    """Build arguments (``ARG`` in the Containerfile). No secrets: they are recorded."""


class Command(Strict):
    """The model is a program that is started once a case."""

    argv: Annotated[list[str], Field(min_length=1, max_length=200)]
    """Program and arguments; ``{NAME}`` is replaced by the path of the case's input NAME or by its parameter NAME,
    ``{output}`` by the file to write."""
    output: Annotated[str, Field(pattern=r"^\.[a-z0-9]{1,8}$")] = ".mp4"
    """The suffix of the file that the program writes."""


class Call(Strict):
    """How the model is called: exactly one of ``command`` and ``http``, or a preset that fills it."""

    preset: PresetName | None = None
    """The interface of a known system; what stands beside it overrides it."""
    command: Command | None = None
    http: Http | None = None
    timeout_s: Seconds = 600.0
    """For one case."""
    parameters: dict[str, Scalar] = Field(default_factory=dict)
    """What ``{NAME}`` is where a case has no parameter NAME of its own."""
    warmup: Annotated[int, Field(ge=0, le=100)] = 1
    """Calls that are made first and not counted."""
    env: dict[VariableName, str] = Field(default_factory=dict)
    """Environment variables of the model's process. No secrets: they are recorded."""
    python: RelativePath | None = None
    """The Python environment of a model that runs without an image: a directory such as ``.venv``, or an interpreter;
    relative to the repository, or absolute."""
    network: list[Host] = Field(default_factory=list)
    """Hosts that the model may reach, ``name`` or ``name:port``; none by default."""

    @model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, value: object) -> object:
        """A preset is filled in here, so that no other code ever sees a contract without it."""
        if isinstance(value, dict) and isinstance(value.get("preset"), str):
            return with_preset(value["preset"], value)
        return value

    @model_validator(mode="after")
    def _one_way(self) -> Call:
        if self.command is not None and self.http is not None:
            raise ValueError("say how the model is called once: 'command' or 'http', not both")
        if self.preset is not None and self.command is not None:
            raise ValueError(f"the preset '{self.preset}' is an HTTP interface: write 'http', or leave the preset out")
        if self.command is None and self.http is None:
            raise ValueError(
                "say how the model is called: 'command' or 'http' (with a preset, 'http' needs at least 'argv')"
            )
        return self


class Check(Strict):
    """One of the repository's own checks (lint, unit tests), run on the verify track as the model is: not trusted."""

    name: Name
    argv: Annotated[list[str], Field(min_length=1, max_length=200)]
    timeout_s: Seconds = 600.0


def _named_or_file(value: object) -> str:
    return "name" if isinstance(value, str) else "file"


Extractor = Annotated[
    Annotated[Weights, Tag("file")] | Annotated[Name, Tag("name")],
    Discriminator(_named_or_file),
]
"""A network that metrics look through: an ONNX file in the repository, or by name one that comes with Penstock."""


class Contract(Strict):
    """``penstock.yaml``."""

    version: Literal[1]
    name: Name
    family: FamilyName
    """What kind of model it is; `penstock families` lists them."""
    description: str = ""
    weights: list[Weights] = Field(default_factory=list)
    build: Build = Build()
    call: Call
    page: Page | None = None
    """The model's own page, tried in a browser; left out, it is not."""
    log: ModelLog | None = None
    """What the lines of the model's log must be; left out, nothing is asked of it."""
    export: Export | None = None
    """The file that is exported from the trained weights, compared with them; left out, there is none."""
    load: Load | None = None
    """How the service holds under load; left out, it is not tried."""
    interface: ServiceInterface | None = None
    """The OpenAPI document of the service, which it is tested against; left out, it is not."""
    target: Name | None = None
    """Where its releases are served, by a name in the platform's ``targets.yaml``; left out, a release is current as
    soon as it is published."""
    checks: Annotated[list[Check], Field(max_length=50)] = Field(default_factory=list)
    suite: Annotated[str, Field(min_length=1, max_length=MAX_ADDRESS), AfterValidator(suite_place)]
    """The directory that holds ``suite.yaml``, or where the suite is brought from, see
    :func:`penstock.contract.suite_sources.suite_source`."""
    extractors: dict[Name, Extractor] = Field(default_factory=dict)
    """Role → the network that the family's metrics look through in that role."""
    policy: Policy

    @property
    def suite_folder(self) -> str:
        """The directory below the repository in which the suite lies, also one that is brought from elsewhere."""
        return suite_folder(self.suite)

    @property
    def shows_arrays(self) -> bool:
        """Whether the service shows what its network gets: there is a call ``preprocess``."""
        return self.call.http is not None and PREPROCESS in self.call.http.named_calls

    @property
    def extractor_files(self) -> dict[str, Weights]:
        """Role → the file in the repository, of those that are not named."""
        return {role: given for role, given in self.extractors.items() if isinstance(given, Weights)}

    @model_validator(mode="before")
    @classmethod
    def _fill_page_from_preset(cls, value: object) -> object:
        return page_with_preset(value) if isinstance(value, dict) else value

    @field_validator("extractors", mode="before")
    @classmethod
    def _nothing_is_none(cls, value: object) -> object:
        """`lipsync: null` leaves the role out."""
        return {role: given for role, given in value.items() if given is not None} if isinstance(value, dict) else value

    @field_validator("weights")
    @classmethod
    def _no_path_twice(cls, value: list[Weights]) -> list[Weights]:
        paths = [weights.path for weights in value]
        if twice := sorted({path for path in paths if paths.count(path) > 1}):
            raise ValueError(f"two weights have the path '{twice[0]}'")
        return value


@dataclass(frozen=True)
class WithheldFile:
    """A file that a case's own field names, and that the model does not get."""

    field: str
    """Of the case: ``truth``."""
    index: int | None
    """Its place, where the field holds a list."""
    file: str
    """Relative to the suite's directory."""

    @property
    def place(self) -> tuple[str | int, ...]:
        """Where it stands in the case."""
        return (self.field,) if self.index is None else (self.field, self.index)


class Case(Strict):
    """One fixed input of the suite. A family's cases may have fields of their own."""

    withheld: ClassVar[Mapping[str, tuple[Kind, ...]]] = {}
    """Fields of the family's own that name files which the model does not get, such as a ground truth: a path or a list
    of paths → what they must be. They are checked, digested and measured with as inputs are."""

    says_truth: ClassVar[bool] = False
    """Whether fields of the family's own say what is true, so that the model may not read ``suite.yaml``."""

    name: CaseName
    inputs: dict[str, RelativePath]
    """Input name (``image``, ``audio``) → file, relative to the suite's directory."""
    parameters: dict[str, Scalar] = Field(default_factory=dict)
    """Parameter name → value; goes before ``call.parameters``."""
    slices: list[SliceName] = Field(default_factory=list)
    """Groups that the case belongs to; a rule may look at one of them alone."""
    expect: Annotated[Expect | None, Field(exclude_if=lambda value: value is None)] = None
    """The model must refuse this case, like this; left out: it must answer. (A suite without it keeps its digest.)"""

    def withheld_kinds(self, field: str) -> tuple[Kind, ...]:
        """What the files of a field of :attr:`withheld` must be in this case."""
        return self.withheld[field]

    @property
    def withheld_files(self) -> list[WithheldFile]:
        """The files that the model does not get, in the order of the fields."""
        found: list[WithheldFile] = []
        for name in self.withheld:
            value = getattr(self, name)
            if isinstance(value, str):
                found.append(WithheldFile(name, None, value))
            else:
                found += [WithheldFile(name, index, file) for index, file in enumerate(value or ())]
        return found

    @property
    def inapplicable(self) -> Mapping[str, str]:
        """Metrics that can have no value for this case, whatever the answer is → why. Rules do not count it.

        Only what the case itself says may decide, its ``parameters`` with the contract's defaults, never an answer.
        """
        return {}

    @property
    def files(self) -> list[str]:
        """All files that it names, inputs first; relative to the suite's directory."""
        return [*self.inputs.values(), *(found.file for found in self.withheld_files)]


class Licence(Strict):
    """What the files of a suite may be used for, and where they are from."""

    licence: Line
    """An SPDX expression: ``CC-BY-4.0``. Any other text is for people."""
    origin: Line
    """Whose they are, or an address."""


class Suite(Strict):
    """``suite.yaml``: the fixed cases of a test."""

    version: Literal[1]
    family: FamilyName
    """As in the contract."""
    cases: Annotated[list[Case], Field(min_length=1, max_length=MAX_CASES)]
    reference: RelativePath | None = None
    """A directory of images or videos that FID and KID compare with."""
    licences: Annotated[
        dict[FilePattern, Licence], Field(max_length=MAX_LICENCES, exclude_if=lambda value: not value)
    ] = Field(default_factory=dict)
    """Pattern of files (``voices/*``) → their licence; the first that a file is named like. (A suite without it keeps
    its digest.)"""

    def only(self, slice_name: str) -> Suite:
        """The suite with only the cases that carry ``slice_name``; all of it if that is empty.

        Raises:
            UsageError: no case carries it.
        """
        if not slice_name:
            return self
        cases = [case for case in self.cases if slice_name in case.slices]
        if not cases:
            known = sorted({name for case in self.cases for name in case.slices})
            raise UsageError(
                f"no case carries the slice '{slice_name}'",
                where="suite.yaml",
                todo=f"Slices: {', '.join(known) or 'none'}.",
            )
        return self.model_copy(update={"cases": cases})

    @field_validator("cases")
    @classmethod
    def _no_name_twice(cls, value: list[Case]) -> list[Case]:
        counts = Counter(case.name.lower() for case in value)
        if twice := sorted(name for name in counts if counts[name] > 1):
            raise ValueError(f"two cases are named '{twice[0]}'")
        return value


def suite_model(family_name: str) -> type[Suite]:
    """The model of a family's ``suite.yaml``: its cases have the family's own fields."""
    found = find_family(family_name)
    return Suite if found is None else _suite_of(found.case)


@cache
def _suite_of(case: str) -> type[Suite]:
    cases = Annotated[list[load(case)], Field(min_length=1, max_length=MAX_CASES)]  # type: ignore[valid-type, misc]
    fields: dict[str, Any] = {"cases": (cases, ...)}
    made: type[Suite] = create_model("Suite", __base__=Suite, **fields)
    return made
