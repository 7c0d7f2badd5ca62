"""A stand-in is called one beside every number that rests on it, and the glossary says what each metric means."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Measurement, Run
from penstock.bundle.verdict_record import Verdict
from penstock.cli.app import main
from penstock.cli.gate import print_verdict
from penstock.contract.policy import Policy
from penstock.families.registry import STAND_IN, known_metrics
from penstock.gating.gate import gate
from penstock.report.page import write_page
from penstock.report.summary import markdown_summary

STAND = "syncnet-compact@sha256:" + "d4" * 32
PUBLISHED = "syncnet-v2@sha256:" + "e5" * 32
RUN = Run(penstock="0.1.0", run_id="r", model="sonic")


def measured(extractor: str) -> list[Measurement]:
    cases = ("one", "two", "three")
    lips = [Measurement(case=case, metric="lse_d", value=7.5, extractor=extractor) for case in cases]
    return lips + [Measurement(case=case, metric="latency", value=0.5) for case in cases]


def judged(extractor: str) -> Verdict:
    rules = [{"metric": "lse_d", "max": 7.0}, {"metric": "latency", "max": 1.0}]
    policy = Policy.model_validate({"rules": rules})
    return gate(measured(extractor), None, policy, candidate_name="r", baseline_name=None)


def test_the_verdict_records_through_which_network_a_rule_was_judged() -> None:
    assert [rule.extractor for rule in judged(STAND).rules] == [STAND, None]


def test_the_terminal_and_the_summary_say_it(capsys: pytest.CaptureFixture[str]) -> None:
    print_verdict(judged(STAND))
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if "LSE-D" in line] == [line for line in lines if "(stand-in)" in line]
    summary = markdown_summary(RUN, judged(STAND))
    assert summary.count("LSE-D (stand-in)") == 2
    assert "latency (stand-in)" not in summary
    assert "stand-in" not in markdown_summary(RUN, judged(PUBLISHED))


def page(folder: Path, extractor: str) -> str:
    bundle = Bundle(folder / "bundle")
    bundle.write_measurements(measured(extractor))
    write_page(bundle, None, judged(extractor), folder / "page")
    return (folder / "page" / "index.html").read_text(encoding="utf-8")


def test_the_page_says_it_in_each_of_its_tables(tmp_path: Path) -> None:
    text = page(tmp_path, STAND)
    mark = f'<small class="stand-in" title="{STAND_IN}">stand-in</small>'
    assert f"<b><bdi>LSE-D</bdi></b></a> {mark}" in text  # the reasons
    assert f"<bdi>LSE-D</bdi> {mark}</th>" in text  # rules and metrics
    assert f'<th scope="col">LSE-D {mark}</th>' in text  # all cases
    assert f"<span>LSE-D {mark}" in text  # the worst cases
    assert '["LSE-D","stand-in"' in text  # the viewer
    assert '<th scope="col">latency</th>' in text
    assert 'class="stand-in"' not in page(tmp_path / "other", PUBLISHED)


def test_a_comparison_says_it_in_the_terminal_and_on_its_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = Bundle(tmp_path / "a")
    bundle.write_measurements(measured(STAND))
    file = str(bundle.measurements_file)
    assert main(["compare", file, file, "--out", str(tmp_path / "page")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if "LSE-D" in line] == [line for line in lines if "(stand-in)" in line]
    text = (tmp_path / "page" / "index.html").read_text(encoding="utf-8")
    assert f'<bdi>LSE-D</bdi> <small class="stand-in" title="{STAND_IN}">stand-in</small></th>' in text


def test_the_page_says_what_its_metrics_mean(tmp_path: Path) -> None:
    text = page(tmp_path, STAND)
    assert f"<dt>LSE-D</dt><dd>{known_metrics()['lse_d'].meaning}</dd>" in text
    assert f'title="{known_metrics()["latency"].meaning}"' in text
    assert known_metrics()["fid"].meaning not in text  # it was not measured
