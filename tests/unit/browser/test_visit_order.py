"""The order goes to the process as JSON, and comes out as it was."""

from __future__ import annotations

from pathlib import Path

from penstock.browser.visit_order import Visit, VisitOrder
from penstock.contract.page import Page, PageResult


def test_an_order_comes_out_as_it_was() -> None:
    page = Page(upload={"#in": "image"}, fill={"#n": 3}, result=PageResult(selector="#out", text="done"))
    order = VisitOrder(
        page=page, port=4711, inputs={"image": Path("/a/人像.png")}, folder=Path("/f"), program="/c", readable=["/usr"]
    )
    again = VisitOrder.model_validate_json(order.model_dump_json())
    assert again == order
    assert again.origin == "http://127.0.0.1:4711"


def test_a_visit_without_a_fault_says_so() -> None:
    assert Visit.model_validate_json(Visit().model_dump_json()).fault is None
