"""What a forge's event says, as far as it is believed: which pull request, at which commit; who wrote what below it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

MAX_COMMENT = 65_536
"""Characters; longer comments are cut: commands stand in the first lines."""
CommitId = Annotated[str, Field(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")]
PullNumber = Annotated[int, Field(ge=1, le=9_999_999_999, strict=True)]
ForgePath = Annotated[str, Field(max_length=300, pattern=r"^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+$")]
PersonName = Annotated[str, Field(max_length=100, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(\[bot\])?$")]


class _Happening(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    path: ForgePath
    """Of the base repository on its forge."""
    number: PullNumber


class PullEvent(_Happening):
    """A pull request was opened, changed or closed. What it is now, the forge is asked."""

    head: CommitId | None
    """Its commit when this happened."""


class CommentEvent(_Happening):
    """Somebody wrote a comment below a pull request."""

    comment: Annotated[int, Field(ge=1, le=1 << 63, strict=True)]
    """Its number on the forge."""
    person: PersonName
    text: str
    written: AwareDatetime
    """By the forge's clock."""


Happening = PullEvent | CommentEvent


class OddEventError(ValueError):
    """A signed event that is not as its forge documents it, or holds a name that nothing is done with."""


def pull_event(**fields: Any) -> PullEvent:
    """Check what was read.

    Raises:
        OddEventError: a field is none.
    """
    try:
        return PullEvent(**fields)
    except ValidationError as error:
        raise OddEventError(_first(error)) from None


def comment_event(*, text: Any, **fields: Any) -> CommentEvent:
    """Likewise."""
    if not isinstance(text, str):
        raise OddEventError("the comment has no text")
    try:
        return CommentEvent(text=text[:MAX_COMMENT], **fields)
    except ValidationError as error:
        raise OddEventError(_first(error)) from None


def _first(error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"[:200]


def at(value: Any, *names: str) -> Any:
    """The value below some names; ``None`` if there is none."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value
