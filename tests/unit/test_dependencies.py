"""What the package asks for is what it imports: nothing is installed for nothing, nothing is missing."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE_OF = {
    "yaml": "pyyaml",
    "cv2": "opencv-python-headless",
    "PIL": "pillow",
    "pynvml": "nvidia-ml-py",
    "backports": "backports-zstd",
}
OWN = {"penstock", "penstock_tasks", "penstock_extractors", "penstock_manifests"}
WITH_ANOTHER = {"pydantic_core": "pydantic", "markupsafe": "jinja2", "botocore": "boto3", "click": "typer"}
"""Modules that come with a package that is asked for."""


def imported() -> set[str]:
    """Packages whose modules the product's own modules import, at once or later."""
    found = set()
    for path in (*(ROOT / "src").rglob("*.py"), *(ROOT / "tasks").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    third = found - set(sys.stdlib_module_names) - OWN
    return {PACKAGE_OF.get(name, WITH_ANOTHER.get(name, name)) for name in third}


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=~! \[]", line)[0].lower() for line in requirements}


def test_the_package_asks_for_what_it_imports() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    optional = names([line for extra, lines in extras.items() if extra != "demo" for line in lines])
    assert imported() - optional == names(project["dependencies"])
