"""Which fields there are, and where: of made-up models, and of all that people write."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field

from penstock.contract.model_fields import fields_at, places_of
from penstock.contract.models import Contract, Suite
from penstock.foundation.yaml_text import KeyPath


class Leaf(BaseModel):
    depth: int = 0
    own: str = Field(default="", alias="written")


class Branch(BaseModel):
    leaf: Leaf | None = None
    leaves: dict[str, Annotated[Leaf | str, "either"]] = {}
    again: list[Branch] = []


class Tree(BaseModel):
    branch: Branch
    branches: list[Branch]
    height: float | int = 1


def test_fields_of_a_place_are_as_they_are_written() -> None:
    assert fields_at(Tree, ()) == ["branch", "branches", "height"]
    assert fields_at(Tree, ("branches", 3, "leaves", "x")) == ["depth", "written"]
    assert fields_at(Tree, ("height",)) == fields_at(Tree, ("nothing", "there")) == []


@pytest.mark.parametrize(
    ("name", "path", "places"),
    [
        ("depth", ("branch",), [("branch", "leaf"), ("branch", "leaves", "*")]),
        ("depth", ("branch", "leaf"), [("branch", "leaf")]),
        ("written", ("branches", 2), [("branches", 2, "leaf"), ("branches", 2, "leaves", "*")]),
        ("height", ("branch", "leaf"), [()]),
        ("leaf", (), [("branch",), ("branches", "*")]),
        ("own", (), []),
        ("nothing", (), []),
    ],
)
def test_the_nearest_places_of_a_name(name: str, path: KeyPath, places: list[KeyPath]) -> None:
    assert places_of(Tree, name, path) == places


def all_fields(model: type[BaseModel], path: KeyPath = ()) -> list[tuple[KeyPath, str]]:
    """Every field below a model, by the fields that are named in turn."""
    found: list[tuple[KeyPath, str]] = []
    for name in fields_at(model, path):
        found.append((path, name))
        for below in ((*path, name), (*path, name, 0), (*path, name, "x")):
            if len(path) < 6 and fields_at(model, below):
                found += all_fields(model, below)
    return found


@pytest.mark.parametrize("model", [Contract, Suite])
def test_every_field_of_every_nested_model_is_found_from_the_top(model: type[BaseModel]) -> None:
    fields = all_fields(model)
    assert len(fields) > 15
    for path, name in fields:
        generic: Any = tuple("*" if part in (0, "x") else part for part in path)
        beside = places_of(model, name, path)
        assert path in beside or generic in beside, (path, name)
