"""A case of a matting suite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from penstock.contract.models import Case, RelativePath
from penstock.foundation.media_kinds import Kind

MAX_TRUTHS = 20


class MattingCase(Case):
    """A photo, and what is known of its subject."""

    withheld: ClassVar[Mapping[str, tuple[Kind, ...]]] = {
        "truth": ("image",),
        "trimap": ("image",),
        "foreground": ("image",),
    }

    truth: RelativePath | Annotated[list[RelativePath], Field(min_length=1, max_length=MAX_TRUTHS)] | None = None
    """The true matte: a grey PNG of the photo's size, or one with alpha; or several, of several annotators."""
    trimap: RelativePath | None = None
    """Grey PNG of the photo's size, 128 where it is not known: MAE, MSE, SAD, Grad and Conn look only there."""
    foreground: RelativePath | None = None
    """The subject's true colours, a picture of the photo's size: what `fringe` compares with."""
    shadow: Literal["keep", "drop"] | None = None
    """Whether the subject's shadow is part of the true matte, for those who look at the case."""

    @model_validator(mode="after")
    def _has_a_truth(self) -> MattingCase:
        if self.truth is None and self.expect is None:
            raise ValueError("the field 'truth' is missing: the true matte, which answers are compared with")
        return self
