"""The ``penstock`` command as a whole: help, errors, exit codes, and what the README says of it."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from penstock import __version__
from penstock.cli import run_request
from penstock.cli.app import main
from penstock.cli.run_request import Options, Request, begin, new_name, new_request, pairs, track_exit_code
from penstock.foundation.errors import ExitCode, UsageError
from penstock.tekton.run_json import PipelineRunResult, TaskRunRecord

ROOT = Path(__file__).parents[3]
COMMANDS = [
    "init",
    "families",
    "check",
    "schema",
    "run",
    "runs",
    "open",
    "clean",
    "gate",
    "calibrate",
    "compare",
    "comment",
    "bisect",
    "score lipsync",
    "score frechet",
    "weights import",
    "store transfer",
]
HEAVY = {"numpy", "scipy", "cv2", "av", "onnxruntime", "boto3", "httpx", "torch", "onnx", "jinja2"}


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command.split(), "--help"]) == 0
    text = capsys.readouterr().out
    assert f"Example: penstock {command}" in " ".join(text.split())


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"penstock {__version__}\n"


@pytest.mark.parametrize(
    "argv", [["nonsense"], ["run"], ["check", "--nonsense"], ["score"], ["gate", "--candidate", "x"]]
)
def test_bad_usage_is_two_without_a_traceback(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 2
    captured = capsys.readouterr()
    assert captured.err or captured.out
    assert "Traceback" not in captured.err


@pytest.mark.parametrize(
    ("argv", "meant"),
    [
        (["relase"], "Did you mean 'penstock run release'?"),
        (["verfy"], "Did you mean 'penstock run verify'?"),
        (["chekc"], "Did you mean 'check'"),
        (["score", "lipsnyc"], "Did you mean 'lipsync'"),
        (["run", "relase", "--repo", "x"], "there is no pipeline 'relase'. Did you mean 'release'?"),
        (["run", "build.yml"], "there is no pipeline 'build.yml'. Say release, verify, or the file"),
        (["check", "--jsno"], "--json"),
    ],
)
def test_a_misspelt_command_is_told_what_was_meant(
    argv: list[str], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) == 2
    assert meant in capsys.readouterr().err


def test_the_shell_can_complete_commands() -> None:
    program = Path(sys.executable).with_name("penstock")
    asked = {"_PENSTOCK_COMPLETE": "complete_bash", "COMP_WORDS": "penstock ru", "COMP_CWORD": "1"}
    done = subprocess.run(
        [str(program)], capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin", **asked}
    )
    assert done.stdout.split() == ["run", "runs"]


def test_a_bug_is_seventy_and_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(_: object) -> int:
        raise KeyError("x\x1b[2J")

    monkeypatch.setattr(run_request, "carry_out", broken)
    assert main(["run", "release"]) == 70
    assert "Traceback" not in capsys.readouterr().err
    assert main(["run", "release", "--debug"]) == 70
    captured = capsys.readouterr().err
    assert "Traceback" in captured


@pytest.mark.parametrize("command", [["--help"], ["schema"], ["run", "--help"], ["check", "."], ["runs"], ["clean"]])
def test_commands_without_a_network_load_nothing_heavy(command: list[str], tmp_path: Path) -> None:
    code = f"import sys; from penstock.cli.app import main; main({command!r}); print('LOADED', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    loaded = done.stdout.rpartition("LOADED")[2].split()
    assert not HEAVY & set(loaded)


def test_every_command_of_the_readme_exists(capsys: pytest.CaptureFixture[str]) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert main(["--help"]) == 0
    commands = set(re.findall(r"^  ([a-z]+) ", capsys.readouterr().out.partition("Commands:")[2], re.MULTILINE))
    named = set(re.findall(r"(?:`|^)penstock ([a-z]+)", readme, re.MULTILINE))
    assert named <= commands
    assert commands <= {command.split()[0] for command in COMMANDS}
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"`?make ([a-z0-9-]+)", readme):
        assert re.search(rf"^{target}:.*##", makefile, re.MULTILINE), target


def test_a_local_path_is_allowed_locally_and_a_url_is_left_as_it_is(tmp_path: Path) -> None:
    request = new_request(Options(what="release", repo="model", revision="v1"), tmp_path)
    assert request.params["url"] == str(Path("model").absolute())
    assert request.params["allow-local"] == "true"
    assert request.params["store"] == str(tmp_path / "store")
    for url in (
        "https://example.org/x.git",
        "git@example.org:x.git",
        "ssh://example.org/x",
        "ext::sh -c x",
        "file:///x",
    ):
        request = new_request(Options(what="release", repo=url, revision="v1", store="s3://bucket/a"), tmp_path)
        assert request.params["url"] == url
        assert "allow-local" not in request.params
        assert request.params["store"] == "s3://bucket/a"


@pytest.mark.parametrize(
    "options",
    [
        Options(what="release", revision="v1"),
        Options(what="release", repo="x"),
        Options(what="verify", repo="x", revision="v1", store="s"),
        Options(what="file.yaml", repo="x"),
        Options(what="release", repo="x", revision="v1", params=("nothing",)),
        Options(what="release", regate="nowhere"),
        Options(what="verify", repo="x", revision="v1", regate="first"),
        Options(what="file.yaml", regate="first"),
        Options(what="verify", repo="x", revision="v1", policy_floor=Path("floor.yaml")),
        Options(what="file.yaml", policy_floor=Path("floor.yaml")),
        Options(what="release", repo="x", revision="v1", policy_floor=Path("/nowhere.yaml")),
        Options(what="release", repo="x", revision="v1", workspaces=("basic-auth=/nowhere/at/all",)),
    ],
)
def test_options_that_do_not_fit_are_refused(options: Options, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        new_request(options, tmp_path)


def test_a_run_is_judged_again_as_it_was_started(tmp_path: Path) -> None:
    """From its name alone, if it ran here; what is given beside it wins."""
    first = new_request(Options(what="release", repo="model", revision="v1", params=("depth=0",)), tmp_path)
    folder = tmp_path / "runs" / "first"
    folder.mkdir(parents=True)
    begin(folder, asdict(first))
    again = new_request(Options(what="release", regate="first"), tmp_path)
    assert again == Request("release", first.params | {"regate": "first"}, first.workspaces)
    given = Options(what="release", regate="first", revision="v2", store="s3://bucket/a", params=("depth=1",))
    assert new_request(given, tmp_path).params == first.params | {
        "regate": "first",
        "revision": "v2",
        "store": "s3://bucket/a",
        "depth": "1",
    }
    elsewhere = new_request(Options(what="release", repo="model", revision="v1", regate="other"), tmp_path)
    assert elsewhere.params["regate"] == "other"


def test_values_keep_their_equals_signs() -> None:
    assert pairs(("a=b=c", "d="), "--param") == {"a": "b=c", "d": ""}
    with pytest.raises(UsageError, match="twice"):
        pairs(("a=1", "a=2"), "--param")


def ended(*failed: tuple[str, int | None]) -> PipelineRunResult:
    records = [
        TaskRunRecord(
            name=name, pipeline_task=name, status="False", exit_code=code, finished=f"2026-01-01T00:00:0{number}Z"
        )
        for number, (name, code) in enumerate(failed)
    ]
    status = "False" if failed else "True"
    return PipelineRunResult(
        name="r", pipeline="release", status=status, reason="Failed", message="", task_runs=records
    )


@pytest.mark.parametrize(
    ("failed", "code"),
    [
        ((), ExitCode.OK),
        ((("enforce", 1),), ExitCode.REJECTED),
        ((("enforce", 3),), ExitCode.INCONCLUSIVE),
        ((("notify", 4), ("enforce", 1)), ExitCode.REJECTED),
        ((("clone", 2),), ExitCode.USAGE),
        ((("infer", 4),), ExitCode.WORLD),
        ((("infer", 1),), ExitCode.BUG),
        ((("infer", 137),), ExitCode.WORLD),
        ((("measure", None),), ExitCode.WORLD),
        ((("measure", 70),), ExitCode.BUG),
    ],
)
def test_a_broken_run_never_looks_like_a_rejected_model(
    failed: tuple[tuple[str, int | None], ...], code: ExitCode
) -> None:
    assert track_exit_code(ended(*failed)) == code


def test_a_run_that_is_judged_again_has_the_name_of_its_model_or_is_missed(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "first"
    request = new_request(Options(what="release", repo="my-model", revision="v1.1.0"), tmp_path)
    begin(folder, asdict(request))
    assert new_name(Options(what="release", regate="first", out=tmp_path)).startswith("my-model-1.1.0-")
    with pytest.raises(UsageError, match="there is no run 'other' on this machine"):
        new_request(Options(what="release", regate="other", out=tmp_path), tmp_path)
