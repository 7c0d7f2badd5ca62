"""One session of these tests: its own prefix in the store and in the registry, its repositories, its runs."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.install import CLAIM, POD_TEMPLATE, REGISTRY_SECRET, SIGNING_SECRET, STORE_SECRET, Installed, Place
from tests.e2e.registry import Repository as RegistryRepository
from tests.e2e.repositories import ROOT, Repository
from tests.e2e.run import Cluster, Request, Run

GOOD, WORSE = "v1.0.0", "v1.1.0"
"""Releases of sonic-lite: the first is published, the second is stopped by the gate."""
HEARD_BY = "pocketsphinx"
"""The transcriber of the second one's run."""
FLOOR = "penstock-policy-floor"
"""Installed, and empty."""
Plan = dict[str, tuple[tuple[str, ...], Callable[..., Any]]]
RESULTS = ROOT / "build" / "e2e"


@dataclass(frozen=True)
class Session:
    """What every test shares."""

    id: str
    place: Place
    cluster: Cluster
    installed: Installed

    def images(self, model: str) -> RegistryRepository:
        """The registry's repository of a model."""
        return RegistryRepository(f"{self.place.registry}/{model}")

    def release(
        self, repository: Repository, revision: str, *, claim: str = CLAIM, floor: str = FLOOR, **params: str
    ) -> Run:
        """Start a release as an engineer does; ``params`` have the last word. ``floor`` is a ConfigMap."""
        given = {
            "url": repository.url,
            "revision": revision,
            "store": self.place.store,
            "registry": self.place.registry,
            "allow-http": "true",
            "tls-verify": "false",
        }
        request = Request(
            pipeline="release",
            params=given | {name.replace("_", "-"): value for name, value in params.items()},
            workspaces={
                "work": f"claimName={claim}",
                "store-credentials": f"secret={STORE_SECRET}",
                "registry-credentials": f"secret={REGISTRY_SECRET}",
                "signing-key": f"secret={SIGNING_SECRET}",
                "policy-floor": f"config={floor}",
            },
            pod_template=POD_TEMPLATE,
            name=f"{repository.model}-{revision.replace('.', '-')}",
        )
        return Run.start(self.cluster, request, model=repository.model)


class Campaign:
    """Runs by name. Those that tests ask for begin at once; one that needs another begins when that has ended.

    ``plan``: name → (the names that it needs, what starts and waits for it given these).
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._begun: dict[str, Future[Any]] = {}
        self._pool = ThreadPoolExecutor(max_workers=len(plan), thread_name_prefix="run")
        self._lock = threading.RLock()

    def begin(self, name: str) -> Future[Any]:
        """Begin a run, unless it has begun."""
        with self._lock:
            if name not in self._begun:
                needs, start = self._plan[name]
                before = [self.begin(need) for need in needs]
                self._begun[name] = self._pool.submit(lambda: start(*(future.result() for future in before)))
            return self._begun[name]

    def when_ended(self, then: Callable[[], object]) -> None:
        """Have something done when all that has begun by now has ended, however it ended."""
        begun = tuple(self._begun.values())
        threading.Thread(target=lambda: (wait(begun), then()), name="ended", daemon=True).start()

    def __getitem__(self, name: str) -> Any:
        """What a run left, when it has ended. Raises what went wrong."""
        return self.begin(name).result()

    def close(self) -> list[Any]:
        """Wait for all that has begun; returns what those left that did not break, in the order of their beginning."""
        self._pool.shutdown(cancel_futures=True)
        ended = [future for future in self._begun.values() if not future.cancelled()]
        return [future.result() for future in ended if future.exception() is None]


def write_result(name: str, content: Any) -> Path:
    """Write ``build/e2e/NAME.json``."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    file = RESULTS / f"{name}.json"
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return file
