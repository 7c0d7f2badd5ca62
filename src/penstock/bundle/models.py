"""The records of a bundle. Versioned: a bundle of an older version stays readable."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from penstock.bundle.estimates import RatingCount, StandardError, Tail
from penstock.bundle.record import Record
from penstock.contract.policy import Level
from penstock.foundation.errors import one_line

SCHEMA_VERSION = 1
RUN_SCHEMA_VERSION = 2
"""2: ``run.json`` records the parameters; in version 1 they are always empty."""
WHOLE_SUITE = "*"
"""Case name of a value that is measured over the suite as a whole."""
EVALUATION = "evaluation"
"""``track`` of answers that were evaluated without a repository and a release."""
Status = Literal["ok", "failed", "timeout", "skipped"]
Refusal = Literal["as_expected", "accepted", "otherwise"]
"""What came of a case that the model must refuse: it did; it accepted the case; neither (it failed in another way)."""


class Source(Record):
    """Which code ran."""

    url: str
    revision: str
    commit: str
    committer_date: str
    version: str
    """A tag's name without its leading ``v``, else ``0.0.0+<short commit>``."""
    tree: str
    """SHA-256 over the checked-out files."""
    base: Annotated[str, Field(exclude_if=lambda value: not value)] = ""
    """The commit that ``commit`` was merged into before it was tried: the files are those of the merge; empty: none."""


class WeightsFile(Record):
    """One verified file of weights."""

    path: str
    sha256: str
    bytes: int
    source: str = ""
    """Where it came from, as in the contract; empty in records of older versions."""
    signed_by: Annotated[str | None, Field(exclude_if=lambda value: value is None)] = None
    """The platform's key that has signed it: SHA-256 of the public key's DER; ``None``: no signature was asked for."""


class GivenWeightsRecord(Record):
    """Weights that a run was given in place of those of its commit (``--weights``)."""

    path: str
    sha256: str
    replaces: str
    """SHA-256 that the contract names."""
    source: str


class BuiltElsewhere(Record):
    """An image that another system built, and what of it was compared with the commit (docs/adr/0048)."""

    given: str
    """``HOST/PATH@sha256:…``, as the run was given it: where this is an index, :class:`Image` has the manifest of one
    platform in it."""
    compared: int
    """Files of the commit that the image has, where its recipe copies them, with the same content."""
    missing: int = 0
    """Files of the commit that the recipe copies and the image does not have: a file of patterns keeps them out, or a
    later layer takes them out."""


class Image(Record):
    """What was built: an image by digest, or nothing but the process's own code (``kind: process``)."""

    kind: Literal["image", "process"]
    url: str = ""
    digest: str
    """``sha256:…`` of the image manifest, or of the source tree for ``process``."""
    key: str = ""
    """Digest of all that the image was built from, see :mod:`penstock.sources.build_context`; empty where nothing was
    built, and in records of older versions, whose images hold the weights."""
    directory: str = ""
    """The image's working directory, which paths of weights are relative to; empty without a ``key``."""
    built_from: str = ""
    """The commit whose run built it: an earlier one if the image was used again."""
    elsewhere: Annotated[BuiltElsewhere | None, Field(exclude_if=lambda value: value is None)] = None
    """Of an image that another system built; ``None``: Penstock built it, or nothing was built."""

    def same_as(self, other: Image) -> bool:
        """Whether both are the same image, whatever else is recorded of it."""
        return (self.kind, self.url, self.digest) == (other.kind, other.url, other.digest)


class SuiteOrigin(Record):
    """Where a suite was brought from that does not lie in the model's repository."""

    address: str
    """As ``penstock.yaml`` names it."""
    files: str
    """SHA-256 of the list of its files, as ``penstock suite digest`` prints it."""


class SuiteRecord(Record):
    """Which fixed cases were put to the model."""

    digest: str
    """Over the cases and the files that they name, wherever they are from."""
    cases: int
    whole: Annotated[str, Field(exclude_if=lambda value: not value)] = ""
    """Where these are the cases of one slice alone: the digest of the suite that they are of."""


class Machine(Record):
    """Where it ran."""

    system: str
    processor: str
    cores: int
    memory_bytes: int
    gpu: str = ""
    python: str
    versions: dict[str, str] = Field(default_factory=dict)


class StepRecord(Record):
    """One step of a run. ``inputs`` is the digest that decides whether it can be skipped next time."""

    name: str
    status: Literal["done", "unchanged", "failed"]
    started: str
    """UTC, ISO 8601."""
    seconds: float
    inputs: str = ""
    note: str = ""


class Use(Record):
    """One period in which the model was running: from its start to the end of its last call."""

    started: str
    """UTC, ISO 8601."""
    ended: str
    seconds: float


class Isolation(Record):
    """How far the model was confined, see docs/security.md."""

    level: Level
    how: str = ""
    """By what, in words: ``bubblewrap 0.8.0, Landlock ABI 7``."""

    def __str__(self) -> str:
        return f"{self.level} ({self.how})" if self.how else self.level


