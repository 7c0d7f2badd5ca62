"""A fault has its line, its field and plain words, and says what was meant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel
from tests.unit.contract.conftest import Write
from tests.unit.contract.found_faults import faults, only

from penstock.contract import models, policy
from penstock.contract.faults import PATTERNS
from penstock.contract.load import load_contract
from penstock.foundation.errors import UsageError


def test_a_misspelt_stand_in_is_told_what_was_meant(repository: Write) -> None:
    named = ("policy:\n", "extractors: {lipsync: syncnet-compct}\npolicy:\n")
    assert only(repository(contract=named)) == (
        "penstock.yaml:13: extractors.lipsync: no network 'syncnet-compct' comes with Penstock for 'lipsync'. "
        "Did you mean 'syncnet-compact'?"
    )


def test_a_misspelt_field_of_an_extractors_file_is_told_what_was_meant(repository: Write) -> None:
    named = ("policy:\n", f"extractors: {{lipsync: {{pth: a, sha256: {'a' * 64}, source: lfs}}}}\npolicy:\n")
    assert any("unknown field 'pth'. Did you mean 'path'?" in text for text in faults(repository(contract=named)))


def test_hostile_names_stay_on_their_line(repository: Write) -> None:
    found = faults(repository(contract=("call:\n", '"x\\ny\\e[31m": 1\ncall:\n')))
    assert all("\n" not in text and "\x1b" not in text for text in found)
    assert any("x\\ny\\x1b[31m" in text for text in found)


def test_one_error_says_how_many_more_there_are(repository: Write) -> None:
    with pytest.raises(UsageError, match=r"2 more faults: `penstock check` lists all"):
        load_contract(
            repository(contract=("version: 1\nname: little\nfamily: talking-head", "version: 3\nname: A\nfamily: x"))
        )


def test_every_pattern_of_the_models_has_plain_words() -> None:
    used = set()
    for module in (models, policy):
        for model in vars(module).values():
            if isinstance(model, type) and issubclass(model, BaseModel) and model is not BaseModel:
                used |= set(patterns(model.model_json_schema()))
    assert len(used) > 5
    assert used - {policy.MARGIN_PATTERN} <= set(PATTERNS)


def patterns(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            yield schema["pattern"]
        yield from schema.get("patternProperties", {})
        for inner in schema.values():
            yield from patterns(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from patterns(inner)


def test_a_misspelt_field_is_told_before_the_one_that_is_missing_for_it(repository: Write) -> None:
    with pytest.raises(UsageError) as caught:
        load_contract(repository(contract=("name: little", "naem: little")))
    assert caught.value.where == "penstock.yaml:2: naem"
    assert caught.value.todo.startswith("Did you mean 'name'?")


@pytest.mark.parametrize(
    ("old", "new", "field", "told"),
    [
        ("call:\n", "call:\n  concurrency: 4\n", "call.concurrency", "It belongs under call.http."),
        ("call:\n", "call:\n  argv: [x]\n", "call.argv", "It belongs under call.command, or under call.http."),
        ("call:\n", "timeout_s: 3\ncall:\n", "timeout_s", "under call, or under page, or under export."),
        (
            "call:\n",
            "call:\n  require: {}\n",
            "call.require",
            "under call.http.answer, or in an entry of call.http.calls",
        ),
        ("policy:\n", "policy:\n  metric: kid\n", "policy.metric", "It belongs in an entry of policy.rules"),
        ("policy:\n", "policy:\n  family: x\n", "policy.family", "It belongs at the top of the file."),
    ],
)
def test_a_field_that_stands_too_high_or_too_low_is_told_where_it_belongs(
    repository: Write, old: str, new: str, field: str, told: str
) -> None:
    found = [text for text in faults(repository(contract=(old, new))) if f"{field}: unknown field" in text]
    assert len(found) == 1
    assert told in found[0]


def test_a_misplaced_field_is_told_before_what_follows_from_it(repository: Write) -> None:
    http = """  http:\n    argv: ["python", "serve.py", "--port", "{port}"]\n"""
    written = (f"  preset: sonic\n{http}", f"{http}  path: /talk\n")
    found = faults(repository(contract=written))
    assert "the field 'path' is missing" in found[0]
    with pytest.raises(UsageError, match=r"unknown field 'path'. It belongs under call.http"):
        load_contract(repository(contract=written))
