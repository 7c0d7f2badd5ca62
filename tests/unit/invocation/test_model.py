"""Whoever calls a model need not know how it is called."""

from __future__ import annotations

import inspect

import pytest

from penstock.invocation.command import CommandModel
from penstock.invocation.http import HttpModel
from penstock.invocation.model import CallResult, Model

PROMISED = [name for name in vars(Model) if not name.startswith("_")]


@pytest.mark.parametrize("kind", [CommandModel, HttpModel])
@pytest.mark.parametrize("name", PROMISED)
def test_every_way_of_calling_keeps_the_promise(kind: type[Model], name: str) -> None:
    promised, kept = getattr(Model, name), getattr(kind, name)
    if isinstance(promised, property):
        assert isinstance(kept, property)
        return
    assert inspect.signature(kept).parameters.keys() == inspect.signature(promised).parameters.keys()


def test_the_promise_is_whole() -> None:
    assert PROMISED == ["warm", "revive", "call", "others_took", "close"]


def test_a_result_says_nothing_that_is_not_known() -> None:
    result = CallResult("ok")
    assert (result.latency_s, result.error, result.refusal, result.broken_off) == (None, None, None, False)
