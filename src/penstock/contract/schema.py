"""JSON Schemas of what people write, for editors and for checks in other languages."""

from __future__ import annotations

import ast
import inspect
from types import ModuleType
from typing import Any

from pydantic import BaseModel

from penstock.contract import expectation, export, http_call, model_log, models, page, policy
from penstock.contract.http_call import Http, HttpCall
from penstock.contract.models import Contract, suite_model
from penstock.contract.policy import Policy
from penstock.families.registry import family, family_names, find_preset, preset_names
from penstock.foundation.references import load

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ONE_CALL = ("path", "response")
"""What a contract's one call says of itself, or each of several."""


def contract_schema() -> dict[str, Any]:
    """JSON Schema of ``penstock.yaml`` as it is written: a preset leaves out what it fills."""
    schema = _schema(Contract, "penstock.yaml")
    schema["properties"]["family"]["enum"] = list(family_names())
    definitions = schema["$defs"]
    filled = definitions["Http"]
    definitions["HttpWithPreset"] = {**filled, "description": "What a preset does not fill, or what replaces it."}
    definitions["Http"] = {**filled, "anyOf": [{"required": list(ONE_CALL)}, {"required": ["calls"]}]}
    definitions["Page"].pop("required")  # a preset may fill it
    call = definitions["Call"]
    call["properties"]["http"] = {
        "type": ["object", "null"],
        "description": call["properties"]["http"].get("description", ""),
    }
    call["properties"]["preset"] |= {"enum": [*preset_names(), None]}
    chosen = {"properties": {"preset": {"type": "string"}}, "required": ["preset"]}
    call["if"] = chosen
    call["then"] = {
        "properties": {"http": {"$ref": "#/$defs/HttpWithPreset"}, "command": {"type": "null"}},
        "required": ["http"],
    }
    call["allOf"] = [_left_to_the_contract(name) for name in preset_names()]
    one_of = [
        {"properties": {"http": {"$ref": "#/$defs/Http"}, "command": {"type": "null"}}, "required": ["http"]},
        {"properties": {"command": {"$ref": "#/$defs/Command"}, "http": {"type": "null"}}, "required": ["command"]},
    ]
    call["else"] = {"oneOf": one_of}
    return schema


def _left_to_the_contract(name: str) -> dict[str, Any]:
    """That a contract with this preset says what the preset leaves out of a call."""
    preset = find_preset(name)
    http = preset.http if preset is not None else {}
    missing = [] if "calls" in http else [field for field in ONE_CALL if field not in http]
    return {
        "if": {"properties": {"preset": {"const": name}}, "required": ["preset"]},
        "then": {"properties": {"http": {"required": ["argv", *missing]}}},
    }


def suite_schema(name: str) -> dict[str, Any]:
    """JSON Schema of ``suite.yaml`` for cases of the family ``name``.

    Raises:
        UsageError: there is no such family.
    """
    case: type[BaseModel] = load(family(name).case)
    schema = _schema(suite_model(name), "suite.yaml", case)
    schema["properties"]["family"]["const"] = name
    return schema


def policy_schema() -> dict[str, Any]:
    """JSON Schema of a policy in a file of its own."""
    return _schema(Policy, "policy")


def _schema(model: type[BaseModel], title: str, case: type[BaseModel] | None = None) -> dict[str, Any]:
    schema = {"$schema": DIALECT, **model.model_json_schema(), "title": title}
    texts = field_texts(models, http_call, page, export, model_log, expectation, policy)
    for call in (HttpCall, Http):
        texts[call.__name__] = {
            field: text for base in reversed(call.__mro__) for field, text in texts.get(base.__name__, {}).items()
        }
    if case is not None:
        own = field_texts(inspect.getmodule(case))
        texts[case.__name__] = {**texts["Case"], **own.get(case.__name__, {})}
    for name, definition in {**schema.get("$defs", {}), model.__name__: schema}.items():
        for field, content in definition.get("properties", {}).items():
            content.pop("title", None)
            if "patternProperties" in content:
                content["additionalProperties"] = False
            if text := texts.get(name, {}).get(field):
                content["description"] = text
        if name == "Rule":
            definition["anyOf"] = [{"required": [field]} for field in ("min", "max", "margin")]
    return schema


def field_texts(*modules: ModuleType | None) -> dict[str, dict[str, str]]:
    """Model → field → the text below it in the source. Read only here: pydantic would do it at every start."""
    texts: dict[str, dict[str, str]] = {}
    for module in filter(None, modules):
        for statement in ast.parse(inspect.getsource(module)).body:
            if isinstance(statement, ast.ClassDef):
                texts[statement.name] = dict(_texts_of(statement))
    return texts


def _texts_of(definition: ast.ClassDef) -> list[tuple[str, str]]:
    found = []
    for field, below in zip(definition.body, definition.body[1:], strict=False):
        if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
            continue
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str):
            found.append((field.target.id, inspect.cleandoc(below.value.value).replace("``", "`")))
    return found
