"""A case of a talking head's suite."""

from __future__ import annotations

from pydantic import field_validator

from penstock.contract.models import Case

FaceBox = tuple[float, float, float, float]


class TalkingHeadCase(Case):
    """A portrait and speech, and where the face will be."""

    face_box: FaceBox | None = None
    """``x, y, width, height`` of the face in the *output* video, as shares (0..1) of its width and height."""

    @field_validator("face_box")
    @classmethod
    def _in_frame(cls, value: FaceBox | None) -> FaceBox | None:
        if value is not None:
            x, y, width, height = value
            if not (0 <= x < 1 and 0 <= y < 1 and 0 < width <= 1 - x and 0 < height <= 1 - y):
                raise ValueError("face_box must be x, y, width, height as shares of the frame, inside it")
        return value
