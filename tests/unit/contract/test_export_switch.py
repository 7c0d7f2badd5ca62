"""The model is told which weights it computes with, by the variable that its contract names."""

from __future__ import annotations

from tests.unit.contract.test_export import contract

from penstock.contract.export_switch import with_switch


def test_the_variable_says_what_was_found() -> None:
    exported = contract(env={"A": "1"})
    assert with_switch(exported, True).call.env == {"A": "1", "USE_ONNX": "true"}
    assert with_switch(exported, False).call.env == {"A": "1", "USE_ONNX": "false"}
    assert exported.call.env == {"A": "1"}
    named = contract(export={"argv": ["x", "{output}"], "weights": "net.onnx", "switch": "BACKEND_ONNX"})
    assert with_switch(named, False).call.env == {"BACKEND_ONNX": "false"}


def test_without_an_export_or_an_outcome_nothing_is_said() -> None:
    exported = contract()
    assert with_switch(exported, None) is exported
    plain = contract(export=None)
    assert with_switch(plain, False) is plain
