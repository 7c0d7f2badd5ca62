"""Make the driver runtime: a Python that runs from one mount path in *any* image, even one that holds nothing else.

The step *infer* runs in the model's own image, which may have no Python, another C library, or no file but one
program. So the driver comes on a volume with all that it needs: loader, C library, interpreter, standard library
and packages. Every ELF file names the mount path: the program its loader, each its libraries' folder. That is DT_RPATH,
not DT_RUNPATH, because only the former goes before the LD_LIBRARY_PATH that images with CUDA set; and nothing has to be
set in the environment, which the model would inherit. (Not $ORIGIN: the loader learns its own place from /proc.)

    make_runtime.py python --out DIR --packages FILE...         interpreter, standard library, pinned packages
    make_runtime.py seal --python DIR --code DIR --out DIR      on top: Penstock, its programs in bin/, and ID

Two commands, because they become two layers: a change of Penstock remakes the small one only. Runs while images/plan is
built, on the Python whose copy is made, and needs `patchelf` and `pip` on PATH.
"""

from __future__ import annotations

import argparse
import compileall
import hashlib
import os
import py_compile
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

MOUNTED = Path("/workspace/runtime")
"""Where a step finds it: the loader's name in an ELF file, and a script's first line, cannot be relative."""
STDLIB = Path("lib") / f"python{sys.version_info.major}.{sys.version_info.minor}"
NEEDED_SUPPLEMENT = ("libgcc_s.so.1", "libdl.so.2", "libpthread.so.0", "librt.so.1")
"""Libraries that no file names. The C library itself opens the first, when a thread ends; the library of NVIDIA's
driver, which comes from the node, names the others, and those of the model's image may be of another version."""
UNUSED_PACKAGES = (
    *(
        "ensurepip",
        "idlelib",
        "lib2to3",
        "pydoc_data",
        "test",
        "tkinter",
        "turtledemo",
        "distutils",
        "sqlite3",
        "curses",
    ),
    *("dbm", "wsgiref", "xmlrpc", "__pycache__", "site-packages", "dist-packages", "__phello__"),
)
UNUSED_FILES = ("turtle.py", "pydoc.py", "doctest.py", "antigravity.py", "this.py", "LICENSE.txt", "EXTERNALLY-MANAGED")
UNUSED_MODULES = re.compile(
    r"^(_tkinter|_test.*|_xxtest.*|_curses.*|_sqlite3|_gdbm|_dbm|_ctypes_test|xx.*|readline|nis|ossaudiodev|audioop"
    r"|_crypt|_codecs_(cn|hk|iso2022|jp|kr|tw))\."
)
ENTRY = Path(__file__).parent / "penstock_program.py"
PROGRAMS = {
    "penstock-infer": "penstock_tasks.infer.entrypoint",
    "penstock-serve": "penstock_tasks.browse.serve",
    "penstock-backends": "penstock_tasks.export.backends",
    "penstock-drive": "penstock_tasks.load.drive",
}
"""As in :mod:`penstock.invocation.runtime`, which is not installed where this runs (a test compares them)."""
ENTRY_MODULE = "penstock_tasks.infer.entrypoint"
"""The module that :data:`ENTRY` names, in whose place a program's own is written."""
OURS = ("penstock", "penstock_tasks")


def main() -> int:
    """Parse the arguments and make one of the two parts."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parts = parser.add_subparsers(dest="part", required=True)
    python = parts.add_parser("python")
    python.add_argument("--out", type=Path, required=True)
    python.add_argument("--packages", type=Path, nargs="+", required=True, help="requirements with hashes")
    seal = parts.add_parser("seal")
    seal.add_argument("--out", type=Path, required=True, help="the files to lay over the first part")
    seal.add_argument("--python", type=Path, required=True, help="the first part")
    seal.add_argument("--code", type=Path, required=True, help="the folder with penstock and penstock_tasks")
    chosen = parser.parse_args()
    if chosen.part == "python":
        make_python(chosen.out, chosen.packages)
    else:
        make_seal(chosen.out, chosen.python, chosen.code)
    return 0


def make_python(out: Path, packages: list[Path]) -> None:
    """Interpreter, standard library and packages in ``out``, made relocatable and compiled."""
    stdlib = out / STDLIB
    copy_standard_library(stdlib)
    copy_program(Path(sys.executable).resolve(), out / "bin" / "python3")
    install(packages, stdlib)
    loader = gather_libraries(out)
    for path in elf_files(out):
        relocate(path, out, loader)
    compile_all(stdlib, STDLIB)


def copy_standard_library(stdlib: Path) -> None:
    """What the driver can import of Python's own modules: not the tests, nor what draws on a screen."""
    source = Path(sysconfig.get_path("stdlib"))

    def unused(folder: str, names: list[str]) -> set[str]:
        inner = Path(folder).relative_to(source)
        if inner.name == "lib-dynload":
            return {name for name in names if UNUSED_MODULES.match(name)}
        if inner.parts:
            return {name for name in names if name in ("test", "tests", "__pycache__")}
        config = {name for name in names if name.startswith("config-")}
        return config | {name for name in names if name in UNUSED_PACKAGES or name in UNUSED_FILES}

    shutil.copytree(source, stdlib, ignore=unused, ignore_dangling_symlinks=True)
    dynamic = Path(sysconfig.get_path("platstdlib")) / "lib-dynload"
    if not (stdlib / "lib-dynload").is_dir():
        shutil.copytree(dynamic, stdlib / "lib-dynload")


