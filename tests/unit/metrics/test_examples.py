"""The examples in the docstrings of the metrics: each public function has one, and each runs."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil

import pytest

import penstock.metrics

MODULES = sorted(found.name for found in pkgutil.iter_modules(penstock.metrics.__path__))


@pytest.mark.slow
@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    module = importlib.import_module(f"penstock.metrics.{name}")
    public = {
        found.__qualname__
        for found in vars(module).values()
        if inspect.isfunction(found) and found.__module__ == module.__name__ and not found.__name__.startswith("_")
    }
    tests = {test.name.removeprefix(f"{module.__name__}."): test for test in doctest.DocTestFinder().find(module)}
    without = {function for function in public if not tests[function].examples}
    assert not without, "functions without an 'Example:' that runs"
    result = doctest.testmod(module)
    assert result.attempted >= len(public)
    assert result.failed == 0
