"""JSON schemas of everything that the cluster knows, from its own definitions, for ``kubeconform``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.e2e.facts import Facts

Schema = dict[str, Any]
LOCATION = "{{.ResourceKind}}{{.KindSuffix}}.json"
BUILT_IN = (
    "api/v1",
    "apis/admissionregistration.k8s.io/v1",
    "apis/apps/v1",
    "apis/batch/v1",
    "apis/rbac.authorization.k8s.io/v1",
    "apis/networking.k8s.io/v1",
)
"""The API groups of what Penstock installs beside Tekton's kinds."""
UNKNOWN_FIELDS = "x-kubernetes-preserve-unknown-fields"


def write_schemas(facts: Facts, folder: Path) -> str:
    """Write one schema a kind; returns where ``kubeconform`` finds them."""
    for definition in json.loads(facts.kubectl("get", "customresourcedefinitions", "--output=json"))["items"]:
        spec = definition["spec"]
        for version in spec["versions"]:
            schema = strict(version["schema"]["openAPIV3Schema"])
            if "properties" in schema:
                schema["properties"] = {"apiVersion": {}, "kind": {}, "metadata": {}} | schema["properties"]
            _write(folder, spec["names"]["kind"], spec["group"], version["name"], schema)
    for group in BUILT_IN:
        components = json.loads(facts.kubectl("get", "--raw", f"/openapi/v3/{group}"))["components"]
        components = {"schemas": {name: strict(schema) for name, schema in components["schemas"].items()}}
        for name, schema in components["schemas"].items():
            for kind in schema.get("x-kubernetes-group-version-kind", []):
                content = {"$ref": f"#/components/schemas/{name}", "components": components}
                _write(folder, kind["kind"], kind["group"], kind["version"], content)
    return str(folder / LOCATION)


def strict(schema: Any) -> Any:
    """The schema without leave for fields that it does not name, except where the cluster gives it."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: strict(content) for name, content in schema.items() if name != "properties"}
    if made.pop("x-kubernetes-int-or-string", False):
        made.pop("type", None)
    if "properties" in schema:
        made["properties"] = {name: strict(content) for name, content in schema["properties"].items()}
        made.setdefault("additionalProperties", bool(schema.get(UNKNOWN_FIELDS, False)))
    return made


def _write(folder: Path, kind: str, group: str, version: str, schema: Schema) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    # as kubeconform names them: the first label of the group, if there is one
    name = "-".join(part for part in (kind.lower(), group.partition(".")[0], version) if part) + ".json"
    (folder / name).write_text(json.dumps(schema), encoding="utf-8")
