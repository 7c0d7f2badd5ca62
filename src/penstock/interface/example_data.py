"""Examples in an OpenAPI document are data: a field ``$ref`` in one is a field, and refers to nothing.

Whatever reads the document later may not know that, so that such examples are taken out: they say nothing of what is
allowed. A ``$ref`` that stands in the place of a whole Example Object stays, and is judged as any.
"""

from __future__ import annotations

from typing import Any, Final

NAMED: Final = frozenset(
    {
        "properties",
        "patternProperties",
        "$defs",
        "definitions",
        "dependentSchemas",
        "schemas",
        "responses",
        "parameters",
        "requestBodies",
        "headers",
        "securitySchemes",
        "links",
        "callbacks",
        "pathItems",
        "paths",
        "webhooks",
        "content",
        "encoding",
        "variables",
        "mapping",
        "examples",
    }
)
"""Fields whose own fields are names that the document's author chose: ``example`` may be one of them."""
REFERRING: Final = ("$ref", "$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor")


def drop_referring_examples(document: dict[str, Any]) -> None:
    """Take the examples out that have a field such as ``$ref``: ``example``, entries of a list ``examples``, and
    ``value`` of an Example Object.

    Args:
        document: as it was parsed; it is changed.
    """
    waiting: list[tuple[Any, bool]] = [(document, False)]
    seen: set[tuple[int, bool]] = set()
    while waiting:
        node, names = waiting.pop()
        if (id(node), names) in seen:  # an alias in YAML
            continue
        seen.add((id(node), names))
        if isinstance(node, list):
            waiting += ((each, False) for each in node)
        elif isinstance(node, dict):
            if not names:
                _drop_own(node)
            waiting += ((each, key in NAMED and not names) for key, each in node.items())


def _drop_own(node: dict[str, Any]) -> None:
    """Of one object, not one whose fields are names."""
    if _refers(node.get("example")):
        del node["example"]
    examples = node.get("examples")
    if isinstance(examples, list) and _refers(examples):
        node["examples"] = [each for each in examples if not _refers(each)]
    for each in examples.values() if isinstance(examples, dict) else ():
        if isinstance(each, dict) and _refers(each.get("value")):
            del each["value"]


def _refers(data: Any) -> bool:
    """Whether some object in the data has a field that would be taken for a reference."""
    waiting, seen = [data], set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        if isinstance(node, list):
            seen.add(id(node))
            waiting += node
        elif isinstance(node, dict):
            seen.add(id(node))
            if any(isinstance(node.get(name), str) for name in REFERRING):
                return True
            waiting += node.values()
    return False
