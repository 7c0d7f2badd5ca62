"""CycloneDX's own schema, as the project's Python library carries it."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator


@cache
def _validator() -> JsonStrictValidator:
    return JsonStrictValidator(SchemaVersion.V1_6)


def schema_fault(document: dict[str, Any]) -> object | None:
    """What a document has that CycloneDX 1.6 does not allow; ``None``: nothing."""
    return _validator().validate_str(json.dumps(document))
