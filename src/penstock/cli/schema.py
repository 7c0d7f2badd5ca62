"""``penstock schema``: JSON Schemas for editors."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from penstock.families.registry import default_family

DEFAULT = default_family()


def schema(
    suite: Annotated[bool, typer.Option("--suite", help="The schema of suite.yaml.")] = False,
    family: Annotated[
        str, typer.Option(metavar="NAME", help="Whose suite.yaml; `penstock families` lists them.")
    ] = DEFAULT,
    policy: Annotated[bool, typer.Option("--policy", help="The schema of a policy in a file of its own.")] = False,
) -> None:
    """Print the JSON Schema of penstock.yaml (or of a suite, or a policy).

    Example: penstock schema > penstock.schema.json
    """
    from penstock.contract.schema import contract_schema, policy_schema, suite_schema
    from penstock.foundation.errors import UsageError

    if suite and policy:
        raise UsageError("choose one of --suite and --policy")
    chosen = suite_schema(family) if suite else policy_schema() if policy else contract_schema()
    typer.echo(json.dumps(chosen, indent=2, ensure_ascii=False))
