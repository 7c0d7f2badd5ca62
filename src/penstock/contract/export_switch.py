"""Telling a model whether to compute with its exported file or with its trained weights."""

from __future__ import annotations

from penstock.contract.models import Contract


def with_switch(contract: Contract, use_onnx: bool | None) -> Contract:
    """The contract, whose model is told so by the variable that its ``export`` names.

    Args:
        contract: how the model is called.
        use_onnx: ``None``: nothing is known, and the model decides for itself.
    """
    if contract.export is None or use_onnx is None:
        return contract
    environment = {**contract.call.env, contract.export.switch: str(use_onnx).lower()}
    return contract.model_copy(update={"call": contract.call.model_copy(update={"env": environment})})
