"""``python -m tests.gpu``: what only a machine with an NVIDIA card can show. See docs/BENCHMARKS.md."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
PARTS = ("memory", "served", "arithmetic", "measured")


def main(argv: Sequence[str] | None = None) -> int:
    """Print a table a part; 1 if something is missed."""
    from tests.gpu.checks import Check, table

    from penstock.bundle.machine import this_machine

    arguments = _arguments(argv)
    machine = this_machine()
    say(f"{machine.gpu or 'no card'}; {machine.processor}, {machine.cores} cores; {machine.versions}\n")
    found: dict[str, list[Check]] = {}
    for part in arguments.parts:
        began = time.perf_counter()
        with tempfile.TemporaryDirectory(prefix=f"penstock-gpu-{part}-") as folder:
            checks: list[Check] = []
            try:
                checks.extend(_part(part, Path(folder), arguments)())
            except Exception as error:  # the other parts are wanted nevertheless
                checks.append(Check("it broke off", f"{type(error).__name__}: {error}"[:600], "an end", good=False))
        checks.append(Check("took", f"{time.perf_counter() - began:.0f} s"))
        found[part] = checks
        say(table(part, checks))
        if arguments.json is not None:
            listed = {name: [asdict(check) for check in some] for name, some in found.items()}
            arguments.json.write_text(json.dumps({"machine": machine.model_dump(), "parts": listed}, indent=2) + "\n")
    missed = [f"{part}: {check.name}" for part, checks in found.items() for check in checks if not check.good]
    say(f"MISSED: {'; '.join(missed)}" if missed else "all met")
    return 1 if missed else 0


def say(text: str) -> None:
    """A line, at once: what follows may be stopped."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.gpu", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="by default all")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to this file")
    parser.add_argument(
        "--python", default=sys.executable, help="an interpreter with PyTorch (and OpenCV, NumPy) for the model"
    )
    parser.add_argument(
        "--without-card", action="store_true", help="rehearse on the CPU: what needs a card is left out"
    )
    arguments = parser.parse_args(argv)
    arguments.parts = arguments.parts or [part for part in PARTS if part != "memory" or not arguments.without_card]
    return arguments


def _part(part: str, folder: Path, arguments: argparse.Namespace) -> Callable[[], Iterable[object]]:
    """Imported when it is asked for: each needs other packages."""
    device = "cpu" if arguments.without_card else "cuda"
    if part == "memory":
        from tests.gpu import memory

        return lambda: memory.check(folder, arguments.python)
    if part == "arithmetic":
        from tests.gpu import arithmetic

        return lambda: arithmetic.check(folder, "f32" if arguments.without_card else "f32-cuda")
    from tests.gpu import measured, served

    place = served.Place(folder, arguments.python, device)
    return lambda: (served if part == "served" else measured).check(place)


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "test-assets")]
    sys.exit(main())
