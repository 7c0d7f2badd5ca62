"""The interfaces of known systems: what each fills of ``call`` and ``page`` in the contract.

What the contract writes beside a preset wins, field by field; ``http.argv``, how the service is started, is always the
contract's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.families.registry import find_preset


def with_preset(name: str, call: Mapping[str, Any]) -> dict[str, Any]:
    """The ``call`` section with the preset filled in below what stands there; what is no mapping stays as it is.

    Of a preset that no family has, nothing is filled in: ``penstock check`` says so.
    """
    preset = find_preset(name)
    filled = dict(call)
    if preset is None:
        return filled
    if isinstance(call.get("http"), dict):
        filled["http"] = _over(preset.http, call["http"])
    if isinstance(call.get("parameters", {}), dict):
        filled["parameters"] = _over(preset.parameters, call.get("parameters", {}))
    return filled


def page_with_preset(contract: Mapping[str, Any]) -> dict[str, Any]:
    """The contract with its ``page``, if it has one, filled in from the preset of ``call``."""
    filled = dict(contract)
    call, page = contract.get("call"), contract.get("page")
    name = call.get("preset") if isinstance(call, dict) else None
    preset = find_preset(name) if isinstance(name, str) else None
    if isinstance(page, dict) and preset is not None:
        filled["page"] = _over(preset.page, page)
    return filled


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        merged[key] = (
            _over(below[key], value) if isinstance(value, dict) and isinstance(below.get(key), dict) else value
        )
    return merged
