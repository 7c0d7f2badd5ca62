"""What a watch is told of its probes: where both sides are, what is put to them, how often, and the margins."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field, model_validator

from penstock.contract.policy import Strict

MAX_PROBES: Final = 20_000
Address = Annotated[str, Field(pattern=r"^https?://[^\s@?#]+$", max_length=500)]
FilePath = Annotated[str, Field(min_length=1, max_length=1000)]


class ProbeErrorMargin(Strict):
    """How many more probes a canary may fail."""

    ratio: Annotated[float, Field(gt=1.0, le=10.0, strict=True)] = 2.0
    """A canary that alone fails so many times the probes that the stable side alone fails is bad."""
    harmless: Annotated[float, Field(ge=0.005, lt=0.5, strict=True)] = 0.05
    """A share of probes: a canary that surely fails fewer on its own is good."""


class ProbeLatencyMargin(Strict):
    """How much slower a canary may answer the same case."""

    ratio: Annotated[float, Field(ge=1.1, le=10.0, strict=True)] = 1.5
    """A canary that takes so many times as long, in the median of the pairs, is bad."""


class ProbeAnswerMargin(Strict):
    """How many of a canary's answers may be others than those on record."""

    harmless: Annotated[float, Field(ge=0.005, lt=0.5, strict=True)] = 0.05
    """A share of answers: a canary that surely has more of them is bad, one that surely has fewer is good."""


class ProbePolicy(Strict):
    """Cases of a suite, put to both live services in turns."""

    canary: Address
    """The address of the canary's own service, not the router's."""
    stable: Address
    repository: FilePath = "."
    """The folder that holds ``penstock.yaml`` and the suite; relative to the policy's file."""
    model: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    """In place of ``repository`` and ``recorded``: the model whose releases are canaries. The suite and the answers of
    each are those of its version, from the store and the repository at its commit."""
    recorded: FilePath | None = None
    """A bundle of the canary's release: its answers are compared with those. ``None``: they are not."""
    journal: FilePath | None = None
    """A file that keeps the pairs, so that a watch that is restarted finds them."""
    slice: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    """Only cases that carry it are put."""
    every_s: Annotated[float, Field(ge=0.1, le=3600.0, strict=True)] = 10.0
    """A pair begins so many seconds after the one before, or later, where answers take longer."""
    most: Annotated[int, Field(ge=1, le=MAX_PROBES, strict=True)] = 500
    """So many pairs at most of each canary, after the warm-up."""
    seed: Annotated[int, Field(ge=0, lt=2**31, strict=True)] = 0
    """Of the lots: which case, and which side first."""
    errors: ProbeErrorMargin = ProbeErrorMargin()
    latency: ProbeLatencyMargin = ProbeLatencyMargin()
    answers: ProbeAnswerMargin = ProbeAnswerMargin()
    """With ``recorded``, or ``model``."""

    @property
    def compares(self) -> bool:
        """Whether the canary's answers are compared with those on record."""
        return self.recorded is not None or self.model is not None

    @model_validator(mode="after")
    def _says_once_what_is_put(self) -> ProbePolicy:
        if self.model is not None and {"repository", "recorded"} & self.model_fields_set:
            raise ValueError("'model' brings suite and record of each release: leave repository and recorded out")
        return self
