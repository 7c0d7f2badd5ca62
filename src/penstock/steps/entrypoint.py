"""What every step entrypoint shares: arguments from a dataclass, results, log lines, errors and exit codes.

An entrypoint is a frozen dataclass of arguments and one function::

    @dataclass(frozen=True)
    class Arguments:
        url: str = param("the repository")
        source: Path = workspace("where the repository goes")

    RESULTS = ("commit",)

    def step(arguments: Arguments) -> dict[str, str]: ...

    def main(argv: Sequence[str] | None = None) -> int:
        return run_step("clone", Arguments, RESULTS, step, argv)

The Task passes ``--url=$(params.url)``, ``--source=$(workspaces.source.path)`` and
``--result=commit=$(results.commit.path)``; ``tests/unit/tasks/test_manifests.py`` holds the two together.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import datetime
import gc
import json
import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, Literal, NoReturn, TypeVar, get_type_hints

from penstock.bundle.directory import Bundle
from penstock.bundle.failures import forget_failure, remember_failure
from penstock.foundation.errors import ExitCode, Interrupted, PenstockError, UsageError, printable
from penstock.foundation.files import write_text

MAX_RESULTS_BYTES = 1024
"""Tekton's termination message holds about 4 KB for all containers of a pod; ours stay well below."""

A = TypeVar("A")
Kind = Literal["param", "workspace", "launcher"]
STEPS_GROUP = 65532
"""The group of our images' user."""
_GARBAGE_THRESHOLD = (700, 10, 10)
"""Python's own."""


def param(help_text: str, *, default: str | bool | int | None = None) -> Any:
    """A field that the Task fills from a parameter; without ``default`` it must be given."""
    return _field("param", help_text, default)


def workspace(help_text: str, *, optional: bool = False) -> Any:
    """A field that the Task fills with the path of a workspace (``Path``, or ``Path | None`` if ``optional``)."""
    return _field("workspace", help_text, "" if optional else None)


def launched(help_text: str) -> Any:
    """A field (``Path | None``) that no Task fills, only the program that starts the step in an image not ours."""
    return _field("launcher", help_text, "")


def _field(kind: Kind, help_text: str, default: str | bool | int | None) -> Any:
    metadata = {"kind": kind, "help": help_text, "default": default}
    return dataclasses.field(metadata=metadata)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """A wrong argument is an error like any other: one line, which the log and the end of the run have."""
        raise UsageError(message, where=self.prog, todo="Correct the parameter.")


def parse_arguments(step_name: str, arguments: type[A], argv: Sequence[str] | None) -> tuple[A, dict[str, Path]]:
    """Parse ``argv`` into the dataclass and the result paths.

    Raises:
        UsageError: an argument is unknown, missing, or not of its type.
    """
    parser = _Parser(
        prog=f"penstock-{step_name}",
        description=(arguments.__doc__ or "").strip(),
        epilog=f"Run by tekton/tasks/{step_name}.yaml. Exit codes: 0 done, 1 rejected, 2 bad input, 3 inconclusive, "
        "4 the world failed.",
        allow_abbrev=False,
    )
    hints = get_type_hints(arguments)
    for field in dataclasses.fields(arguments):  # type: ignore[arg-type]
        default = field.metadata["default"]
        parser.add_argument(
            f"--{field.name.replace('_', '-')}",
            dest=field.name,
            required=default is None,
            default=default,
            type=_converter(hints[field.name]),
            help=field.metadata["help"].replace("%", "%%"),
        )
    parser.add_argument(
        "--result", action="append", default=[], metavar="NAME=PATH", help="where the result NAME is written"
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    values = vars(parser.parse_args(argv))
    values.pop("debug")
    results = {}
    for pair in values.pop("result"):
        name, _, path = pair.partition("=")
        if not path:
            parser.error(f"--result wants NAME=PATH, not '{pair}'")
        results[name] = Path(path)
    converted = {name: _optional(hints[name], value) for name, value in values.items()}
    return arguments(**converted), results


def _converter(hint: Any) -> Callable[[str], Any]:
    if hint is bool:
        return _boolean
    if hint is int:
        return int
    if hint in (Path, Path | None):
        return lambda text: Path(text) if text else None
    return str


def _optional(hint: Any, value: Any) -> Any:
    if hint == Path | None and (not value or is_missing_secret(value)):
        return None
    if hint is Path and not value:
        raise UsageError("a workspace is not bound")
    return value


def is_missing_secret(mount: Path) -> bool:
    """Whether an optional secret that does not exist is mounted here: only Kubernetes' own names, if any."""
    with contextlib.suppress(OSError):  # what cannot be read is not missing: the step itself says what is wrong
        return mount.is_dir() and all(entry.name.startswith("..") for entry in mount.iterdir())
    return False


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"'{text}' is neither true nor false")
    return text == "true"


def log(event: str, **fields: object) -> None:
    """One JSON line on standard output: for log collectors, and for ``penstock run``, which makes it progress."""
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
    line = {"time": now, "event": event, **fields}
    sys.stdout.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()


class _JsonLines(logging.Handler):
    """What the library says through ``logging`` becomes our log lines."""

    def emit(self, record: logging.LogRecord) -> None:
        log("log", level=record.levelname.lower(), message=printable(record.getMessage()))


