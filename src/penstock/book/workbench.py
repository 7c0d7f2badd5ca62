"""Runs in progress, as their workspace shows them: what a run has made so far, before any of it is archived.

The workspace is the folder that the steps share: ``OUT`` of ``penstock run``, the claim ``penstock-work`` on a cluster.
The model's own process may write to its run's bundle there. So every file is opened through handles, which follow no
link, and is read up to a limit; what cannot be read yet is as if it were not there.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

from pydantic import BaseModel, ValidationError

from penstock.book.cards import RunCard, card_of
from penstock.book.evidence import kind_of
from penstock.bundle.directory import parse_model
from penstock.bundle.failures import Failure
from penstock.bundle.models import Invocation, Run
from penstock.bundle.verdict_record import Verdict
from penstock.foundation.errors import PenstockError, UsageError, one_line, printable
from penstock.foundation.handles import Folder
from penstock.store.archive import name_part

MAX_RECORD_BYTES = 4 << 20
MAX_LINES_BYTES = 16 << 20
MAX_CALLS = 5_000
"""Of ``invocations.jsonl``, over all shards together: a page reads no more."""
MAX_RUNS = 500
"""Runs of the workspace that are listed, and looked at for a list."""
MAX_SHARDS = 64
MAX_FAILURES = 20
MAX_TEXT = 500
SHOWN = ("video", "image", "audio")
"""Kinds of files that are handed out while a run goes on."""
Found = TypeVar("Found", bound=BaseModel)


@dataclass(frozen=True)
class LiveCase:
    """One case that the model has answered, or failed at."""

    name: str
    status: str
    error: str
    latency_s: float | None
    files: list[tuple[str, str]]
    """Path in the bundle, as the page asks for it, and kind: see :func:`penstock.book.evidence.kind_of`."""


@dataclass(frozen=True)
class LiveRun:
    """What a run has come to."""

    card: RunCard
    steps: list[str]
    """Those that are done, in their order."""
    cases: list[LiveCase]
    """Failed ones first, then the slowest: the worst so far, before anything is measured."""
    more: bool
    """Whether the model may have answered more cases: there were more calls than are read."""
    failures: list[Failure]
    """Of steps that broke, the first one first."""

    @property
    def failed(self) -> int:
        """How many cases failed."""
        return sum(case.status != "ok" for case in self.cases)


class Workbench:
    """A workspace. Methods may be called from several threads."""

    def __init__(self, folder: Path) -> None:
        """Take a workspace. A fresh one is empty: its folder ``runs`` comes with the first run.

        Raises:
            UsageError: there is no such folder.
        """
        if not folder.is_dir():
            raise UsageError(
                "there is no such folder",
                where=str(folder),
                todo="Give the folder that runs are made in: --out of penstock run, the claim of a cluster's runs.",
            )
        self.folder = folder

    def runs(self) -> list[RunCard]:
        """Runs in the workspace, those that began last first; none of a folder that cannot be read as one."""
        cards = [card for name in _newest(self.folder / "runs") for card in self._card(name)]
        return sorted(cards, key=lambda card: (card.started, card.run_id), reverse=True)

    def run(self, name: str) -> LiveRun | None:
        """What a run has come to; ``None``: there is no such run here."""
        with self._bundle(name) as bundle:
            card = next(_cards(name, bundle), None) if bundle is not None else None
            if bundle is None or card is None:
                return None
            run = _record(bundle, "run.json", Run)
            calls = _Calls()
            for place in ["", *_below(bundle, "shards", MAX_SHARDS)]:  # what is merged has been checked: it comes first
                calls.read(bundle, place)
            told = [_record(bundle, path, Failure) for path in _below(bundle, "failures", MAX_FAILURES)]
            return LiveRun(
                card=card,
                steps=[one_line(step.name[:MAX_TEXT]) for step in run.steps] if run else [],
                cases=sorted(calls.cases.values(), key=_worst_first),
                more=calls.more and not 0 < card.cases <= len(calls.cases),  # shards are there twice once merged
                failures=sorted((_cut(failure) for failure in told if failure), key=lambda failure: failure.time),
            )

    def open(self, name: str, path: str) -> BinaryIO | None:
        """A file that came back for a case; ``None``: there is none that is handed out.

        Args:
            name: of the run.
            path: as of :attr:`LiveCase.files`.
        """
        parts = path.split("/")
        below = parts[2:] if parts[0] == "shards" else parts
        if len(below) < 3 or below[0] != "outputs" or kind_of(path) not in SHOWN:
            return None
        with self._bundle(name) as bundle:
            if bundle is None:
                return None
            with contextlib.suppress(OSError, ValueError):
                return bundle.open(path)
        return None

    def _card(self, name: str) -> list[RunCard]:
        with self._bundle(name) as bundle:
            return list(_cards(name, bundle)) if bundle is not None else []

    @contextlib.contextmanager
    def _bundle(self, name: str) -> Iterator[Folder | None]:
        """The bundle of a run, held open; ``None``: there is none."""
        with contextlib.ExitStack() as stack:
            found: Folder | None = None
            if _is_name(name):
                with contextlib.suppress(OSError, ValueError):
                    workspace = stack.enter_context(Folder.at(self.folder))
                    found = stack.enter_context(workspace.folder(f"runs/{name}/bundle"))
            yield found


def _cards(name: str, bundle: Folder) -> Iterator[RunCard]:
    """The run's card, if its record can be read."""
    run = _record(bundle, "run.json", Run)
    if run is not None and run.run_id == name and (run.model == "" or _is_name(run.model)):
        yield card_of(run.model, name, run, _record(bundle, "verdict.json", Verdict))


