"""A case of a recognition suite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, model_validator

from penstock.contract.models import Case, RelativePath
from penstock.contract.policy import FiniteFloat, Strict
from penstock.foundation.media_kinds import Kind
from penstock.metrics.recognition_text import folded, is_blank

MAX_TEXT = 10_000
MAX_LABELS = 1_000
NO_LABELS = "the case names no labels"
NOTHING_THERE = "nothing is to be found in the picture"
LABEL_METRICS = ("label_precision", "label_recall", "label_f1", "top1", "brier")


def _not_blank(text: str) -> str:
    if is_blank(text):
        raise ValueError("must hold a letter, a digit or a sign")
    return text


Words = Annotated[str, Field(max_length=200), AfterValidator(_not_blank)]
"""A label or a phrase."""
Language = Annotated[str, Field(pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}$")]
"""As in BCP 47: ``zh``, ``en``, ``zh-Hant``."""


def _some_area(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    x, y, width, height = box
    if x < 0 or y < 0 or width <= 0 or height <= 0:
        raise ValueError("a box is x, y, width, height in pixels; width and height are above 0")
    return box


Box = Annotated[tuple[FiniteFloat, FiniteFloat, FiniteFloat, FiniteFloat], AfterValidator(_some_area)]


class TrueObject(Strict):
    """Something that is in the picture."""

    label: Words
    box: Box | None = None
    """``x, y, width, height`` in pixels of the picture as it stands upright."""


class WantedDescription(Strict):
    """What a description must say, and must not: phrases, without case; in scripts with spaces as whole words."""

    required: Annotated[list[Words], Field(max_length=MAX_LABELS)] = Field(default_factory=list)
    forbidden: Annotated[list[Words], Field(max_length=MAX_LABELS)] = Field(default_factory=list)

    @model_validator(mode="after")
    def _says_something(self) -> WantedDescription:
        if not self.required and not self.forbidden:
            raise ValueError("name at least one phrase under 'required' or 'forbidden', or leave 'description' out")
        return self


class RecognitionCase(Case):
    """A picture, and what is known of it. What a case does not say is not measured of it."""

    withheld: ClassVar[Mapping[str, tuple[Kind, ...]]] = {"synonyms": ("text",), "similar": ("text",)}
    says_truth: ClassVar[bool] = True

    labels: Annotated[list[Words], Field(max_length=MAX_LABELS)] | None = None
    """What must be found; an empty list: nothing. Left out: the labels of ``objects``, if there are some."""
    objects: Annotated[list[TrueObject], Field(max_length=MAX_LABELS)] | None = None
    """The objects one by one, with their boxes: for ``map``. Either all of them have a box or none has."""
    description: WantedDescription | None = None
    """What the description must say, and must not."""
    text: Annotated[str, Field(max_length=MAX_TEXT)] | None = None
    """The text in the picture, in the order of reading; empty: there is none."""
    language: Language | None = None
    """Of the labels that come back: which part of ``synonyms`` holds. Left out: all of it."""
    synonyms: RelativePath | None = None
    """A table of names that mean the same, a YAML file: language → label → names. Without one, labels must be the same
    but for case and width."""
    similar: RelativePath | None = None
    """Vectors of labels under a named embedding, a JSON file: a label near enough to a true one counts as it."""

    @property
    def true_labels(self) -> list[str] | None:
        """What must be found; ``None``: the case does not say."""
        if self.labels is not None or self.objects is None:
            return self.labels
        return list(dict.fromkeys(each.label for each in self.objects))

    @property
    def has_boxes(self) -> bool:
        """Whether it says where objects are."""
        return any(each.box is not None for each in self.objects or ())

    @property
    def inapplicable(self) -> Mapping[str, str]:
        """What the case does not say cannot be measured of it."""
        labels = self.true_labels
        found = dict.fromkeys(LABEL_METRICS, NO_LABELS) if labels is None else {}
        if labels == []:
            found |= dict.fromkeys(("label_recall", "top1"), NOTHING_THERE)
        if self.description is None:
            found["phrases"] = "the case says nothing of the description"
        if self.text is None:
            found["cer"] = "the case says no text"
        return found

    @model_validator(mode="after")
    def _says_something(self) -> RecognitionCase:
        if self.expect is None and self.true_labels is None and self.description is None and self.text is None:
            raise ValueError("say what is true: at least one of 'labels', 'objects', 'description', 'text'")
        return self

    @model_validator(mode="after")
    def _objects_fit(self) -> RecognitionCase:
        with_box = [each.box is not None for each in self.objects or ()]
        if any(with_box) and not all(with_box):
            raise ValueError("either all 'objects' have a box, or none has: one without would count as a wrong box")
        known = {folded(label) for label in self.labels} if self.labels is not None else None
        for each in self.objects or ():
            if known is not None and folded(each.label) not in known:
                raise ValueError(f"the object '{each.label}' is not among 'labels': add it, or leave 'labels' out")
        return self