def copy_program(source: Path, target: Path) -> None:
    """A copy that may be changed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o755)


def install(packages: list[Path], stdlib: Path) -> None:
    """The packages go beside the standard library's modules, not into ``site-packages``: which folder of that name an
    interpreter looks into differs between distributions, and with ``-S`` none does.
    """
    listed = [argument for path in packages for argument in ("--requirement", str(path))]
    only_wheels = ["--require-hashes", "--only-binary", ":all:", "--no-compile", "--no-deps"]
    subprocess.run(["pip", "install", "--quiet", *only_wheels, *listed, "--target", str(stdlib)], check=True)
    for unused in ("bin", "share"):
        shutil.rmtree(stdlib / unused, ignore_errors=True)


def elf_files(root: Path) -> list[Path]:
    """Programs and shared libraries below ``root``."""
    found = []
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if file.read(4) == b"\x7fELF":
                    found.append(path)
    return found


def gather_libraries(out: Path) -> str:
    """Copy all shared libraries that anything below ``out`` needs into ``out/lib``; return the loader's file name."""
    library = out / "lib"
    loader = Path(patchelf("--print-interpreter", str(out / "bin" / "python3")))
    copy_program(loader.resolve(), library / loader.name)
    todo = elf_files(out)
    for supplement in NEEDED_SUPPLEMENT:
        found = locate(supplement, loader)
        copy_program(found.resolve(), library / supplement)
        todo.append(library / supplement)
    while todo:
        for name, source in needed(todo.pop(), loader).items():
            if name != loader.name and not (library / name).exists() and not source.is_relative_to(out):
                copy_program(source.resolve(), library / name)
                todo.append(library / name)
    return loader.name


def needed(path: Path, loader: Path) -> dict[str, Path]:
    """The shared libraries of an ELF file by the name that it asks for, as the loader of this system finds them."""
    listed = subprocess.run([loader, "--list", path], capture_output=True, text=True)
    if listed.returncode:
        raise SystemExit(f"make_runtime: {path}: the loader cannot read it: {listed.stderr.strip()}")
    found = {}
    for line in listed.stdout.splitlines():
        name, arrow, rest = line.strip().partition(" => ")
        if arrow and rest.startswith("not found"):
            raise SystemExit(f"make_runtime: {path} needs {name}, which is not installed")
        if arrow and rest.startswith("/"):
            found[Path(name).name] = Path(rest.rpartition(" (")[0])
    return found


def locate(name: str, loader: Path) -> Path:
    """A library beside the C library."""
    for path in needed(Path(sys.executable).resolve(), loader).values():
        if (path.parent / name).exists():
            return path.parent / name
    raise SystemExit(f"make_runtime: there is no {name} beside the C library")


def relocate(path: Path, out: Path, loader: str) -> None:
    """Let ``path`` find its libraries, and a program its loader, at the mount path."""
    if path.name == loader:
        return
    own = [entry for entry in patchelf("--print-rpath", str(path)).split(":") if entry.startswith("$ORIGIN")]
    patchelf("--force-rpath", "--set-rpath", ":".join([*own, str(MOUNTED / "lib")]), str(path))
    if path.parent == out / "bin":
        patchelf("--set-interpreter", str(MOUNTED / "lib" / loader), str(path))


def patchelf(*arguments: str) -> str:
    """Run patchelf and return what it prints."""
    return subprocess.run(["patchelf", *arguments], check=True, capture_output=True, text=True).stdout.strip()


def compile_all(folder: Path, inner: Path) -> None:
    """Byte-code that is never checked against the source: the copy on the volume has other times, and is read-only."""
    compileall.compile_dir(
        folder,
        quiet=2,
        force=True,
        stripdir=str(folder),
        prependdir=str(MOUNTED / inner),
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )


def make_seal(out: Path, python: Path, code: Path) -> None:
    """Penstock, the scripts that start its programs, and ``ID``: the SHA-256 over all files of both parts."""
    library = out / STDLIB
    for name in OURS:
        shutil.copytree(code / name, library / name, ignore=shutil.ignore_patterns("__pycache__"))
        compile_all(library / name, STDLIB / name)
    (out / "bin").mkdir(parents=True)
    entry = ENTRY.read_text(encoding="utf-8")
    for name, module in PROGRAMS.items():
        script = out / "bin" / name
        script.write_text(f"#!{MOUNTED}/bin/python3 -I\n{entry.replace(ENTRY_MODULE, module)}", encoding="utf-8")
        script.chmod(0o755)
    (out / "ID").write_text(f"{identity(python, out)}\n", encoding="utf-8")


def identity(*parts: Path) -> str:
    """32 hex digits over path, mode and content of every file: equal runtimes have equal names."""
    digest = hashlib.sha256()
    files = {path.relative_to(part).as_posix(): path for part in parts for path in part.rglob("*") if path.is_file()}
    for name, path in sorted(files.items()):
        executable = "x" if os.access(path, os.X_OK) else "-"
        digest.update(f"{name}\0{executable}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()[:32]


if __name__ == "__main__":
    sys.exit(main())
