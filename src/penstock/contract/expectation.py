"""What a case expects where the model must refuse it."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from penstock.contract.http_call import CallName, JsonPath
from penstock.contract.placeholders import Scalar
from penstock.contract.policy import Strict

StatusCode = Annotated[int, Field(ge=100, le=599, strict=True)]
StatusClass = Annotated[str, Field(pattern=r"^[1-5]xx$")]
_CLASS = re.compile(r"[1-5]xx")


class Expect(Strict, serialize_by_alias=True):
    """The answer with which the model has to refuse a case: a status, values in its JSON, or both."""

    status: StatusCode | StatusClass | Annotated[list[StatusCode | StatusClass], Field(min_length=1)] | None = None
    """A status (`422`), a class of them (`4xx`), or a list of both."""
    values: dict[JsonPath, Scalar | None] = Field(
        default_factory=dict,
        alias="json",
        description='Path → value in the JSON of the answer: `{"$.code": no_face}`.',
    )
    call: CallName | None = None
    """Which of the contract's `calls` is refused; the one call, where there are none."""

    @field_validator("status", mode="before")
    @classmethod
    def _known_status(cls, value: Any) -> Any:
        for item in value if isinstance(value, list) else [value]:
            number = isinstance(item, int) and not isinstance(item, bool) and 100 <= item <= 599
            if item is not None and not number and not (isinstance(item, str) and _CLASS.fullmatch(item)):
                raise ValueError("must be a status such as 422, a class such as 4xx, or a list of them")
        return value

    @model_validator(mode="after")
    def _refuses(self) -> Expect:
        if self.status is None and not self.values:
            raise ValueError("say what is expected: 'status', 'json', or both")
        if not self.values and any(self.has_status(status) for status in range(200, 300)):
            raise ValueError("a status of success refuses nothing by itself: say with 'json' how the refusal is told")
        return self

    def has_status(self, status: int) -> bool:
        """Whether an answer may have this status."""
        if self.status is None:
            return True
        wanted = self.status if isinstance(self.status, list) else [self.status]
        return any(item in (status, f"{status // 100}xx") for item in wanted)

    def in_words(self) -> str:
        """``422``, ``4xx or 503``, ``$.code 'no_face'``, for messages."""
        wanted = self.status if isinstance(self.status, list) else [] if self.status is None else [self.status]
        parts = [" or ".join(map(str, wanted))] if wanted else []
        parts += [f"{path} {value!r}" for path, value in self.values.items()]
        return " with ".join(parts)