@contextlib.contextmanager
def _library_in_json_lines() -> Iterator[None]:
    """While a step runs, the library's log is the step's; a test that runs one leaves no trace in the next."""
    library = logging.getLogger("penstock")
    before = library.handlers, library.propagate, library.level
    library.handlers, library.propagate = [_JsonLines()], False
    library.setLevel(logging.INFO)
    try:
        yield
    finally:
        library.handlers, library.propagate = before[:2]
        library.setLevel(before[2])


def progress(done: int, total: int, what: str) -> None:
    """Say how far a long step is."""
    log("progress", done=done, total=total, what=what)


def run_step(
    step_name: str,
    arguments: type[A],
    results: tuple[str, ...],
    step: Callable[[A], dict[str, str]],
    argv: Sequence[str] | None = None,
) -> int:
    """Run one step and return its exit code: one JSON line for an error, its traceback only with ``--debug``."""
    if argv is None:
        _keep_modules()
    _share_files()
    debug = "--debug" in (sys.argv[1:] if argv is None else argv)
    with contextlib.suppress(ValueError):  # not in the main thread: a test
        signal.signal(signal.SIGTERM, _terminated)
    with _library_in_json_lines():
        return _told(step_name, arguments, results, step, argv, debug)


def _told(
    step_name: str,
    arguments: type[A],
    results: tuple[str, ...],
    step: Callable[[A], dict[str, str]],
    argv: Sequence[str] | None,
    debug: bool,
) -> int:
    """Run the step; whatever comes of it is a line and an exit code."""
    started = time.monotonic()
    given: object = None
    try:
        values, paths = parse_arguments(step_name, arguments, argv)
        given = values
        answers = step(values)
        _write_results(answers, results, paths)
    except SystemExit as stop:
        return int(stop.code or 0)
    except KeyboardInterrupt:
        log("interrupted", step=step_name)
        return int(ExitCode.INTERRUPTED)
    except PenstockError as error:
        if debug:
            traceback.print_exc()
        log("error", step=step_name, error=str(error), exit_code=int(error.exit_code))
        _in_bundle(given, step_name, str(error), resumable=error.resumable, full_disk=error.full_disk)
        return int(error.exit_code)
    except Exception as error:
        if debug:
            traceback.print_exc()
        # our bug: the last frame says where, so that a report of it can be used
        frame = traceback.extract_tb(error.__traceback__)[-1]
        text = printable(f"{type(error).__name__}: {error} ({Path(frame.filename).name}:{frame.lineno})")
        log(
            "bug",
            step=step_name,
            error=text,
            todo="Report it, with the output of --debug.",
            exit_code=int(ExitCode.BUG),
        )
        _in_bundle(given, step_name, text)
        return int(ExitCode.BUG)
    _in_bundle(given, step_name, "")
    log("done", step=step_name, seconds=round(time.monotonic() - started, 3), **answers)
    return int(ExitCode.OK)


def _keep_modules() -> None:
    """What was imported lasts as long as this program: it is not searched for garbage again, nor at the end."""
    gc.freeze()
    gc.set_threshold(*_GARBAGE_THRESHOLD)


def _in_bundle(values: object, step_name: str, error: str, *, resumable: bool = True, full_disk: bool = False) -> None:
    """Leave the error for the step *notify*, in the bundle that this step was given; none takes an earlier one back."""
    path, shard = getattr(values, "bundle", None), str(getattr(values, "shard", ""))
    if isinstance(path, Path) and error:
        remember_failure(Bundle(path), step_name, error, part=shard, resumable=resumable, full_disk=full_disk)
    elif isinstance(path, Path):
        forget_failure(Bundle(path), step_name, part=shard)


def _terminated(_signal: int, _frame: FrameType | None) -> None:
    raise Interrupted("the step was told to end", todo="Its pod was deleted or evicted, or somebody stopped the run.")


def _share_files() -> None:
    """Let the other steps write where this one made a directory: one runs as root, the others as a user of their own.

    On a cluster the volume's group is that user's. On a person's machine the group may be anybody's: nothing changes.
    """
    if os.getuid() == 0 or os.getgid() == STEPS_GROUP:
        os.umask(0o002)


def _write_results(answers: dict[str, str], declared: tuple[str, ...], paths: dict[str, Path]) -> None:
    if set(answers) != set(declared):
        raise RuntimeError(f"the step answers {sorted(answers)}, but declares {sorted(declared)}")
    size = sum(len(name.encode()) + len(value.encode()) for name, value in answers.items())
    if size > MAX_RESULTS_BYTES:
        raise RuntimeError(f"the results take {size} bytes, more than {MAX_RESULTS_BYTES}")
    for name, path in paths.items():
        if name not in answers:
            raise UsageError(f"there is no result '{name}'", where="--result", todo=f"Results: {', '.join(declared)}.")
        write_text(path, answers[name])


def shorten(text: str, size: int) -> str:
    """``text`` cut to at most ``size`` bytes of UTF-8, for results."""
    encoded = text.encode()
    return text if len(encoded) <= size else encoded[: size - 3].decode(errors="ignore") + "…"
