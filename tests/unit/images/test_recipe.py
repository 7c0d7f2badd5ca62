"""An image's key: it changes with all that the image is made of, and with nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from images.recipe import keys, recipes

from penstock.foundation.errors import UsageError

BASE = "ARG BASE=docker.io/library/python:3.11-slim\nFROM ${BASE}\nCOPY requirements/base.txt /r/\n"
CODE = "ARG BASE=penstock.local/base:0.1.0\nFROM ${BASE}\nCOPY src /src\n"
STEP = (
    "ARG BASE=penstock.local/base:0.1.0\nARG CODE=penstock.local/code:0.1.0\nFROM ${CODE} AS code\nFROM ${BASE}\n"
    "COPY requirements/gate.txt /r/\nCOPY --from=code /out/ /\n"
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in {
        "images/base/Containerfile": BASE,
        "images/base/Containerfile.code": CODE,
        "images/gate/Containerfile": STEP,
        "images/clone/Containerfile": STEP.replace("gate", "clone"),
        "requirements/base.txt": "pydantic==1\n",
        "requirements/gate.txt": "boto3==1\n",
        "requirements/clone.txt": "psutil==1\n",
        "src/penstock/a.py": "A = 1\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def changed(root: Path, name: str, text: str) -> set[str]:
    """The images whose keys change with a file."""
    before = keys(recipes(root), "sha256:1")
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)
    after = keys(recipes(root), "sha256:1")
    return {one for one in after if before[one] != after[one]}


def test_parents_come_first(root: Path) -> None:
    assert list(recipes(root)) == ["base", "code", "clone", "gate"]
    assert [name for name, recipe in recipes(root).items() if recipe.is_step] == ["clone", "gate"]
    assert recipes(root)["gate"].stands_on == {"BASE": "base", "CODE": "code"}
    assert recipes(root)["base"].stands_on == {}


def test_a_service_is_known_by_its_program(root: Path) -> None:
    (root / "images/pulls").mkdir()
    (root / "images/pulls/Containerfile").write_text(STEP + 'ENTRYPOINT ["penstock", "pulls"]\n')
    found = recipes(root)
    assert [name for name, recipe in found.items() if recipe.is_service] == ["pulls"]
    assert found["pulls"].program == ("penstock", "pulls")
    assert [name for name, recipe in found.items() if recipe.is_step] == ["clone", "gate"]
    assert [name for name, recipe in found.items() if recipe.is_shared] == ["base", "code"]
    assert found["gate"].program == ()


def test_a_key_changes_with_what_the_image_is_made_of(root: Path) -> None:
    assert changed(root, "src/penstock/a.py", "A = 2\n") == {"code", "clone", "gate"}
    assert changed(root, "src/penstock/b.py", "B = 1\n") == {"code", "clone", "gate"}
    assert changed(root, "requirements/gate.txt", "boto3==2\n") == {"gate"}
    assert changed(root, "requirements/base.txt", "pydantic==2\n") == {"base", "code", "clone", "gate"}
    assert changed(root, "images/clone/Containerfile", STEP.replace("gate", "clone") + "USER 1\n") == {"clone"}


def test_a_mode_is_part_of_it(root: Path) -> None:
    before = keys(recipes(root), "sha256:1")
    (root / "requirements" / "gate.txt").chmod(0o755)
    after = keys(recipes(root), "sha256:1")
    assert {name for name in after if before[name] != after[name]} == {"gate"}


def test_a_key_does_not_change_with_what_is_not_copied(root: Path) -> None:
    assert changed(root, "src/penstock/__pycache__/a.cpython-311.pyc", "x") == set()
    assert changed(root, "src/penstock.egg-info/PKG-INFO", "x") == set()
    assert changed(root, "README.md", "x") == set()


def test_another_base_image_changes_all(root: Path) -> None:
    one, other = keys(recipes(root), "sha256:1"), keys(recipes(root), "sha256:2")
    assert all(one[name] != other[name] for name in one)


def test_a_missing_source_is_named(root: Path) -> None:
    (root / "requirements" / "gate.txt").unlink()
    with pytest.raises(UsageError, match=r"requirements/gate\.txt: a Containerfile copies what is not there"):
        keys(recipes(root), "sha256:1")


def test_copies_with_a_backslash_are_not_used() -> None:
    """Sources are read line by line."""
    for recipe in recipes().values():
        assert "\\" not in "".join(line for line in recipe.text.splitlines() if line.startswith("COPY"))
