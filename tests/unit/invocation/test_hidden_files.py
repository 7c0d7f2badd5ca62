"""Files that a model may not read although they lie among those that it may."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from tests.invocation.conftest import Run

from penstock.invocation.hidden_files import all_but
from penstock.invocation.sandbox import Sandbox


def tree(root: Path) -> Path:
    for name in ("serve.py", "suite/photo.png", "suite/truth/a.png", "suite/truth/b.png", "lib/code.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name, encoding="utf-8")
    return root.resolve()


def test_a_folder_without_hidden_files_stays_one_path(tmp_path: Path) -> None:
    root = tree(tmp_path)
    found = all_but([str(root / "lib"), "/does/not/exist"], [root / "suite" / "truth" / "a.png"])
    assert (found.readable, found.listable) == ([str(root / "lib"), "/does/not/exist"], [])


def test_only_the_way_to_a_hidden_file_is_named_piece_by_piece(tmp_path: Path) -> None:
    root = tree(tmp_path)
    (root / "suite" / "link.png").symlink_to(root / "suite" / "truth" / "a.png")
    found = all_but([str(root)], [root / "suite" / "truth" / "a.png"])
    names = ("lib", "serve.py", "suite/photo.png", "suite/truth/b.png")
    assert sorted(found.readable) == [str(root / name) for name in names]
    assert found.listable == [str(root), str(root / "suite"), str(root / "suite" / "truth")]


def test_a_hidden_file_that_is_named_itself_is_left_out(tmp_path: Path) -> None:
    root = tree(tmp_path)
    hidden = root / "suite" / "truth" / "a.png"
    assert all_but([str(hidden), str(root / "serve.py")], [hidden]).readable == [str(root / "serve.py")]


@pytest.mark.slow
def test_a_model_cannot_read_them(run: Run, sandbox: Sandbox) -> None:
    root = tree(sandbox.source)
    (root / "link.png").symlink_to(root / "suite" / "truth" / "a.png")
    box = dataclasses.replace(sandbox, hidden=(root / "suite" / "truth" / "a.png",))
    _, log = run(
        """
        import os
        for name in ("suite/photo.png", "suite/truth/b.png", "suite/truth/a.png", "link.png", "lib/code.py"):
            try:
                print(name, "read" if open(name).read() else "empty")
            except OSError:
                print(name, "refused")
        print(",".join(sorted(os.listdir("suite"))), "listed")
        """,
        box,
    )
    said = dict(line.split() for line in log.splitlines())
    assert said == {
        "suite/photo.png": "read",
        "suite/truth/b.png": "read",
        "suite/truth/a.png": "refused",
        "link.png": "refused",
        "lib/code.py": "read",
        "photo.png,truth": "listed",
    }
