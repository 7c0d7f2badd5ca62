"""Putting a load to the small service of :mod:`tests.pipeline.loaded_service`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.pipeline.loaded_service import ALONE, LOAD, loaded_files

from penstock.bundle.load_record import LoadPart
from penstock.bundle.shards import Shard
from penstock.contract.load import load_contract, load_suite
from penstock.contract.models import Contract
from penstock.evaluation.load_trial import put_load
from penstock.invocation.driver import hold_service

SHORT = LOAD | ALONE | {"rate": 30.0, "seconds": 1.0, "warmup_s": 0.1}


def put(
    folder: Path,
    load: dict[str, Any],
    *,
    part: str = "1/1",
    ready_timeout_s: float = 20.0,
    **how: Any,
) -> tuple[LoadPart, list[str]]:
    for name, content in loaded_files(SHORT | load, how).items():
        path = folder / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    contract = load_contract(folder / "source")
    suite = load_suite(folder / "source", contract)
    told: list[str] = []
    with hold_service(_limited(contract, ready_timeout_s), folder / "source", folder / "s", folder / "log") as service:
        found = put_load(
            _limited(contract, ready_timeout_s),
            suite,
            folder / "source",
            service,
            Shard.parse(part),
            folder,
            on_progress=lambda done, total, what: told.append(f"{done}/{total} {what}"),
        )
    return found, told


def _limited(contract: Contract, ready_timeout_s: float) -> Contract:
    assert contract.call.http is not None
    http = contract.call.http.model_copy(update={"ready_timeout_s": ready_timeout_s})
    return contract.model_copy(update={"call": contract.call.model_copy(update={"http": http})})
