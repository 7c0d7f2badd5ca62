"""Look into the images that the last ``make images`` pushed: what they hold, how large they are, whether they start.

python -m images.check            all of it
python -m images.check --table    the table of sizes, in Markdown
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from images.contents import Facts, Images
from images.overlay import MADE, OUT
from images.recipe import recipes

from penstock.foundation.errors import ExitCode, PenstockError, UsageError, WorldError
from penstock.sources.program import run

TIMEOUT_S = 600.0
RUNTIME = "opt/penstock-runtime"
MOUNTED = Path("workspace/runtime")
PROBE = """\
import socket, ssl, subprocess, sys, threading
import httpx, pydantic, yaml, penstock, penstock_tasks.infer.entrypoint
assert sys.executable == "/workspace/runtime/bin/python3", sys.executable
assert all(path.startswith("/workspace/runtime/") for path in sys.path), sys.path
assert socket.getaddrinfo("localhost", 80)[0][4][0] in ("127.0.0.1", "::1")
threads = [threading.Thread(target=ssl.create_default_context) for _ in range(8)]
[thread.start() for thread in threads], [thread.join() for thread in threads]
child = subprocess.run([sys.executable, "-I", "-S", "-c", "print('child')"], capture_output=True, text=True)
assert child.stdout == "child\\n", child
"""
"""Run by the driver runtime where there is nothing but itself."""
HOSTILE = {"PYTHONHOME": "/nowhere", "PYTHONPATH": "/junk", "LD_LIBRARY_PATH": "/junk", "LC_ALL": "tlh_QO.UTF-8"}
"""What a model's image may set; ``/junk`` holds broken libraries."""


def main(argv: Sequence[str] | None = None) -> int:
    """Check every image; exit code 1 if one is not as it should be."""
    parser = argparse.ArgumentParser(
        prog="python -m images.check",
        description=(__doc__ or "").partition("\n")[0],
        epilog="example: make images-check",
        allow_abbrev=False,
    )
    parser.add_argument("--overlay", type=Path, default=OUT, metavar="DIR", help="what `make images` wrote")
    parser.add_argument("--table", action="store_true", help="only the sizes, in Markdown")
    chosen = parser.parse_args(argv)
    try:
        return check(chosen.overlay, table_only=chosen.table)
    except PenstockError as error:
        sys.stderr.write(f"error: {error}\n")
        return int(error.exit_code)


def check(overlay: Path, *, table_only: bool) -> int:
    """Look into all images of the overlay.

    Raises:
        UsageError: there is no overlay.
        WorldError: an image cannot be fetched or started.
    """
    record = overlay / MADE
    if not record.is_file():
        raise UsageError("there is no such overlay", where=str(overlay), todo="Run `make images` first.")
    made = json.loads(record.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="penstock-images-") as folder:
        images = Images(Path(folder), made["tls_verify"])
        facts = {name: images.look(name, reference) for name, reference in sorted(made["images"].items())}
    sys.stdout.write(table(facts, images))
    if table_only:
        return 0
    faults = [f"{name}: {fault}" for name, one in facts.items() for fault in one.faults]
    for digest, layer in images.layers.items():
        holders = ", ".join(name for name, one in facts.items() if digest in one.layers)
        faults += [f"{holders}: {fault}" for fault in layer.faults]
    for name, reference in sorted(made["images"].items()):
        faults += [f"{name}: {fault}" for fault in starts(name, reference, tls_verify=made["tls_verify"])]
    for fault in faults:
        sys.stderr.write(f"{fault}\n")
    sys.stdout.write(f"{len(facts)} images, {len(images.layers)} layers, {len(faults)} faults\n")
    return int(ExitCode.REJECTED) if faults else 0


def table(facts: Mapping[str, Facts], images: Images) -> str:
    """Sizes in MB, in Markdown."""
    holders = Counter(digest for one in facts.values() for digest in set(one.layers))
    rows = ["| image | fetched, MB | of it no other image's | unpacked, MB |", "|---|--:|--:|--:|"]
    for name, one in facts.items():
        whole = sum(images.layers[digest].compressed for digest in one.layers)
        own = sum(images.layers[digest].compressed for digest in one.layers if holders[digest] == 1)
        unpacked = sum(images.layers[digest].unpacked for digest in one.layers)
        rows.append(f"| {name} | {whole / 1e6:.0f} | {own / 1e6:.1f} | {unpacked / 1e6:.0f} |")
    fetched, unpacked = (
        sum(getattr(layer, kind) for layer in images.layers.values()) for kind in ("compressed", "unpacked")
    )
    rows.append(f"| all of them on one node | {fetched / 1e6:.0f} | | {unpacked / 1e6:.0f} |")
    return "\n".join(rows) + "\n"


def starts(name: str, reference: str, *, tls_verify: bool) -> list[str]:
    """Run its program as the user that a Task or Deployment runs it as; *plan* has the driver runtime beside it."""
    container = _buildah("from", "--quiet", f"--tls-verify={str(tls_verify).lower()}", reference)
    try:
        user = "0:0" if name == "build" else "65532:65532"
        program = [*recipes()[name].program, "--help"]
        argv = ["buildah", "run", "--isolation=chroot", f"--user={user}", container, "--", *program]
        ran = run(argv, timeout_s=TIMEOUT_S)
        faults = [] if ran.code == 0 else [f"`{' '.join(program)}` ends with {ran.code}: {ran.tail[-300:]}"]
        if name == "plan":
            faults += runtime_faults(Path(_buildah("mount", container)) / RUNTIME)
        return faults
    finally:
        _buildah("rm", container)


def runtime_faults(packed: Path) -> list[str]:
    """Run the driver in a root that holds nothing but it, with an environment that would break any other Python."""
    with tempfile.TemporaryDirectory(prefix="penstock-runtime-") as folder:
        root = Path(folder)
        root.chmod(0o755)
        shutil.copytree(packed, root / MOUNTED, symlinks=True)
        for place, text in (("etc/hosts", "127.0.0.1 localhost\n"), ("probe.py", PROBE)):
            (root / place).parent.mkdir(exist_ok=True)
            (root / place).write_text(text, encoding="utf-8")
        (root / "junk").mkdir()
        for library in (root / MOUNTED / "lib").glob("*.so*"):
            (root / "junk" / library.name).write_text("no library", encoding="utf-8")
        return [
            *_in_root(root, [f"/{MOUNTED}/bin/penstock-infer", "--help"]),
            *_in_root(root, [f"/{MOUNTED}/bin/penstock-serve", "--help"]),
            *_in_root(root, [f"/{MOUNTED}/bin/python3", "-I", "/probe.py"]),
        ]


def _in_root(root: Path, argv: list[str]) -> list[str]:
    # `env` outside the root sets what the loader of the program inside is to see.
    inside = ["unshare", "--user", "--map-root-user", "chroot", str(root), *argv]
    started = time.monotonic()
    ran = subprocess.run(
        inside, env=HOSTILE | {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, capture_output=True, text=True
    )
    seconds = time.monotonic() - started
    if ran.returncode:
        return [f"the driver runtime: {' '.join(argv)} ends with {ran.returncode}: {ran.stderr[-500:]}"]
    sys.stdout.write(f"driver runtime: {' '.join(argv)}: {seconds:.2f} s\n")
    return []


def _buildah(*arguments: str) -> str:
    done = run(["buildah", *arguments], timeout_s=TIMEOUT_S)
    if done.code:
        raise WorldError(f"buildah {arguments[0]} failed: {done.tail[-300:]}", where=arguments[-1])
    return done.output.decode("utf-8", "replace").strip()


if __name__ == "__main__":
    sys.exit(main())
