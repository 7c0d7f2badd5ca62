"""``penstock watch --scheduled``: mistakes are said before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.cli.app import main


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["policy.yaml", "--scheduled", "m"], "watched by its own record"),
        (["--scheduled", "m", "--follow"], "watched by its own record"),
        (["--scheduled", "m", "--store", "nowhere"], "there is no store here"),
        (["--scheduled", "m", "--notify", "nobody"], "there is no file 'nobody'"),
        ([], "what is to be watched?"),
    ],
)
def test_mistakes(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["watch", *arguments]) == 2
    assert words in capsys.readouterr().err
    assert not list(tmp_path.iterdir()), "nothing is left behind"
