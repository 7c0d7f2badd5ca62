"""Where a run came from, and the command that reproduces it."""

from __future__ import annotations

from penstock.bundle.directory import Bundle
from penstock.bundle.models import BuiltElsewhere, GivenWeightsRecord, Image, SuiteOrigin
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


def test_weights_that_the_run_was_given_are_in_the_table_and_in_the_command(pair: tuple[Bundle, Bundle]) -> None:
    run = pair[0].run()
    given = GivenWeightsRecord(path="weights/a", sha256="1" * 64, replaces="2" * 64, source="https://x.org/n")
    image = Image(kind="image", url="r:5000/m", digest="sha256:" + "5" * 64, key="k", built_from="b" * 40)
    run = run.model_copy(update={"given_weights": given, "image": image, "notes": "Softer hair"})
    table = {fact.label: fact.candidate for fact in facts(run, None)}
    assert table["weights given"] == f"weights/a from https://x.org/n, in place of sha256:{'2' * 64}"
    assert table["release notes"] == "Softer hair"
    assert table["image built from"].startswith("b" * 40)
    assert reproduce(run).endswith(f"--weights 'weights/a=https://x.org/n#sha256={'1' * 64}'")
    own = run.model_copy(update={"image": image.model_copy(update={"built_from": "c" * 40})})
    assert "image built from" not in {fact.label for fact in facts(own, None)}


def test_an_image_that_was_built_elsewhere_is_said_to_be(pair: tuple[Bundle, Bundle]) -> None:
    given = "r:5000/m@sha256:" + "6" * 64
    elsewhere = BuiltElsewhere(given=given, compared=12)
    image = Image(kind="image", url="r:5000/m", digest="sha256:" + "5" * 64, key="k", elsewhere=elsewhere)
    run = pair[0].run().model_copy(update={"image": image})
    table = {fact.label: fact.candidate for fact in facts(run, None)}
    assert table["image built"] == (
        f"elsewhere, given as {given}; its label names the commit, 12 of the files that it copies are the commit's"
    )
    assert reproduce(run).endswith(f"--param registry=r:5000 --param image={given}")
    less = image.model_copy(update={"elsewhere": elsewhere.model_copy(update={"missing": 2})})
    table = {fact.label: fact.candidate for fact in facts(run.model_copy(update={"image": less}), None)}
    assert table["image built"].endswith("12 of the files that it copies are the commit's, 2 are not in it")


def test_where_the_suite_was_brought_from(pair: tuple[Bundle, Bundle]) -> None:
    address = f"oci://registry.example.org/suites/a@sha256:{'5' * 64}"
    run = pair[0].run().model_copy(update={"suite_from": SuiteOrigin(address=address, files="6" * 64)})
    table = {fact.label: (fact.candidate, fact.baseline) for fact in facts(run, pair[1].run())}
    candidate, baseline = table["suite from"]
    assert candidate == f"{address}, files sha256:{'6' * 64}"
    assert baseline != candidate, "the baseline's lies in its repository"
    assert "--workspace" not in reproduce(run)
    bound = SuiteOrigin(address=f"workspace://suite#sha256={'6' * 64}", files="6" * 64)
    assert reproduce(run.model_copy(update={"suite_from": bound})).endswith(" --workspace suite=DIR")
