"""Where a run came from, and the command that reproduces it."""

from __future__ import annotations

from penstock.bundle.directory import Bundle
from penstock.report.provenance_table import facts, reproduce


def test_the_command_reproduces_the_run(pair: tuple[Bundle, Bundle]) -> None:
    assert (
        reproduce(pair[0].run())
        == f"penstock run release --repo 'https://git.example.org/a b.git' --revision {'c' * 40}"
    )


def test_what_the_stored_values_were_measured_through_stands_beside_what_they_are_now(
    pair: tuple[Bundle, Bundle],
) -> None:
    labels = {"extractors": {"lipsync": "s@sha256:0"}, "stored_extractors": {"lipsync": "s@sha256:0+bf16-openvino"}}
    found = {fact.label: fact.baseline for fact in facts(pair[0].run(), pair[1].run().model_copy(update=labels))}
    assert found["extractor, lipsync"] == "s@sha256:0"
    assert found["stored values' extractor, lipsync"] == "s@sha256:0+bf16-openvino"
