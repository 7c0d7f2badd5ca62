"""Records of a newer version can be read; none is changed."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from penstock.bundle.record import Record


class Small(Record):
    name: str


def test_fields_of_a_newer_version_are_kept_out_of_the_way() -> None:
    assert Small.model_validate({"name": "a", "colour": "green"}) == Small(name="a")


def test_it_is_never_changed() -> None:
    with pytest.raises(ValidationError):
        Small(name="a").name = "b"  # type: ignore[misc]
