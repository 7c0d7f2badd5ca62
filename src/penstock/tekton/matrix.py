"""The combinations of a matrix, in Tekton's order."""

from __future__ import annotations

from penstock.tekton.manifest import Matrix
from penstock.tekton.manifest_task import Param

MAX_COMBINATIONS = 256
Combination = dict[str, str]


def fan_out(matrix: Matrix) -> list[list[Param]]:
    """The parameters of each TaskRun. The values of the first parameter change fastest."""
    includes = [
        {param.name: param.value if isinstance(param.value, str) else "" for param in include.params}
        for include in matrix.include
    ]
    if includes and not matrix.params:
        return [_as_params(combination) for combination in includes]
    combinations: list[Combination] = []
    for param in matrix.params:
        values = param.value if isinstance(param.value, list) else []
        if not combinations:
            combinations = [{param.name: value} for value in values]
        else:
            combinations = [{**combination, param.name: value} for value in values for combination in combinations]
    for combination in combinations:
        for include in includes:
            if all(combination.get(name, value) == value for name, value in include.items()):
                combination.update(include)
    for include in includes:
        if include and not any(
            combination.get(name) == value and name in combination
            for combination in combinations
            for name, value in include.items()
        ):
            combinations.append(include)
    return [_as_params(combination) for combination in combinations]


def count(matrix: Matrix | None) -> int:
    """How many TaskRuns Tekton makes; references that are not resolved yet count as one value."""
    if matrix is None:
        return 0
    if not matrix.params:
        return len(matrix.include)
    total = 1
    values = {param.name: param.value if isinstance(param.value, list) else [] for param in matrix.params}
    for items in values.values():
        total *= len(items) or 1
    for include in matrix.include:
        for param in include.params:
            if param.name in values:
                if param.value in values[param.name]:
                    break
                total += 1
    return total


def _as_params(combination: Combination) -> list[Param]:
    return [Param(name=name, value=combination[name]) for name in sorted(combination)]
