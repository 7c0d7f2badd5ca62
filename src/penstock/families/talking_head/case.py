"""A case of a talking head's suite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, StringConstraints, field_validator

from penstock.contract.models import Case

MIN_RESOLUTION = "min_resolution"
"""Sonic's parameter: pixels that the shorter side must have at least."""
FaceBox = tuple[float, float, float, float]
Side = Annotated[int, Field(ge=16, le=16_384, strict=True)]
SpokenText = Annotated[str, StringConstraints(min_length=1, max_length=20_000, strip_whitespace=True)]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)]


class TalkingHeadCase(Case):
    """A portrait and speech, and where the face will be."""

    face_box: FaceBox | None = None
    """``x, y, width, height`` of the face in the *output* video, as shares (0..1) of its width and height."""

    text: Annotated[SpokenText | None, Field(exclude_if=lambda value: value is None)] = None
    """What is said in the case's recording, word for word. (A suite without it keeps its digest.)"""
    language: Annotated[Language | None, Field(exclude_if=lambda value: value is None)] = None
    """Of the text, as BCP 47 has it: `en`, `de`, `pt-BR`; left out: English."""

    size: Annotated[tuple[Side, Side] | None, Field(exclude_if=lambda value: value is None)] = None
    """Width and height in pixels that the video must have; left out: what the parameter ``min_resolution`` says."""

    @property
    def inapplicable(self) -> Mapping[str, str]:
        """Lips are looked at where it is known which sounds are said: in English, where the case has the text. A video
        is as large as was asked for where somebody has asked.
        """
        found = {"lip_closure": self._no_sounds, "size_error": self._no_size}
        return {metric: why for metric, why in found.items() if why}

    @property
    def _no_sounds(self) -> str:
        if self.text is None:
            return "the case does not say what is said in it ('text')"
        if self.language is not None and self.language.partition("-")[0] != "en":
            return f"sounds are found in English only, and the case's language is '{self.language}'"
        return "" if set(self.text.lower()) & set("pbm") else "its text has no p, b or m"

    @property
    def _no_size(self) -> str:
        if self.size is not None or MIN_RESOLUTION in self.parameters:
            return ""
        return f"neither the case ('size') nor the parameter '{MIN_RESOLUTION}' says how large the video must be"

    @field_validator("face_box")
    @classmethod
    def _in_frame(cls, value: FaceBox | None) -> FaceBox | None:
        if value is not None:
            x, y, width, height = value
            if not (0 <= x < 1 and 0 <= y < 1 and 0 < width <= 1 - x and 0 < height <= 1 - y):
                raise ValueError("face_box must be x, y, width, height as shares of the frame, inside it")
        return value
