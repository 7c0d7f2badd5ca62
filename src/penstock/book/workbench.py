"""Runs in progress, as their workspace shows them: what a run has made so far, before any of it is archived.

The workspace is the folder that the steps share: ``OUT`` of ``penstock run``, the claim ``penstock-work`` on a cluster.
The model's own process may write to its run's bundle there. So every file is opened through handles, which follow no
link, and is read up to a limit; what cannot be read yet is as if it were not there.
"""

from __future__ import annotations

import contextlib
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
from penstock.foundation.errors import PenstockError, UsageError, one_line
from penstock.foundation.handles import Folder
from penstock.store.archive import name_part

MAX_RECORD_BYTES = 4 << 20
MAX_LINES_BYTES = 16 << 20
MAX_RUNS = 500
"""Runs of the workspace that are listed."""
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
        try:
            names = sorted(path.name for path in (self.folder / "runs").iterdir())
        except OSError:
            return []
        cards = [card for name in names if _is_name(name) for card in self._card(name)]
        return sorted(cards, key=lambda card: (card.started, card.run_id), reverse=True)[:MAX_RUNS]

    def run(self, name: str) -> LiveRun | None:
        """What a run has come to; ``None``: there is no such run here."""
        with self._bundle(name) as bundle:
            card = next(_cards(name, bundle), None) if bundle is not None else None
            if bundle is None or card is None:
                return None
            run = _record(bundle, "run.json", Run)
            places = [*_below(bundle, "shards", MAX_SHARDS), ""]  # what is merged has been checked
            cases: dict[str, LiveCase] = {}
            for place in places:
                cases |= {call.case: _case(call, place) for call in _calls(bundle, place)}
            told = [_record(bundle, path, Failure) for path in _below(bundle, "failures", MAX_FAILURES)]
            return LiveRun(
                card=card,
                steps=[one_line(step.name[:MAX_TEXT]) for step in run.steps] if run else [],
                cases=sorted(cases.values(), key=_worst_first),
                failures=sorted((failure for failure in told if failure), key=lambda failure: failure.time),
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


def _calls(bundle: Folder, place: str) -> list[Invocation]:
    """The calls of a shard, or those of all once they are merged."""
    found = []
    for line in _read(bundle, f"{place}/invocations.jsonl".lstrip("/"), MAX_LINES_BYTES).split(b"\n"):
        with contextlib.suppress(ValidationError):  # a last line that is not whole yet, or not ours
            found.append(Invocation.model_validate_json(line))
    return found


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


def _below(bundle: Folder, folder: str, most: int) -> list[str]:
    """Paths of what lies in a folder of the bundle."""
    with contextlib.suppress(OSError), bundle.folder(folder) as found:
        return [f"{folder}/{name}" for name in found.names()[:most]]
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
