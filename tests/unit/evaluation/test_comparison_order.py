"""What goes to the comparing process and back is the same on both sides."""

from __future__ import annotations

from pathlib import Path

from penstock.evaluation.comparison_order import ComparedAnswers, ComparisonOrder


def test_an_order_is_read_as_it_was_written() -> None:
    order = ComparisonOrder(
        compare="a.b:c",
        limits={"mae": 0.1},
        one={"": Path("/a")},
        other={"": Path("/b")},
        given={"steps": 4, "hint": "x", "fast": True, "scale": 0.5},
        folder=Path("/f"),
        readable=["/usr"],
    )
    assert ComparisonOrder.model_validate_json(order.model_dump_json()) == order
    made = ComparedAnswers(values={"mae": 0.2}, fault="mae is 0.2")
    assert ComparedAnswers.model_validate_json(made.model_dump_json()) == made
