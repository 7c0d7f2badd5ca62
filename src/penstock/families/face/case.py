"""A case of a face suite: one image, or a pair."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field, StringConstraints, model_validator

from penstock.contract.models import Case, SliceName

Identity = Annotated[str, StringConstraints(min_length=1, max_length=200)]
OF_IMAGES = ("face_quality", "fnmr", "fmr", "drift")
OF_GOOD_IMAGES = ("fnmr", "fmr", "drift")
"""Of images of a face whose identity can be told: a blurred one says nothing of the comparison."""
OF_KNOWN_PEOPLE = ("fnmr", "fmr")


class FaceCase(Case):
    """An image and who is on it, or two images and whether they show one person."""

    says_truth: ClassVar[bool] = True

    identity: Identity | None = None
    """Who is on the image; left out, nobody knows, and it is compared with no other."""
    ood: SliceName | None = None
    """Why recognition should not be asked about it, in one word: `blur`, `mask`, `no-face`. It is a slice, too. Left
    out: a good photo of a face; of a pair, two of them."""
    same: bool | None = None
    """Of a pair: whether both images show the same person."""
    identities: Annotated[list[Identity], Field(min_length=2, max_length=2)] | None = None
    """Of a pair: who is on the first and on the second image."""

    @property
    def is_pair(self) -> bool:
        """Whether it is two images; else one."""
        return "image" not in self.inputs

    @property
    def inapplicable(self) -> Mapping[str, str]:
        """What is measured of single images says nothing of a pair, and the other way round."""
        if self.is_pair:
            return dict.fromkeys(OF_IMAGES, "it is measured of single images, and this is a pair")
        found = {"bands": "it is measured of pairs, and this is a single image"}
        if self.ood is not None:
            return found | dict.fromkeys(OF_GOOD_IMAGES, f"the image is out of distribution ({self.ood})")
        if self.identity is None:
            return found | dict.fromkeys(OF_KNOWN_PEOPLE, "the case does not say who is on the image")
        return found

    @model_validator(mode="before")
    @classmethod
    def _ood_is_a_slice(cls, value: Any) -> Any:
        if not isinstance(value, dict) or not isinstance(value.get("ood"), str):
            return value
        slices = value.get("slices", [])
        if not isinstance(slices, list) or value["ood"] in slices:
            return value
        return {**value, "slices": [*slices, value["ood"]]}

    @model_validator(mode="after")
    def _image_or_pair(self) -> FaceCase:
        pair = {"first", "second"} & self.inputs.keys()
        if "image" in self.inputs and pair:
            raise ValueError("a case is an image ('image') or a pair ('first', 'second'), not both: make it two cases")
        if "image" not in self.inputs and len(pair) < 2:
            raise ValueError("a case has the input 'image', or the inputs 'first' and 'second'")
        if not pair and (self.same is not None or self.identities is not None):
            raise ValueError("'same' and 'identities' are said of a pair; of an image say 'identity'")
        if pair and self.identity is not None:
            raise ValueError("'identity' is said of an image; of a pair say 'identities: [NAME, NAME]'")
        return self

    @model_validator(mode="after")
    def _same_or_not(self) -> FaceCase:
        if not self.is_pair:
            return self
        if self.same is None and self.expect is None:
            raise ValueError("the field 'same' is missing: whether both images show the same person")
        if self.identities is not None and self.same is not None:
            first, second = self.identities
            if self.same is not (first == second):
                raise ValueError(f"'same' is {str(self.same).lower()}, and the identities are '{first}' and '{second}'")
        return self