class ShardRecord(Record):
    """One shard of the suite, as the step *infer* ran it: ``shards/1-of-2/shard.json``, later in ``run.json``."""

    shard: str
    """``1/2``."""
    cases: int
    image: str = ""
    """The image that the step ran in; what is recorded where there are no images is the one of a cluster's process."""
    runtime: str = ""
    """Which driver called the model."""
    started: str
    """UTC, ISO 8601: when the step was first started."""
    ended: str = ""
    """When it was done; empty while it is not."""
    uses: list[Use] = Field(default_factory=list)
    """One entry a time that the step ran (a step whose pod was lost runs again) and had to call the model."""
    machine: Machine | None = None
    isolation: Isolation | None = None
    """``None`` in bundles of older versions."""
    python: str = ""
    """The environment that the model ran on, and what chose it; empty where that is the image's."""

    @property
    def used_s(self) -> float:
        """Seconds in which the model was in use."""
        return round(sum(use.seconds for use in self.uses), 3)


class Inference(Record):
    """How the outputs came about: written by the step *plan*; *collect* adds the shards once they are merged."""

    unchanged: bool
    """Whether the outputs are those of an earlier run."""
    products: str = ""
    """Digest of all that the outputs depend on; empty if none are kept for later runs."""
    parts: list[str]
    """The shards that the suite was split into: ``["1/2", "2/2"]``."""
    shards: list[ShardRecord] = Field(default_factory=list)
    used_s: float = 0.0
    """Seconds in which a model was in use, over all shards."""
    filled: dict[str, dict[str, float]] = Field(default_factory=dict)
    """Case → the parameters that it leaves to its inputs (``duration``: as long as its audio) → value."""
    machine: Machine | None = None
    """Where the outputs of an earlier run were made; ``None``: the model ran in this one, or that was not kept."""
    isolation: Level | None = None
    """The level that models get where this was planned; outputs of an earlier run were made at the same."""
    demanded: Level = "none"
    """The level that the policy demands: *infer* starts no model that gets less."""


class Run(Record):
    """``run.json``: what ran."""

    schema_version: int = RUN_SCHEMA_VERSION
    penstock: str
    run_id: str
    track: str = "release"
    model: str = ""
    family: str = ""
    source: Source | None = None
    weights: list[WeightsFile] = Field(default_factory=list)
    image: Image | None = None
    suite: SuiteRecord | None = None
    suite_from: Annotated[SuiteOrigin | None, Field(exclude_if=lambda value: value is None)] = None
    """Where the suite was brought from; ``None``: it lies in the repository."""
    inference: Inference | None = None
    extractors: dict[str, str] = Field(default_factory=dict)
    """Role (``lipsync``, ``frechet``) → ``name@sha256:…``."""
    stored_extractors: dict[str, str] = Field(default_factory=dict)
    """Of a release whose archived outputs were measured again: ``extractors`` as it was stored; empty elsewhere."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """Default parameters of every case, the preset's included; cases' own are in the suite."""
    machine: Machine | None = None
    steps: list[StepRecord] = Field(default_factory=list)
    regated_from: str | None = None
    """Id of the archived run whose outputs these are: they were judged again, against another release."""
    notes: str = ""
    """``RELEASE_NOTES`` of ``model_version.txt``; none where the run was given other weights."""
    given_weights: GivenWeightsRecord | None = None
    """The weights that it was given in place of its commit's."""
    compared_with: str | None = None
    """Run id of the release whose answers some of the values compare with; ``None``: none of them do."""
    use_onnx: bool | None = None
    """Of a contract with ``export``: whether the model computes with the exported file, or with its trained weights;
    ``None``: nothing was compared, and the model decides for itself."""
    target: str | None = None
    """Where the contract says that its releases are served; ``None``: nowhere that Penstock brings them to."""


class CallRecord(Record):
    """One of the named calls of a case."""

    name: str
    """Its name in the contract's ``calls``."""
    status: Status
    latency_s: float | None = None
    http_status: int | None = None
    peak_memory_mib: float | None = None
    gpu_memory_mib: float | None = None
    output: str | None = None
    """``outputs/CASE/NAME.json``; ``None`` if nothing came back."""
    error: str | None = None
    refusal: Refusal | None = None
    started: str


