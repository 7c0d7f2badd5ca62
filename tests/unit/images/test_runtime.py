"""The driver runtime's parts that need no build; `make images-check` runs the whole of it in an empty root."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from images.recipe import ROOT

from penstock.invocation.runtime import PROGRAMS

PLAN = ROOT / "images" / "plan"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, PLAN / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


make_runtime = load("make_runtime")
penstock_program = load("penstock_program")


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / "code"
    for name in (
        "penstock/__init__.py",
        "penstock_tasks/__init__.py",
        "penstock_tasks/__pycache__/x.pyc",
        "other/x.py",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("A = 1\n")
    return folder


@pytest.fixture
def python(tmp_path: Path) -> Path:
    folder = tmp_path / "python"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python3").write_bytes(b"\x7fELF")
    return folder


def test_the_seal_holds_our_code_the_program_and_the_name(tmp_path: Path, code: Path, python: Path) -> None:
    out = tmp_path / "out"
    make_runtime.make_seal(out, python, code)
    library = out / make_runtime.STDLIB
    assert {path.name for path in library.iterdir()} == {"penstock", "penstock_tasks"}
    assert {Path("bin") / name: module for name, module in make_runtime.PROGRAMS.items()} == PROGRAMS
    for name, module in PROGRAMS.items():
        text = (out / name).read_text()
        assert text.startswith("#!/workspace/runtime/bin/python3 -I\n")
        assert f"    from {module} import main\n" in text
        assert os.access(out / name, os.X_OK)
    assert len((out / "ID").read_text().strip()) == 32


def test_byte_code_is_never_checked_and_names_the_mount_path(tmp_path: Path, code: Path, python: Path) -> None:
    out = tmp_path / "out"
    make_runtime.make_seal(out, python, code)
    (compiled,) = (out / make_runtime.STDLIB / "penstock" / "__pycache__").glob("*.pyc")
    content = compiled.read_bytes()
    assert int.from_bytes(content[4:8], "little") == 0b01, "hash-based, unchecked"
    assert f"/workspace/runtime/{make_runtime.STDLIB}/penstock/__init__.py".encode() in content


def test_equal_runtimes_have_equal_names(tmp_path: Path, code: Path, python: Path) -> None:
    def name(number: int) -> str:
        make_runtime.make_seal(tmp_path / str(number), python, code)
        return (tmp_path / str(number) / "ID").read_text()

    first = name(1)
    os.utime(code / "penstock" / "__init__.py", (1, 1))
    assert name(2) == first
    (code / "penstock" / "__init__.py").write_text("A = 2\n")
    second = name(3)
    assert second != first
    (python / "bin" / "python3").chmod(0o755)
    assert name(4) != second


def test_tests_and_what_draws_are_left_out() -> None:
    unused = make_runtime.UNUSED_MODULES
    for name in ("_tkinter.cpython-311-x86_64-linux-gnu.so", "_testcapi.x.so", "_codecs_jp.x.so", "_sqlite3.x.so"):
        assert unused.match(name), name
    for name in ("_ssl.x.so", "_ctypes.x.so", "_json.x.so", "select.x.so", "_socket.x.so", "_hashlib.x.so"):
        assert not unused.match(name), name


@pytest.mark.slow
def test_the_standard_library_that_is_left_imports_the_step(tmp_path: Path) -> None:
    """The interpreter here, on the copy: what was left out must not be needed."""
    stdlib = tmp_path / make_runtime.STDLIB
    make_runtime.copy_standard_library(stdlib)
    assert not (stdlib / "test").exists()
    assert not (stdlib / "idlelib").exists()
    packages = Path(importlib.util.find_spec("pydantic").submodule_search_locations[0]).parent  # type: ignore[union-attr,index]
    script = (
        f"import sys; sys.path[:] = [{str(stdlib)!r}, {str(stdlib / 'lib-dynload')!r}, {str(packages)!r},"
        f" {str(ROOT / 'src')!r}, {str(tmp_path)!r}]\n"
        "import httpx, ssl, json\n"
        "from penstock.evaluation.infer import infer\n"
        "from penstock.invocation.http import HttpModel\n"
        "from penstock.invocation.command import CommandModel\n"
        "assert json.__file__.startswith(sys.path[0]), json.__file__\n"
        "assert not {'numpy', 'cv2', 'av'} & sys.modules.keys()\n"
    )
    # -S: the site module would import parts of the library before the path is ours.
    ran = subprocess.run([sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def test_the_models_locale_is_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started_with = tmp_path / "environ"
    started_with.write_bytes(b"PATH=/bin\0LANG=C\0")
    monkeypatch.setenv("LC_CTYPE", "C.UTF-8")
    penstock_program.forget_locale(started_with)
    assert "LC_CTYPE" not in os.environ
    monkeypatch.setenv("LC_CTYPE", "de_DE")
    started_with.write_bytes(b"PATH=/bin\0LC_CTYPE=de_DE\0")
    penstock_program.forget_locale(started_with)
    assert os.environ["LC_CTYPE"] == "de_DE"
    penstock_program.forget_locale(tmp_path / "none")
    assert os.environ["LC_CTYPE"] == "de_DE"
