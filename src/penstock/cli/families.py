"""``penstock families``: which kinds of models there are."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from penstock.families.family import Family


def families(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: all that each family says of itself.")] = False,
) -> None:
    """List the families of models, with their presets, networks and metrics.

    Families of other distributions are found by the entry point `penstock.families`. One that cannot be loaded is named
    in a warning.

    Example: penstock families --json
    """
    from penstock.families.registry import BUILT_IN, usable_families

    found = list(usable_families())
    if as_json:
        content = [_content(each, built_in=each.name in BUILT_IN) for each in found]
        typer.echo(json.dumps(content, indent=2, ensure_ascii=False))
        return
    for each in found:
        typer.echo(f"{each.name}: {each.description}" + ("" if each.name in BUILT_IN else " (of another distribution)"))
        typer.echo(f"  inputs    {', '.join(each.inputs) or 'any'}")
        typer.echo(f"  presets   {', '.join(each.presets) or 'none'}")
        networks = [f"{name} ({role.stand_in})" if role.stand_in else name for name, role in each.roles.items()]
        typer.echo(f"  networks  {', '.join(networks) or 'none'}")
        typer.echo(f"  metrics   {', '.join(metric.name for metric in each.metrics)}")
        typer.echo(f"  score     {', '.join(f'penstock score {name}' for name in each.commands) or 'no command'}")


def _content(each: Family, *, built_in: bool) -> dict[str, Any]:
    return {
        "name": each.name,
        "description": each.description,
        "built_in": built_in,
        "inputs": {name: list(kinds) for name, kinds in each.inputs.items()},
        "answers": list(each.answers),
        "presets": list(each.presets),
        "networks": {name: {"stand_in": role.stand_in or None} for name, role in each.roles.items()},
        "metrics": [
            {
                "name": metric.name,
                "title": metric.title,
                "meaning": metric.meaning,
                "unit": metric.unit,
                "direction": metric.direction,
                "network": metric.role,
                "whole_suite": metric.whole_suite,
                "by_slice": metric.by_slice or not metric.whole_suite,
                "timed": metric.timed,
            }
            for metric in each.metrics
        ],
        "score": list(each.commands),
    }
