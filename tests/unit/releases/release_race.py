"""Several processes publish at once, each what was judged against the same release: one of them wins."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.unit.store.stored_bundle import accepted_bundle

from penstock.releases.baseline import baseline
from penstock.releases.metric_history import past_releases
from penstock.store.archive import archive
from penstock.store.open import open_store
from penstock.store.store import Store

WORKERS = 4
ROUNDS = 3
PROGRAM = """
import sys
from pathlib import Path
from penstock.bundle.directory import Bundle
from penstock.foundation.errors import PenstockError
from penstock.releases.release import publish
from penstock.store.open import open_store
credentials = Path(sys.argv[3]) if sys.argv[3] else None
store, bundle = open_store(sys.argv[1], credentials), Bundle(Path(sys.argv[2]))
store.get_pointer("baselines/sonic-lite.json")
print("ready", flush=True)
sys.stdin.readline()
try:
    publish(store, bundle)
except PenstockError as error:
    print(error)
    sys.exit(error.exit_code)
"""


def race(location: str, folder: Path, credentials: Path | None = None) -> None:
    """Several rounds of four releases at once; after each, one chain holds every release that was published."""
    store = open_store(location, credentials)
    for number in range(ROUNDS):
        winners = _round(store, location, folder, number, credentials)
        assert len(winners) == 1
        chain = past_releases(store, "sonic-lite", baseline(store, "sonic-lite"))
        assert (len(chain.releases), chain.releases[-1].run_id, chain.note) == (number + 1, winners[0], "")
        assert len(list(store.list("published"))) == number + 1


def _round(store: Store, location: str, folder: Path, number: int, credentials: Path | None) -> list[str]:
    before = baseline(store, "sonic-lite")
    processes = {}
    for worker in range(WORKERS):
        run_id = f"run-{number}-{worker}"
        bundle = accepted_bundle(
            folder / run_id,
            run_id=run_id,
            version=f"{number}.{worker}.0",
            commit=f"{number}{worker}".ljust(40, "0"),
            baseline=before.run_id if before else None,
        )
        archive(bundle, store, model="sonic-lite", run_id=run_id)
        argv = [sys.executable, "-c", PROGRAM, location, str(bundle.path), str(credentials or "")]
        pipe = subprocess.PIPE
        processes[run_id] = subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True)
    for process in processes.values():
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes.values():
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    said = {run_id: process.communicate(timeout=60)[0] for run_id, process in processes.items()}
    codes = {run_id: process.returncode for run_id, process in processes.items()}
    assert sorted(codes.values()) == [0, 4, 4, 4], said
    assert all("nothing was published" in said[run_id] for run_id, code in codes.items() if code == 4)
    return [run_id for run_id, code in codes.items() if code == 0]
