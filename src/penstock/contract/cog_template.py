"""The parts of a contract and a suite that ``penstock init --from cog.yaml`` fills from a cog repository."""

from __future__ import annotations

import json
import re

from penstock.contract.cog_repository import CogInput, CogModel
from penstock.families.family import Family

SUFFIXES = {"audio": ".wav", "speech": ".wav", "video": ".mp4"}
"""Word in an input's name → what such a file is called; else a picture."""


def call_section(model: CogModel, family: Family) -> str:
    """``call`` of the contract: cog's HTTP API with the model's own inputs."""
    sent = [found for found in model.inputs if not _left_out(found)]
    lines = [
        "# How the model is called: cog's HTTP API, with the inputs of its signature. A file goes as a data URL.",
        "call:",
        "  preset: cog",
        "  http:",
        '    argv: ["python", "-m", "cog.server.http"]            # it listens on the port in PORT',
        "    ready_timeout_s: 600                                 # until setup() is done",
        "    body:",
        "      json:",
        "        input:" if sent else "        input: {}",
        *(f"          {found.name}: {_placeholder(found)}{_note(found)}" for found in sent),
    ]
    if model.returns_file:
        lines.append(f"    response: {family.answers[0]}      # the type of the file that comes back")
        if model.file_field:
            lines.append(f'    answer: {{json: "$.output.{model.file_field}"}}        # the field that is the file')
    else:
        lines += [
            "    response: application/json                           # the answer is kept whole",
            "    answer: {json: null}",
        ]
    values = [found for found in sent if found.default is not None and not found.file]
    if values:
        lines.append("  parameters:                                            # what a case does not say itself")
        lines += [f"    {found.name}: {json.dumps(found.default, ensure_ascii=False)}" for found in values]
    lines += [f"  # not sent: {found.name} ({_plain(found.annotation)})" for found in model.inputs if _left_out(found)]
    return "\n".join([*lines, "  timeout_s: 600", "  warmup: 1", ""])


def cases_section(model: CogModel) -> str:
    """``cases`` of the suite: one, with the files and values that it must give."""
    files = [found for found in model.inputs if found.file and not _left_out(found)]
    values = [found for found in model.inputs if not found.file and not _left_out(found) and found.default is None]
    inputs = ", ".join(f"{found.name}: {found.name}-01{_suffix(found.name)}" for found in files)
    lines = ["cases:", "  - name: case-01", f"    inputs: {{{inputs}}}"]
    if values:
        said = ", ".join(f"{found.name}: {_plain(found.annotation)}" for found in values)
        lines.append(f"    # parameters: {{{said}}}      # to be given: the model has no default")
    return "\n".join([*lines, "    slices: [smoke]                         # the cases of `penstock run verify`", ""])


def with_section(text: str, name: str, section: str) -> str:
    """A template with its section ``name``, and the comment right above it, replaced."""
    pattern = rf"(?m)(?:^#[^\n]*\n)*^{name}:[^\n]*\n(?:(?![a-z])[^\n]*\n)*"
    return re.sub(pattern, lambda _: f"{section}\n", text, count=1).rstrip() + "\n"


def _left_out(found: CogInput) -> bool:
    """An input that may be left out, and for which a contract has no value."""
    return found.optional and found.default is None


def _placeholder(found: CogInput) -> str:
    text = f'"{{{found.name}|data-url}}"' if found.file else f'"{{{found.name}}}"'
    return f"[{text}]" if found.several else text


def _note(found: CogInput) -> str:
    return "" if found.file else f"   # {_plain(found.annotation)}"


def _plain(annotation: str) -> str:
    """An annotation as a comment: on one line, and not long."""
    return " ".join(annotation.split())[:60]


def _suffix(name: str) -> str:
    return next((suffix for word, suffix in SUFFIXES.items() if word in name.lower()), ".png")
