"""What a suite must give: files that are read, inputs and parameters that the call wants."""

from __future__ import annotations

import os

import pytest
from tests.unit.contract.conftest import Write
from tests.unit.contract.found_faults import faults, only


@pytest.mark.parametrize(
    ("file", "content", "what"),
    [
        ("suite/a.png", b"", "a.png: the file is empty"),
        ("suite/a.png", b"plain text, no picture", "a.png: this is no image, sound or video"),
        ("suite/a.wav", b"\x89PNG\r\n\x1a\n", "a.wav: this is an image file, where audio or video is wanted"),
        (
            "suite/a.wav",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
            "Git LFS pointer, not the file itself",
        ),
        ("weights/model.onnx", b"other", "has another SHA-256"),
        (
            "weights/model.onnx",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"1" * 64 + b"\nsize 3\n",
            "another SHA-256: 1111",
        ),
        ("weights/model.onnx", b"version https://git-lfs.github.com/spec/v1\nbroken\n", "a broken Git LFS pointer"),
    ],
)
def test_files_that_are_not_what_they_should_be(repository: Write, file: str, content: bytes, what: str) -> None:
    root = repository()
    (root / file).write_bytes(content)
    assert what in only(root)


@pytest.mark.parametrize("file", ["suite/a.png", "weights/model.onnx", "penstock.yaml", "suite/suite.yaml"])
def test_a_pipe_in_place_of_a_file_is_a_fault_and_no_wait(repository: Write, file: str) -> None:
    root = repository()
    (root / file).unlink()
    os.mkfifo(root / file)
    assert "not a regular file" in only(root)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ((", audio: a.wav", ""), "the case 'portrait-01' has no input 'audio'"),
        (("{duration: 2.0}", "{duration: 2.0, image: 3}"), "'image' is an input and a parameter"),
        (("{duration: 2.0}", "{duration: 2.0, port: 3}"), "the name 'port' has a meaning of its own"),
        (("cases:", "reference: none\ncases:"), "none: the directory is missing"),
        (("cases:", "reference: a.png\ncases:"), "a.png: must be a directory"),
    ],
)
def test_cases_must_give_what_the_call_wants(repository: Write, change: tuple[str, str], what: str) -> None:
    assert what in only(repository(suite=change))


def test_a_case_with_audio_need_give_no_duration(repository: Write) -> None:
    assert faults(repository(suite=("{duration: 2.0}", "{}"))) == []


def test_a_case_without_audio_must_give_its_duration(repository: Write) -> None:
    found = faults(repository(suite=("audio: a.wav}\n    parameters: {duration: 2.0}", "sound: a.wav}")))
    what = "the case 'portrait-01' gives no 'duration', which call.http.fields.duration of penstock.yaml wants"
    assert any(what in text for text in found)


def test_a_command_must_be_told_where_to_write(repository: Write) -> None:
    call = '  preset: sonic\n  http:\n    argv: ["python", "serve.py", "--port", "{port}"]\n'
    root = repository(contract=(call, '  command: {argv: [python, demo.py, "{image}", "{audio}"]}\n'))
    assert "no argument holds '{output}'" in only(root)
    root = repository(contract=(call, '  command: {argv: [python, demo.py, "{image}", "{voice}", "{output}"]}\n'))
    assert "gives no 'voice', which call.command.argv[3] of penstock.yaml wants" in only(root)
