"""How much the load generator's own work changes the times of a service beside it, on a machine of two cores.

``python tests/bench/bench_load_noise.py [--rounds N] [--rate R] [--seconds S] [--work-ms W]`` prints a Markdown table.

A service computes for some milliseconds for each request, and notes how long that took, from when it has read the
request until the work is done: what the client waits for besides is not in it. In each round, by turns: *alone* (no
generator: the service does the same work at the same times by its own clock) twice, so that it is seen how far two
equal measurements lie apart, and with the generator on the *other* core, on *any* core (as the step *load* has it), and
on the *same* core as the service. Changes are against *alone* in the same round; all figures are medians over the
rounds. ``chrt --fifo 1 python …`` (root) keeps other work of a busy machine out of them.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import statistics
import sys
import time
from array import array
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Final

from penstock.foundation.order_statistics import quantile_rank
from penstock.load.arrivals import constant_arrivals
from penstock.load.generator import Generator, GeneratorLimits, OpenLoop
from penstock.load.load_request import find_destination, make_requests, parse_load_url

ANSWER: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
ALONE: Final = ("alone", "alone, again")
PLACES: Final = (*ALONE, "other core", "any core", "same core")
SHARES: Final = (0.5, 0.95, 0.99)


def work(turns: int) -> float:
    """Compute so many turns; returns the seconds that it took."""
    began = time.perf_counter()
    total = 0
    for turn in range(turns):
        total += turn * turn % 7
    return time.perf_counter() - began


class Working(asyncio.Protocol):
    """Works for each request, and answers."""

    def __init__(self, turns: int, took: array[float]) -> None:
        self._turns, self._took = turns, took

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        for _ in range(data.count(b"\r\n\r\n")):
            self._took.append(work(self._turns))
            self.transport.write(ANSWER)  # type: ignore[attr-defined]


def serve(tell: Connection, turns: int, cores: set[int]) -> None:
    """The service: works alone when it is told the times, else answers requests; tells what its work took."""
    os.sched_setaffinity(0, cores)
    took: array[float] = array("d")

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(lambda: Working(turns, took), "127.0.0.1", 0)
        tell.send(server.sockets[0].getsockname()[1])
        await asyncio.to_thread(tell.recv)  # until the load is over
        server.close()

    due = tell.recv()
    if due:
        began = time.perf_counter() + 0.02
        for at in due:
            time.sleep(max(0.0, began + at - time.perf_counter()))
            took.append(work(turns))
    else:
        asyncio.run(run())
    tell.send(took.tolist())


def measured(place: str, due: Sequence[float], turns: int, cores: Sequence[int]) -> tuple[list[float], float]:
    """What the service's work took, sorted, and the generator's share of a core."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    where = set(cores) if place == "any core" else {cores[0]}
    child = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs, turns, where))
    child.start()
    share = 0.0
    try:
        if place in ALONE:
            ours.send(list(due))
        else:
            ours.send([])
            url = parse_load_url(f"http://127.0.0.1:{ours.recv()}/")
            os.sched_setaffinity(0, {"other core": {cores[1]}, "same core": {cores[0]}}.get(place, set(cores)))
            requests = make_requests(url, method="", headers=(), bodies=())
            loop, limits = OpenLoop(array("d", due)), GeneratorLimits(100, 10.0)
            share = Generator(find_destination(url), requests, loop, limits).run().cpu_share
            ours.send("over")
        return sorted(ours.recv()), share
    finally:
        os.sched_setaffinity(0, set(cores))
        child.join()


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description="How much the load generator changes a service's times.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rate", type=float, default=50.0)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--work-ms", type=float, default=5.0)
    arguments = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))[:2]
    if len(cores) < 2:
        parser.error("this needs two cores")
    turns = round(100_000 * arguments.work_ms / 1000 / min(work(100_000) for _ in range(20)))
    due = constant_arrivals(arguments.rate, arguments.seconds)
    found: dict[str, list[list[float]]] = {place: [] for place in PLACES}
    shares: dict[str, list[float]] = {place: [] for place in PLACES}
    for _ in range(arguments.rounds):
        alone: list[float] = []
        for place in PLACES:
            times, share = measured(place, due, turns, cores)
            values = [1000 * times[quantile_rank(len(times), quantile) - 1] for quantile in SHARES]
            alone = alone or values
            found[place].append([*values, *(value / base - 1 for value, base in zip(values, alone, strict=True))])
            shares[place].append(share)
    sys.stdout.write(
        f"{arguments.rate:g} requests a second for {arguments.seconds:g} s, {arguments.work_ms:g} ms of work each, "
        f"{arguments.rounds} rounds:\n\n| generator | of a core | P50 | P95 | P99 | P50, P95, P99 against alone |\n"
        "|---|---:|---:|---:|---:|---|\n"
    )
    for place in PLACES:
        p50, p95, p99, *changes = (statistics.median(column) for column in zip(*found[place], strict=True))
        told = ", ".join(f"{change:+.1%}" for change in changes) if place != "alone" else ""
        times = " | ".join(f"{value:.2f} ms" for value in (p50, p95, p99))
        sys.stdout.write(f"| {place} | {statistics.median(shares[place]):.1%} | {times} | {told} |\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
