"""A case of a matting suite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from penstock.contract.models import Case, RelativePath
from penstock.foundation.media_kinds import Kind

MAX_TRUTHS = 20
NO_MOTION = "a photograph has no motion"


class MattingCase(Case):
    """A photo or a clip, and what is known of its subject."""

    withheld: ClassVar[Mapping[str, tuple[Kind, ...]]] = {
        "truth": ("image", "video"),
        "trimap": ("image", "video"),
        "foreground": ("image", "video"),
    }

    truth: RelativePath | Annotated[list[RelativePath], Field(min_length=1, max_length=MAX_TRUTHS)] | None = None
    """The true matte: a grey PNG of the photo's size, or one with alpha; of a clip a lossless video of as many frames,
    grey or with alpha; or several, of several annotators."""
    trimap: RelativePath | None = None
    """Grey PNG of the photo's size (of a clip, a lossless grey video), 128 where it is not known: MAE, MSE, SAD, Grad
    and Conn look only there."""
    foreground: RelativePath | None = None
    """The subject's true colours, a picture of the photo's size (of a clip, a video): what `fringe` compares with."""
    shadow: Literal["keep", "drop"] | None = None
    """Whether the subject's shadow is part of the true matte, for those who look at the case."""

    @property
    def is_clip(self) -> bool:
        """Whether it is a clip; else a photo."""
        return "video" in self.inputs

    @property
    def inapplicable(self) -> Mapping[str, str]:
        """A photo has no motion; without true colours nothing can be said of the answer's."""
        found = {} if self.is_clip else {"dtssd": NO_MOTION}
        return found if self.foreground is not None else found | {"fringe": "the case names no foreground"}

    def withheld_kinds(self, field: str) -> tuple[Kind, ...]:  # noqa: ARG002 (all are as the input)
        """Pictures beside a photo, videos beside a clip."""
        return ("video",) if self.is_clip else ("image",)

    @model_validator(mode="after")
    def _photo_or_clip(self) -> MattingCase:
        if "image" in self.inputs and "video" in self.inputs:
            raise ValueError("a case is a photo ('image') or a clip ('video'), not both: make it two cases")
        return self

    @model_validator(mode="after")
    def _has_a_truth(self) -> MattingCase:
        if self.truth is None and self.expect is None:
            raise ValueError("the field 'truth' is missing: the true matte, which answers are compared with")
        return self