class Invocation(Record):
    """One line of ``invocations.jsonl``: one case that was put to the model.

    Where a case takes several calls, ``calls`` has each of them: the status, error and exit code here are those of the
    first that was not ``ok``, latency is their sum, memory the largest, and ``output`` is ``None``.
    """

    case: str
    status: Status
    latency_s: float | None = None
    http_status: int | None = None
    exit_code: int | None = None
    peak_memory_mib: float | None = None
    gpu_memory_mib: float | None = None
    output: str | None = None
    """Path of what came back, relative to the bundle (``outputs/CASE/output.mp4``); ``None`` if nothing did."""
    error: str | None = None
    attempts: int = 1
    warm: bool = True
    """Whether the model had answered a call before, so that no start-up cost is in the latency."""
    started: str | None = None
    """When the case was put to the model: UTC, ISO 8601; ``None`` in bundles of older versions."""
    refusal: Refusal | None = None
    """Of a case that the model must refuse: what came of that; ``None``: it must answer."""
    calls: list[CallRecord] = Field(default_factory=list)
    """The calls that were made, in their order, where the contract names several; it ends with the first that was not
    ``ok`` or was refused."""

    @property
    def outputs(self) -> list[str]:
        """Paths of all that came back, relative to the bundle."""
        return list(self.outputs_by_call.values())

    @property
    def outputs_by_call(self) -> dict[str, str]:
        """Name of a call → path of what came back, relative to the bundle; the one call of a case has no name."""
        found = {"": self.output, **{call.name: call.output for call in self.calls}}
        return {name: path for name, path in found.items() if path is not None}

    @property
    def complete(self) -> bool:
        """Whether a case that was ``ok`` names all its outputs; one that was refused need not have any."""
        if self.refusal is not None:
            return True
        return all(call.output for call in self.calls) if self.calls else self.output is not None


class Resamples(Record):
    """A value of the whole suite, computed again on resamples of its cases.

    Two sides with the same ``key`` drew the same cases: the differences of their values, one by one, are the resampled
    differences of the metric.
    """

    cases: int
    """Distinct cases that were drawn from."""
    key: str
    """Digest of the cases' names and of the way in which they were drawn."""
    values: list[float]


class Measurement(Record):
    """One line of ``measurements.jsonl``: one value of one metric for one case."""

    case: Annotated[str, Field(min_length=1)]
    metric: Annotated[str, Field(min_length=1)]
    value: float | None
    unit: str = ""
    slice: Annotated[str | None, Field(min_length=1, exclude_if=lambda value: value is None)] = None
    """Of the case ``*``: the value is about the cases of this slice as a whole; ``None``: about the whole suite."""
    slices: list[str] = Field(default_factory=list)
    extractor: str | None = None
    error: str | None = None
    """Why there is no value; beside one, why it is what it is."""
    resamples: Resamples | None = None
    """Of a value of the whole suite: what its interval is taken from."""
    tail: Annotated[Tail | None, Field(exclude_if=lambda value: value is None)] = None
    """Of a quantile: what an upper bound of it is taken from."""
    standard_error: Annotated[StandardError | None, Field(exclude_if=lambda value: value is None)] = None
    """Of a mean over parts of a run: what an upper bound of it is taken from."""
    ratings: Annotated[RatingCount | None, Field(exclude_if=lambda value: value is None)] = None
    """Of a share of people's ratings: what it was computed from."""
    floor: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    """How far apart the case's own references are by this metric, the mean over their pairs; ``None``: it has one."""
    applies: Annotated[bool, Field(exclude_if=lambda value: value)] = True
    """``False``: the metric says nothing of a case like this whatever the answer is, and ``error`` says why: no rule
    counts the case. Left out: it applies."""

    @model_validator(mode="after")
    def _no_value_where_it_does_not_apply(self) -> Measurement:
        if not self.applies and (self.value is not None or not self.error):
            raise ValueError("where a metric does not apply there is no value, and 'error' says why it does not")
        return self

    @model_validator(mode="after")
    def _share_of_ratings(self) -> Measurement:
        if self.ratings is not None and self.value is not None and not 0 <= self.value <= 1:
            raise ValueError("a share of ratings lies between 0 and 1")
        return self

    @model_validator(mode="after")
    def _whole_slice(self) -> Measurement:
        if self.slice is not None and self.case != WHOLE_SUITE:
            raise ValueError(f"'slice' is of a value about a slice as a whole, whose case is '{WHOLE_SUITE}'")
        return self

    @field_validator("value", mode="before")
    @classmethod
    def _number(cls, value: object) -> object:
        """``true`` and ``"7.9"`` are mistakes, not numbers."""
        if isinstance(value, bool | str):
            raise ValueError("a value is a number or null")
        return value

    @field_validator("error")
    @classmethod
    def _one_line(cls, error: str | None) -> str | None:
        """It may quote a model: no line of it may pass for one of ours, wherever it is shown."""
        return one_line(error) if error is not None else None

    @field_validator("value")
    @classmethod
    def _finite(cls, value: float | None) -> float | None:
        if value is not None and not math.isfinite(value):
            raise ValueError("a value must be finite; leave it out and say why in 'error'")
        return value


class Manifest(Record):
    """``manifest.json``: SHA-256 of every other file of the bundle; written last."""

    schema_version: int = SCHEMA_VERSION
    files: dict[str, str]
