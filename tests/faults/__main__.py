"""Each bad release of the reference models is stopped by the rule that should stop it: ``python -m tests.faults``.

For every model that has a ``tests/*_lite/faults.py`` it makes the repository, releases v1.0.0, judges each bad release
against it and then the better v1.1.0, and prints a Markdown table, fault by rule, and the time that it took. It exits 1
if a fault is not stopped by its rule, or a good release is not accepted.

The short table (5.4 minutes for all models on two cores) judges three releases at a time over a small suite, or over
the slice of it that shows their fault, each by the pipeline's own steps in one process
(:mod:`tests.faults.steps_of_release`). It asks for load, page and export only of the releases that these must stop, and
of the two good ones; ``–`` in the table is a rule that was not asked. Whole releases over the same small suites take
some 9 more seconds of a core each, for a Python a step, the report and the archive, none of which a verdict depends on:
for 53 releases on two cores that is four minutes more. ``penstock evaluate`` is cheaper still, but has no policy and no
gate. ``--whole`` makes whole releases over the whole suites, one at a time, each with everything that its contract asks
for (a quarter of an hour to half an hour a model); broken off, it goes on where it was. ``--figures`` prints what the
two good releases are worth in whole releases, which it makes where ``--whole`` has not.
"""

from __future__ import annotations

import argparse
import importlib
import multiprocessing
import os
import shutil
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "test-assets")]

import make_repository  # noqa: E402 (a program of test-assets/)
from tests.faults.fault_table import GOOD, FaultTable, Judged, markdown, missed  # noqa: E402
from tests.faults.figures import figures  # noqa: E402
from tests.faults.steps_of_release import Ended, Order, judge  # noqa: E402
from tests.faults.whole_release import bundle_of, release  # noqa: E402

from penstock.gating.measurements import read_source  # noqa: E402

AT_A_TIME = 3
"""On two cores: a release that is put under load leaves its core alone for half of the time."""
Judgements = dict[str, Judged]


def tables(models: Sequence[str] = ()) -> list[FaultTable]:
    """The table of every model, or of these. Raises ValueError for one that has none."""
    found = {}
    for file in sorted((ROOT / "tests").glob("*_lite/faults.py")):
        table: FaultTable = importlib.import_module(f"tests.{file.parent.name}.faults").TABLE
        found[table.model] = table
    if unknown := set(models) - found.keys():
        raise ValueError(f"no fault table of {', '.join(sorted(unknown))}: there are {', '.join(found)}")
    return [table for model, table in found.items() if not models or model in models]


def short(chosen: Sequence[FaultTable], out: Path) -> list[Judgements]:
    """All releases over small suites, some at a time; the good ones first, since the others are compared with them."""
    parts = [(index, orders) for index, table in enumerate(chosen) for orders in _orders(table, out)]
    judged: list[Judgements] = [{} for _ in chosen]
    with ProcessPoolExecutor(AT_A_TIME, mp_context=multiprocessing.get_context("spawn")) as pool:
        first = [(index, pool.submit(judge, orders[0])) for index, orders in parts]
        for index, future in first:
            _note(judged[index], future)
        rest = [(index, order) for index, orders in parts for order in orders[1:]]
        # two of the releases that wait for a page or a load beside one that computes
        waiting = [each for each in rest if each[1].sections]
        computing = [each for each in rest if not each[1].sections]
        rest = [each for one in zip_longest(waiting[::2], waiting[1::2], computing) for each in one if each is not None]
        for index, future in [(index, pool.submit(judge, order)) for index, order in rest]:
            _note(judged[index], future)
    return [{tag: of_model[tag] for tag in table.tags} for table, of_model in zip(chosen, judged, strict=True)]


def _orders(table: FaultTable, out: Path) -> list[list[Order]]:
    """What is to be judged over each slice, the release that the others are compared with first."""
    place = out / table.model
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    repository = place / f"{table.model}.git"
    make_repository.make(table.model, repository, more=table.small)
    changes = {"load": table.load, "page": table.page}
    return [
        [
            Order(repository, tag, place / (part or "all"), table.sections(tag, part), changes, part, tag == GOOD)
            for tag in tags
        ]
        for part, tags in table.parts.items()
    ]


def _note(judged: Judgements, future: Future[Ended]) -> None:
    found = future.result()
    sys.stderr.write(f"{found.tag}: {found.judged.word} ({found.seconds:.0f} s, {found.cpu_seconds:.0f} s of a core)\n")
    before = judged.get(found.tag)
    judged[found.tag] = found.judged if before is None else before.beside(found.judged)


def whole(table: FaultTable, place: Path, tags: Sequence[str]) -> Judgements:
    """Whole releases of one model, one after the other."""
    place.mkdir(parents=True, exist_ok=True)
    repository = place / f"{table.model}.git"
    make_repository.make(table.model, repository)
    judged = {}
    for tag in tags:
        judged[tag] = release(repository, place, tag)
        sys.stderr.write(f"{tag}: {judged[tag].word}\n")
    return judged


def show_figures(table: FaultTable, out: Path) -> None:
    """The two good releases beside each other, as they are measured in whole releases."""
    place = out / f"{table.model}-whole"
    if not bundle_of(place, table.better).verdict_file.is_file():
        # a store of its own: a bad release must not be compared with the better one
        place = out / f"{table.model}-figures"
        whole(table, place, (GOOD, table.better))
    sides = [replace(read_source(bundle_of(place, tag).path), name=tag) for tag in (GOOD, table.better)]
    sys.stdout.write(f"## {table.model}\n\n{figures(table.figures, *sides)}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Judge all, print the tables; 1 if a fault gets through."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="MODEL", help="face-lite, rmbg-lite …; left out: all")
    parser.add_argument("--out", type=Path, required=True, help="where repositories and runs lie")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--whole", action="store_true", help="whole releases over the whole suites")
    how.add_argument("--figures", action="store_true", help="only the two good releases, whole: what each is worth")
    arguments = parser.parse_args(argv)
    try:
        chosen = tables(arguments.models)
    except ValueError as error:
        parser.error(str(error))
    out: Path = arguments.out.absolute()
    if arguments.figures:
        for table in chosen:
            show_figures(table, out)
        return 0
    started, before = time.monotonic(), sum(os.times()[:4])
    judged = (
        [whole(table, out / f"{table.model}-whole", table.tags) for table in chosen]
        if arguments.whole
        else short(chosen, out)
    )
    for table, of_model in zip(chosen, judged, strict=True):
        sys.stdout.write(f"## {table.model}\n\n{markdown(table, of_model)}\n")
    bad = sum(len(table.stopped_by) for table in chosen)
    seconds, cpu = time.monotonic() - started, sum(os.times()[:4]) - before
    sys.stdout.write(f"{bad} bad releases in {seconds / 60:.1f} minutes, {cpu / 60:.1f} minutes of one core.\n")
    wrong = [line for table, of_model in zip(chosen, judged, strict=True) for line in missed(table, of_model)]
    for line in wrong:
        sys.stderr.write(f"MISSED: {line}\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
