"""References to results."""

from __future__ import annotations

import pytest

from penstock.tekton.references import ResultRef, looks_like_result, parse_result, refers_to_artifact, result_refs


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("tasks.a.results.r", ResultRef("a", "r")),
        ("tasks.a.results.r[3]", ResultRef("a", "r", index=3)),
        ("tasks.a.results.r[*]", ResultRef("a", "r", whole=True)),
        ("tasks.a.results.r.key", ResultRef("a", "r", key="key")),
        ("finally.a.results.r", ResultRef("a", "r")),
        ("tasks.a.results.r.key.more", None),
        ("tasks.a.status", None),
        ("params.a.results.r", None),
    ],
)
def test_every_notation(text: str, wanted: ResultRef | None) -> None:
    assert parse_result(text) == wanted
    assert wanted is None or looks_like_result(text)


def test_only_references_are_kept() -> None:
    assert result_refs(["tasks.a.results.r", "params.x", "tasks.b.results.q"]) == [
        ResultRef("a", "r"),
        ResultRef("b", "q"),
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [("$(artifacts.path)", True), ("$(tasks.a.outputs.x)", True), ("$(steps.a.inputs.x)", True), ("artifacts", False)],
)
def test_artifacts(text: str, found: bool) -> None:
    assert refers_to_artifact(text) is found