class _Calls:
    """The calls of all shards, and those that are merged, up to a limit for all of them together."""

    def __init__(self) -> None:
        self.cases: dict[str, LiveCase] = {}
        """By the name of the case; of a case in several places, the first one that is read counts."""
        self.more = False
        self._bytes = MAX_LINES_BYTES
        self._lines = MAX_CALLS

    def read(self, bundle: Folder, place: str) -> None:
        """Those of a shard's folder; ``place`` empty: the merged ones."""
        content = _read(bundle, f"{place}/invocations.jsonl".lstrip("/"), self._bytes + 1)
        *lines, rest = content[: self._bytes].split(b"\n", self._lines)
        if rest and len(lines) < self._lines:
            lines, rest = [*lines, rest], b""
        self.more = self.more or bool(rest) or len(content) > self._bytes
        found: dict[str, LiveCase] = {}
        for line in lines:
            with contextlib.suppress(ValidationError):  # a last line that is not whole yet, or not ours
                call = Invocation.model_validate_json(line)
                found[call.case] = _case(call, place)
        self.cases = found | self.cases
        self._bytes -= min(len(content), self._bytes)
        self._lines -= len(lines)


def _cut(failure: Failure) -> Failure:
    """As much of it as a page shows."""
    return failure.model_copy(
        update={"step": one_line(failure.step[:MAX_TEXT]), "error": printable(failure.error[:MAX_TEXT])}
    )


def _case(call: Invocation, place: str) -> LiveCase:
    """A call as the page shows it. Its files lie below the shard until they are merged."""
    paths = [f"{place}/{output}".lstrip("/") for output in call.outputs]
    return LiveCase(
        name=one_line(call.case[:MAX_TEXT]),
        status=call.status,
        error=one_line((call.error or "")[:MAX_TEXT]),
        latency_s=call.latency_s,
        files=[(path, kind_of(path)) for path in paths if kind_of(path) in SHOWN],
    )


def _worst_first(case: LiveCase) -> tuple[bool, float, str]:
    return (case.status == "ok", -(case.latency_s or 0.0), case.name)


def _newest(folder: Path) -> list[str]:
    """Names of runs whose folders were made or changed last, at most :data:`MAX_RUNS`."""
    found: list[tuple[int, str]] = []
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):  # it is being removed
                if _is_name(entry.name):
                    found.append((entry.stat(follow_symlinks=False).st_mtime_ns, entry.name))
    return [name for _, name in sorted(found, reverse=True)[:MAX_RUNS]]


def _below(bundle: Folder, folder: str, most: int) -> list[str]:
    """Paths of what lies in a folder of the bundle. A name that no address can hold is passed over."""
    with contextlib.suppress(OSError), bundle.folder(folder) as found:
        return [f"{folder}/{name}" for name in found.names() if name.isprintable()][:most]
    return []


def _record(bundle: Folder, path: str, kind: type[Found]) -> Found | None:
    """A record, if it is there, and is one."""
    content = _read(bundle, path, MAX_RECORD_BYTES)
    with contextlib.suppress(PenstockError):
        return parse_model(content, kind, where=path) if content else None
    return None


def _read(bundle: Folder, path: str, max_bytes: int) -> bytes:
    """A file's content up to a limit; nothing if it cannot be read."""
    with contextlib.suppress(OSError, ValueError), bundle.open(path) as file:
        return file.read(max_bytes)
    return b""


def _is_name(text: str) -> bool:
    try:
        return bool(name_part(text, "run"))
    except UsageError:
        return False
