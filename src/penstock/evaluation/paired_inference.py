"""Two models in turns: the released one beside the candidate, case by case, so that what is compared is paired.

Both are started first. Then each case is put to both, one directly after the other: candidate, released, released,
candidate, and so on, so that neither always comes first, and a machine that becomes slower does so for both. Never are
two calls made at the same time.

Like :mod:`penstock.evaluation.infer` this runs on the driver's runtime.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from penstock.bundle.models import Invocation, Use
from penstock.bundle.rerun_bundle import released_errors
from penstock.contract.models import Case, Suite
from penstock.evaluation.infer import Calls, Progress, in_words, no_use, scratch_folder
from penstock.foundation.nvidia import gpu_used_mib
from penstock.invocation.model import Model


def infer_in_turns(
    candidate: Calls,
    released: Calls,
    *,
    temporary: Path | None = None,
    on_progress: Progress | None = None,
    on_use: Callable[[Use], None] = no_use,
    on_released_use: Callable[[Use], None] = no_use,
) -> tuple[list[Invocation], list[Invocation]]:
    """Put every case to both models; return the records of the candidate and of the released model.

    Each side's bundle is filled as by :func:`penstock.evaluation.infer.infer`. An interrupted run keeps the cases that
    were put to both: incomplete pairs are discarded.

    Args:
        candidate: over the suite.
        released: over the same suite.
        temporary: where the models' scratch directories are made, by default where temporary files go.
        on_progress: told after each call; it counts calls.
        on_use: told after each case since when the candidate is in use.
        on_released_use: the same of the released model.

    Raises:
        WorldError: one of them could not be started or never got ready, and it is said which; or the disk is full.
    """
    suite = candidate.suite
    both = candidate.done.keys() & released.done.keys()
    left = {case.name for case in candidate.begin(keep=both)}
    released.begin(keep=both)
    if not left:
        return candidate.finish(), released.finish()
    with scratch_folder(temporary) as work, candidate.started(work / "candidate", on_use) as first:
        cards = _Cards(first)
        with contextlib.ExitStack() as stack:
            with released_errors():
                second = stack.enter_context(released.started(work / "released", on_released_use))
            cards.add(second)
            for calls, model, case, whose in _order(suite, left, (candidate, first), (released, second)):
                record = calls.put(case)
                cards.changed_by(model)
                if on_progress is not None:
                    done = len(candidate.done) + len(released.done)
                    on_progress(done, 2 * len(suite.cases), f"{whose} {in_words(record)}")
    return candidate.finish(), released.finish()


Turn = tuple[Calls, Model, Case, str]


def _order(suite: Suite, left: set[str], candidate: tuple[Calls, Model], released: tuple[Calls, Model]) -> list[Turn]:
    turns: list[Turn] = []
    for index, case in enumerate(suite.cases):
        pair = [(*candidate, case, "candidate"), (*released, case, "released")]
        if case.name in left:
            turns += pair if index % 2 == 0 else reversed(pair)
    return turns


class _Cards:
    """Whose the memory of the cards is that is in use.

    In a container the driver names no processes, so that a model's memory is taken for what has come into use since
    before it was started. Here two models hold some: what one takes must not count as the other's.
    """

    def __init__(self, first: Model) -> None:
        self._models = [first]
        self._used = gpu_used_mib()

    def add(self, model: Model) -> None:
        """A model was started: what has come into use meanwhile is its own."""
        self._models.append(model)
        self.changed_by(model)

    def changed_by(self, model: Model) -> None:
        """A model was called: what it has taken or given back is its own."""
        used = gpu_used_mib()
        if used is not None and self._used is not None:
            for other in self._models:
                if other is not model:
                    other.others_took(used - self._used)
        self._used = used
