"""The ``penstock`` command as a whole: help, errors, exit codes, and what the README says of it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from penstock import __version__
from penstock.cli.app import main
from penstock.local_run import requested_run

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
    "evaluate",
    "load",
    "watch",
    "rate status",
    "rate close",
    "comment",
    "releases",
    "serve",
    "rollback",
    "promote",
    "withdraw",
    "track",
    "verify",
    "sbom",
    "bisect",
    "score lipsync",
    "score frechet",
    "weights import",
    "weights sign",
    "weights verify",
    "store transfer",
    "pulls serve",
    "canary status",
    "canary pause",
    "canary resume",
    "canary abort",
    "suite add",
    "suite lint",
    "suite power",
]
HEAVY = {
    "numpy",
    "scipy",
    "cv2",
    "av",
    "onnxruntime",
    "boto3",
    "httpx",
    "torch",
    "onnx",
    "jinja2",
    "starlette",
    "uvicorn",
}


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


@pytest.mark.slow
def test_the_shell_can_complete_commands() -> None:
    program = Path(sys.executable).with_name("penstock")
    asked = {"_PENSTOCK_COMPLETE": "complete_bash", "COMP_WORDS": "penstock ru", "COMP_CWORD": "1"}
    done = subprocess.run(
        [str(program)], capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin", **asked}
    )
    assert done.stdout.split() == ["run", "runs"]


def test_a_bug_is_seventy_and_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(_: object, **_collaborators: object) -> None:
        raise KeyError("x\x1b[2J")

    monkeypatch.setattr(requested_run, "carry_out", broken)
    assert main(["run", "release"]) == 70
    assert "Traceback" not in capsys.readouterr().err
    assert main(["run", "release", "--debug"]) == 70
    captured = capsys.readouterr().err
    assert "Traceback" in captured


@pytest.mark.slow
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
