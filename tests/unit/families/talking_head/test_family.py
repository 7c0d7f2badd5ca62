"""What a talking head is."""

from __future__ import annotations

from penstock.extractors.shipped import SHIPPED
from penstock.families.registry import family
from penstock.families.talking_head.family import FAMILY


def test_it_is_in_the_table_and_its_stand_ins_come_along() -> None:
    assert family("talking-head") == FAMILY
    assert {role.stand_in for role in FAMILY.roles.values()} <= set(SHIPPED)
    assert FAMILY.filled["duration"].input in FAMILY.inputs
