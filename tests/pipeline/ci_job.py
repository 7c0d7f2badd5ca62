"""A job of GitHub Actions or GitLab CI, executed as its runner does: its own lines, by bash."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

INTEGRATIONS = Path(__file__).parents[2] / "integrations"
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
LIMIT_S = 240


@dataclass(frozen=True)
class Line:
    """What one step did."""

    name: str
    code: int
    output: str


def document(name: str) -> dict[str, Any]:
    """The file ``integrations/NAME``. YAML reads GitHub's key ``on`` as true."""
    content: dict[Any, Any] = yaml.safe_load((INTEGRATIONS / name).read_text(encoding="utf-8"))
    return {("on" if key is True else key): value for key, value in content.items()}


def filled(environment: Mapping[str, str], contexts: Mapping[str, str]) -> dict[str, str]:
    """An ``env:`` of GitHub's with each ``${{ … }}`` replaced; one that ``contexts`` lacks is a mistake of the file."""
    return {name: EXPRESSION.sub(lambda found: contexts[found[1]], value) for name, value in environment.items()}


def github_steps(
    name: str, checkout: Path, contexts: Mapping[str, str], runner: Mapping[str, str], *, holds: Mapping[str, bool]
) -> list[Line]:
    """Execute every ``run:`` step of a workflow's only job, as GitHub does: after a failure only what says so.

    Args:
        name: the file below ``integrations``.
        checkout: what ``actions/checkout`` has brought.
        contexts: what each expression in an ``env:`` stands for.
        runner: the variables that GitHub sets.
        holds: what each condition ``if:`` comes to.
    """
    (job,) = document(name)["jobs"].values()
    lines: list[Line] = []
    for step in job["steps"]:
        if "run" not in step or not holds.get(step.get("if", ""), not any(line.code for line in lines)):
            continue
        variables = runner | filled(job["env"], contexts) | filled(step.get("env", {}), contexts)
        lines.append(_bash(step["name"], step["run"], checkout, variables))
    return lines


def gitlab_scripts(job_name: str, checkout: Path, runner: Mapping[str, str]) -> list[Line]:
    """Execute ``before_script`` and ``script`` in one shell, then ``after_script`` in another, as GitLab does."""
    content = document("gitlab/penstock.yml")
    job = content[".penstock"] | content[job_name]
    variables = dict(runner)
    for name, value in job["variables"].items():
        variables[name] = re.sub(r"\$(\w+)", lambda found: variables[found[1]], value)
    first = _bash("script", "\n".join(job["before_script"] + job["script"]), checkout, variables)
    if "after_script" not in job:
        return [first]
    return [first, _bash("after_script", "\n".join(job["after_script"]), checkout, variables)]


def _bash(name: str, script: str, folder: Path, variables: Mapping[str, str]) -> Line:
    """``bash -e -o pipefail``, the forges' default. The tests' forge has no certificate: Penstock is told."""
    script = script.replace("penstock run ", "penstock run --param allow-http=true ")
    plain = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TMPDIR") if key in os.environ}
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env=plain | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT_S,
    )
    return Line(name, done.returncode, done.stdout)
