"""What is wrong with a contract, a suite or a policy is said with file, line and field."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.contract.conftest import Write

from penstock.contract.load import input_path, load_contract, load_policy, load_suite, suite_directory
from penstock.foundation.errors import UsageError

ARGV = '    argv: ["python", "serve.py", "--port", "{port}"]\n'


def test_a_good_contract_and_suite_load(repository: Write) -> None:
    root = repository()
    contract = load_contract(root)
    assert (contract.name, contract.build.containerfile) == ("little", "Containerfile")
    suite = load_suite(root, contract)
    assert suite.cases[0].inputs == {"image": "a.png", "audio": "a.wav"}
    assert suite_directory(root, contract) == root / "suite"
    assert input_path(root, contract, "a.png") == root / "suite/a.png"


@pytest.mark.parametrize(
    ("change", "where", "what"),
    [
        (("call:\n", "biuld: {}\ncall:\n"), "penstock.yaml:8: biuld", "unknown field 'biuld'. Did you mean 'build'?"),
        (
            ("suite: suite\n", "build:\n  containerfle: C\nsuite: suite\n"),
            "penstock.yaml:13: build.containerfle",
            "mean 'containerfile'?",
        ),
        (("    source: lfs\n", ""), "penstock.yaml:5: weights[0].source", "the field 'source' is missing"),
        (("version: 1", "version: 2"), "penstock.yaml:1: version", "reads version 1"),
        (("name: little", "name: Little One"), "penstock.yaml:2: name", "lower-case letters, digits and hyphens"),
        (("name: little", "name: 12"), "penstock.yaml:2: name", "must be text. Put it in quotes."),
        (("family: talking-head", "family: talking-heads"), "penstock.yaml:3: family", "Did you mean 'talking-head'?"),
        (("lfs", '""'), "penstock.yaml:7: weights[0].source", "must not be empty"),
        (('"--port"', "25"), "penstock.yaml:11: call.http.argv[2]", "must be text. Put it in quotes."),
        (
            ("margin: 20%", "margin: lots"),
            "penstock.yaml:16: policy.rules[1].margin",
            "a margin is a number such as 0.2",
        ),
        (("margin: 20%", "margin: -5%"), "penstock.yaml:16: policy.rules[1].margin", "not below 0"),
        ((", margin: 20%", ""), "penstock.yaml:16: policy.rules[1]", "has no min, max, margin or worst"),
        (("max: 0.1", "max: true"), "penstock.yaml:15: policy.rules[0].max", "must be a number"),
        (("max: 0.1", "maximum: 0.1"), "penstock.yaml:15: policy.rules[0]", "unknown field 'maximum'"),
        (("preset: sonic", "preset: sonik"), "penstock.yaml:9: call.preset", "Did you mean 'sonic'?"),
        ((ARGV, "    path: /x\n"), "penstock.yaml:10: call.http.argv", "the field 'argv' is missing"),
        (("  http:\n" + ARGV, ""), "penstock.yaml:8: call", "say how the model is called"),
        (("  http:\n" + ARGV, "  http: serve\n"), "penstock.yaml:10: call.http", "must be a mapping"),
        (("suite: suite", "suite: ../suite"), "penstock.yaml:12: suite", "the path '../suite' leaves the repository"),
        (("suite: suite", "suite: /suite"), "penstock.yaml:12: suite", "the path '/suite' leaves the repository"),
        (
            ("path: weights/model.onnx", "path: /etc/passwd"),
            "penstock.yaml:5: weights[0].path",
            "leaves the repository",
        ),
        (("weights:\n", "weights: 5\nw:\n"), "penstock.yaml:4: weights", "must be a list"),
        (("  rules:", "  level: 0.9\n  rules:"), "penstock.yaml:14: policy.level", "must be below 0.5"),
        (("  rules:", "  rules: []\n  more:"), "penstock.yaml:14: policy.rules", "at least 1 entry"),
        (("call:\n", "call:\n  env: {A: 1}\n"), "penstock.yaml:9: call.env.A", "must be text. Put it in quotes."),
        (("call:\n", "call:\n  env: {A=B: x}\n"), "penstock.yaml:9: call.env.A=B", "the name 'A=B' is not allowed"),
        (("call:\n", "call:\n  network: ['http://x']\n"), "penstock.yaml:9: call.network[0]", "a host such as"),
        (("call:\n", "call:\n  timeout_s: 0\n"), "penstock.yaml:9: call.timeout_s", "must be above 0"),
    ],
)
def test_each_fault_of_a_contract_has_its_line_and_field(
    repository: Write, change: tuple[str, str], where: str, what: str
) -> None:
    with pytest.raises(UsageError) as caught:
        load_contract(repository(contract=change))
    assert where in caught.value.where
    assert caught.value.where.startswith("penstock.yaml:")
    assert what in str(caught.value)
    assert "Value error" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "where", "what"),
    [
        (
            ("image: a.png", "image: ../../a.png"),
            "suite/suite.yaml:5: cases[0].inputs.image",
            "'../../a.png' leaves the repository",
        ),
        (
            ("image: a.png", "image: /a.png"),
            "suite/suite.yaml:5: cases[0].inputs.image",
            "'/a.png' leaves the repository",
        ),
        (("  - name: portrait-01", "  - name: ../x"), "suite/suite.yaml:4: cases[0].name", "letters, digits"),
        (
            ("slices: [fast]", "face_box: [0.9, 0, 0.5, 0.5]"),
            "suite/suite.yaml:7: cases[0].face_box",
            "as shares of the frame",
        ),
        (("slices: [fast]", "slice: [fast]"), "suite/suite.yaml:7: cases[0].slice", "Did you mean 'slices'?"),
        (("cases:", "reference: ../x\ncases:"), "suite/suite.yaml:3: reference", "leaves the repository"),
        (
            ("parameters: {duration: 2.0}", "parameters: {duration: [2]}"),
            "suite/suite.yaml:6: cases[0].parameters.duration",
            "must be",
        ),
    ],
)
def test_each_fault_of_a_suite_has_its_line_and_field(
    repository: Write, change: tuple[str, str], where: str, what: str
) -> None:
    root = repository(suite=change)
    with pytest.raises(UsageError) as caught:
        load_suite(root, load_contract(root))
    assert where in caught.value.where
    assert what in str(caught.value)


def test_two_cases_of_one_name_are_refused(repository: Write) -> None:
    root = repository(suite=("    slices: [fast]\n", "  - {name: Portrait-01, inputs: {image: a.png, audio: a.wav}}\n"))
    with pytest.raises(UsageError, match="two cases are named 'portrait-01'"):
        load_suite(root, load_contract(root))


def test_links_that_leave_the_repository_are_refused(repository: Write, tmp_path: Path) -> None:
    root = repository()
    (tmp_path / "outside.png").write_bytes(b"secret")
    (root / "suite/a.png").unlink()
    (root / "suite/a.png").symlink_to(tmp_path / "outside.png")
    with pytest.raises(UsageError, match="is a symbolic link"):
        load_suite(root, load_contract(root))
    (root / "penstock.yaml").rename(tmp_path / "penstock.yaml")
    (root / "penstock.yaml").symlink_to(tmp_path / "penstock.yaml")
    with pytest.raises(UsageError, match="is a symbolic link"):
        load_contract(root)


def test_a_loop_of_links_is_a_message(repository: Write) -> None:
    root = repository()
    (root / "suite/a.png").unlink()
    (root / "suite/a.png").symlink_to("a.png")
    with pytest.raises(UsageError, match="symbolic link"):
        load_suite(root, load_contract(root))


def test_missing_directory_and_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"penstock.yaml: the file is missing. `penstock init`"):
        load_contract(tmp_path)
    with pytest.raises(UsageError, match="not a directory"):
        load_contract(tmp_path / "none")


def test_policy_of_its_own_and_in_a_contract(repository: Write, tmp_path: Path) -> None:
    own = tmp_path / "policy.yaml"
    own.write_text("level: 0.1\nrules:\n  - {metric: lse_d, margin: 5%}\n  - {metric: kid, margin: 0.2}\n")
    found = load_policy(own)
    assert found.level == 0.1
    assert [(rule.margin.amount, rule.margin.relative) for rule in found.rules if rule.margin] == [
        (0.05, True),
        (0.2, False),
    ]
    assert [rule.metric for rule in load_policy(repository() / "penstock.yaml").rules] == [
        "duration_error",
        "real_time_factor",
    ]
    own.write_text("rules:\n  - {metric: lse_d, margn: 5%}\n")
    with pytest.raises(UsageError) as caught:
        load_policy(own)
    assert caught.value.where == f"{own}:2: rules[0].margn"
    own.write_text("- a\n")
    with pytest.raises(UsageError, match="must be a mapping"):
        load_policy(own)


def test_a_policy_inside_a_broken_contract_is_found_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "penstock.yaml"
    path.write_text("name: x\npolicy:\n  rules:\n    - {metric: lse_d}\n")
    with pytest.raises(UsageError) as caught:
        load_policy(path)
    assert caught.value.where == f"{path}:4: policy.rules[0]"
