"""JSON Schemas of what people write, for editors and for checks in other languages."""

from __future__ import annotations

import ast
import inspect
from typing import Any

from pydantic import BaseModel

from penstock.contract import models, policy
from penstock.contract.models import Contract, Suite
from penstock.contract.policy import Policy

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def contract_schema() -> dict[str, Any]:
    """JSON Schema of ``penstock.yaml`` as it is written: a preset leaves out what it fills."""
    schema = _schema(Contract, "penstock.yaml")
    definitions = schema["$defs"]
    filled = definitions["Http"]
    definitions["HttpWithPreset"] = {
        **filled,
        "required": ["argv"],
        "description": "What a preset does not fill, or what replaces it.",
    }
    call = definitions["Call"]
    call["properties"]["http"] = {
        "type": ["object", "null"],
        "description": call["properties"]["http"].get("description", ""),
    }
    chosen = {"properties": {"preset": {"type": "string"}}, "required": ["preset"]}
    call["if"] = chosen
    call["then"] = {
        "properties": {"http": {"$ref": "#/$defs/HttpWithPreset"}, "command": {"type": "null"}},
        "required": ["http"],
    }
    one_of = [
        {"properties": {"http": {"$ref": "#/$defs/Http"}, "command": {"type": "null"}}, "required": ["http"]},
        {"properties": {"command": {"$ref": "#/$defs/Command"}, "http": {"type": "null"}}, "required": ["command"]},
    ]
    call["else"] = {"oneOf": one_of}
    return schema


def suite_schema() -> dict[str, Any]:
    """JSON Schema of ``suite.yaml``."""
    return _schema(Suite, "suite.yaml")


def policy_schema() -> dict[str, Any]:
    """JSON Schema of a policy in a file of its own."""
    return _schema(Policy, "policy")


def _schema(model: type[BaseModel], title: str) -> dict[str, Any]:
    schema = {"$schema": DIALECT, **model.model_json_schema(), "title": title}
    texts = field_texts()
    for name, definition in {**schema.get("$defs", {}), model.__name__: schema}.items():
        for field, content in definition.get("properties", {}).items():
            content.pop("title", None)
            if text := texts.get(name, {}).get(field):
                content["description"] = text
        if name == "Rule":
            definition["anyOf"] = [{"required": [field]} for field in ("min", "max", "margin")]
    return schema


def field_texts() -> dict[str, dict[str, str]]:
    """Model → field → the text below it in the source. Read only here: pydantic would do it at every start."""
    texts: dict[str, dict[str, str]] = {}
    for module in (models, policy):
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
