"""Several cases at a time, for a service that takes them, with the records of one at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from penstock.bundle.models import Invocation
from penstock.contract.models import Case


@dataclass(frozen=True)
class Called:
    """A case that was put to a model."""

    record: Invocation
    broken_off: bool
    """No whole answer came. With others under way nobody knows whose fault that is."""


def called_at_once(
    cases: Iterable[Case], call: Callable[[Case], Called], workers: int, *, again: bool = True
) -> Iterator[tuple[Case, Invocation | None]]:
    """Put cases to a service, at most ``workers`` at a time; yield each with its record, in the order of ``cases``.

    When a call breaks off no further case is begun, and those under way are waited for. Each that broke off is yielded
    with ``None``: it has to be put to the service again, alone. Then this ends, whatever cases are left. While a
    ``None`` is looked at, no call is under way.

    Args:
        cases: what is put to it.
        call: puts one; it is called in several threads.
        workers: how many at a time.
        again: False: a case that broke off keeps its record, and the others go on.
    """
    begun: deque[tuple[Case, Future[Called]]] = deque()
    running: set[Future[Called]] = set()
    waiting = iter(cases)
    broken = False
    with ThreadPoolExecutor(workers, thread_name_prefix="call") as pool:
        while True:
            while not broken and len(running) < workers and (case := next(waiting, None)) is not None:
                begun.append((case, pool.submit(call, case)))
                running.add(begun[-1][1])
            if not begun:
                return
            done, running = wait(running, return_when=ALL_COMPLETED if broken else FIRST_COMPLETED)
            broken = broken or (again and any(future.result().broken_off for future in done))
            while begun and begun[0][1].done() and not (broken and running):
                case, future = begun.popleft()
                called = future.result()
                yield case, None if again and called.broken_off else called.record
