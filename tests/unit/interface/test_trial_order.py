"""What the process is told, and says, travels as JSON."""

from __future__ import annotations

from pathlib import Path

from penstock.bundle.interface_record import InterfaceFinding, TriedOperation
from penstock.interface.trial_order import GivenAnswer, Trial, TrialOrder


def test_an_order_and_what_came_of_it_are_read_as_they_were_written() -> None:
    answers = [GivenAnswer(case="one", method="GET", path="/a", status=200, file=Path("/b/one.json"))]
    order = TrialOrder(
        document={"openapi": "3.1.0"},
        port=40123,
        ready="/healthz",
        examples=3,
        seconds=5.0,
        seed=1,
        timeout_s=2.0,
        inputs=[Path("/s/one.png")],
        answers=answers,
        folder=Path("/f"),
        readable=["/usr"],
    )
    assert TrialOrder.model_validate_json(order.model_dump_json()) == order
    assert order.origin == "http://127.0.0.1:40123"
    trial = Trial(
        tool="t",
        operations=[TriedOperation(operation="GET /a", statuses={"200": 3})],
        findings=[InterfaceFinding(operation="GET /a", kind="status", what="x")],
    )
    assert Trial.model_validate_json(trial.model_dump_json()) == trial
