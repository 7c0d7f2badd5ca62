"""The sections of a contract and a suite that are filled from a cog repository, and how they get into the template."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.contract.test_cog_repository import cog

from penstock.contract.cog_repository import CogInput, CogModel
from penstock.contract.cog_template import call_section, cases_section, with_section
from penstock.contract.load import load_contract, load_suite
from penstock.contract.request import json_content
from penstock.contract.template import write_template
from penstock.families.registry import family


def read(section: str) -> Any:
    (content,) = yaml.safe_load(section).values()
    return content


def test_a_file_comes_back_with_the_family_s_first_type() -> None:
    text = call_section(CogModel((CogInput("image", True, "Path"),), returns_file=True), family("talking-head"))
    assert read(text) == {
        "preset": "cog",
        "http": {
            "argv": ["python", "-m", "cog.server.http"],
            "ready_timeout_s": 600,
            "body": {"json": {"input": {"image": "{image|data-url}"}}},
            "response": "video/mp4",
        },
        "timeout_s": 600,
        "warmup": 1,
    }


def test_a_file_in_a_field_of_the_answer_is_named() -> None:
    model = CogModel((), returns_file=True, file_field="mask")
    assert read(call_section(model, family("talking-head")))["http"]["answer"] == {"json": "$.output.mask"}


def test_anything_else_that_comes_back_is_kept_as_json() -> None:
    call = read(call_section(CogModel((), returns_file=False), family("talking-head")))
    assert call["http"]["body"] == {"json": {"input": {}}}
    assert (call["http"]["response"], call["http"]["answer"]) == ("application/json", {"json": None})
    assert "parameters" not in call


def test_only_what_can_be_left_out_and_has_no_value_is_left_out() -> None:
    model = CogModel(
        (
            CogInput("prompt", False, "str"),
            CogInput("zero", False, "int", 0, optional=True),
            CogInput("mask", True, "Optional[Path]", None, optional=True),
            CogInput("seed", False, "int |\n  None" + " " * 9 + "x" * 99, None, optional=True),
        ),
        returns_file=True,
    )
    text = call_section(model, family("talking-head"))
    call = read(text)
    assert call["http"]["body"]["json"]["input"] == {"prompt": "{prompt}", "zero": "{zero}"}
    assert call["parameters"] == {"zero": 0}
    assert '          prompt: "{prompt}"   # str\n' in text
    assert "  # not sent: mask (Optional[Path])\n" in text
    assert f"  # not sent: seed (int | None {'x' * 49})\n" in text
    cases = cases_section(model)
    assert read(cases) == [{"name": "case-01", "inputs": {}, "slices": ["smoke"]}]
    assert "    # parameters: {prompt: str}  " in cases


def test_a_file_is_the_case_s_even_where_the_model_has_one_of_its_own() -> None:
    model = CogModel((CogInput("image", True, "Path", "face.png", optional=True),), returns_file=True)
    call = read(call_section(model, family("talking-head")))
    assert call["http"]["body"]["json"]["input"] == {"image": "{image|data-url}"}
    assert "parameters" not in call
    assert read(cases_section(model))[0]["inputs"] == {"image": "image-01.png"}


def test_a_list_is_sent_as_a_list(tmp_path: Path) -> None:
    code = "def p(images: list[Path], words: list[str]) -> list[Path]: ...\n"
    write_template(tmp_path, family="talking-head", cog=cog(tmp_path, code, 'predict: "predict.py:p"\n'))
    contract = load_contract(tmp_path)
    (case,) = load_suite(tmp_path, contract).cases
    given = case.model_copy(update={"parameters": {"words": "one"}})
    assert json_content(contract, given, "", lambda name, encoding: f"{name} as {encoding}") == (
        b'{"input": {"images": ["images as data-url"], "words": ["one"]}}'
    )


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("driving_Audio", "driving_Audio-01.wav"),
        ("speech", "speech-01.wav"),
        ("source_video", "source_video-01.mp4"),
        ("face", "face-01.png"),
    ],
)
def test_a_case_names_its_files_by_what_they_are_called(name: str, file: str) -> None:
    (case,) = read(cases_section(CogModel((CogInput(name, True, "Path"),), returns_file=True)))
    assert case["inputs"] == {name: file}


def test_no_value_is_asked_for_where_each_has_a_default() -> None:
    model = CogModel((CogInput("n", False, "int", 1, optional=True),), returns_file=True)
    assert "parameters" not in cases_section(model)


def test_a_section_is_replaced_with_the_comment_right_above_it() -> None:
    text = "name: x\n# about the suite\n\n# about the call\n# more\ncall:\n  a: 1\n\n  # inner\nsuite: s\ncall: no\n"
    assert with_section(text, "call", "call: \\1") == "name: x\n# about the suite\n\ncall: \\1\nsuite: s\ncall: no\n"
    assert with_section("a: 1\nb:\n  - c\n\n", "b", "b: 2\n") == "a: 1\nb: 2\n"


def test_init_keeps_what_the_preset_requires_of_an_answer_with_fields(tmp_path: Path) -> None:
    code = "class Output(BaseModel):\n    mask: Path\n\ndef p(image: Path) -> Output: ...\n"
    write_template(tmp_path, family="talking-head", cog=cog(tmp_path, code, 'predict: "predict.py:p"\n'))
    http = load_contract(tmp_path).call.http
    assert http is not None
    assert http.answer is not None
    assert (http.answer.path, http.answer.require) == ("$.output.mask", {"$.status": "succeeded"})


def test_init_fills_types_and_defaults(tmp_path: Path) -> None:
    write_template(tmp_path, family="talking-head", cog=cog(tmp_path))
    contract = load_contract(tmp_path)
    (case,) = load_suite(tmp_path, contract).cases
    assert contract.call.preset == "cog"
    assert contract.call.http is not None
    assert contract.call.http.ready_json == {"$.status": "READY"}
    assert contract.call.parameters == {"scale": 2, "strength": 0.5, "face_enhance": False, "model": "a"}
    assert case.inputs == {"image": "image-01.png"}
    given = case.model_copy(update={"parameters": {"prompt": "sharper"}})
    assert json_content(contract, given, "", lambda name, encoding: f"{name} as {encoding}") == (
        b'{"input": {"image": "image as data-url", "prompt": "sharper", "scale": 2, "strength": 0.5, '
        b'"face_enhance": false, "model": "a"}}'
    )
    text = (tmp_path / "penstock.yaml").read_text(encoding="utf-8")
    assert "# not sent: mask (Optional[Path])" in text
    assert "sonic" not in text
    assert "\nsuite: suite" in text  # what stands behind the section is still there


def test_hostile_defaults_and_annotations_stay_in_their_line(tmp_path: Path) -> None:
    code = (
        "def p(a: 'str\\nsuite: elsewhere' = 'x\\nsuite: there', b: float = 1e999, c: int = 10**9999, d: int = 1"
        + "0" * 30
        + ", e: str = '\\ud800', f: str = '{a} \\\\1 \"#'): ...\n"
    )
    write_template(tmp_path, family="talking-head", cog=cog(tmp_path, code, 'predict: "predict.py:p"\n'))
    contract = load_contract(tmp_path)
    assert contract.suite == "suite"
    assert contract.call.parameters == {"f": '{a} \\1 "#'}
