"""The tutorial's commands and files, one after the other, as a newcomer types them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_command_and_file_of_the_tutorial(tmp_path: Path) -> None:
    programs = Path(sys.executable).parent
    environment = {
        **os.environ,
        "PENSTOCK": str(ROOT),
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "BROWSER": "true",
        **{
            f"GIT_{who}_{what}": f"{who}@example.org".lower()
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        },
    }
    folder = tmp_path
    ran = []
    for language, label, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if language == "sh" and label in ("checked", "rejected"):
            done = subprocess.run(
                ["bash", "-euc", text], cwd=folder, env=environment, capture_output=True, text=True, check=False
            )
            said = f"{text}\n{done.stdout}\n{done.stderr}"
            assert done.returncode == (1 if label == "rejected" else 0), said
            ran.append(said)
            if "cd my-talker" in text:
                folder = tmp_path / "my-talker"
        elif label:
            (folder / label).write_text(text, encoding="utf-8")
    whole = "\n".join(ran)
    assert "not compared" in whole
    assert "offset" in whole
    assert len(ran) == 7
