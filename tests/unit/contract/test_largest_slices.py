"""Which slices have values of their own."""

from __future__ import annotations

from penstock.contract.largest_slices import MOST_SLICES, largest_slices
from penstock.contract.models import Case


def case(name: str, *slices: str) -> Case:
    return Case.model_validate({"name": name, "inputs": {"image": "a.png"}, "slices": list(slices)})


def test_in_the_order_of_their_names() -> None:
    assert largest_slices([case("a", "c", "b"), case("b", "a"), case("c")]) == ["a", "b", "c"]
    assert largest_slices([]) == []


def test_the_smallest_are_left_out_and_of_equal_ones_the_last() -> None:
    names = [f"s{number:02}" for number in range(MOST_SLICES + 1)]
    cases = [case(f"{name}-{number}", name) for name in names for number in range(2)]
    assert largest_slices(cases) == names[:-1]
    assert largest_slices([*cases, case("more", names[-1])]) == [*names[:-2], names[-1]]
