"""One release through the pipeline's own steps, in one process.

These are the functions that the console scripts of the steps call (``penstock_tasks.NAME.entrypoint.step``), in the
order of ``tekton/pipelines/release.yaml`` and with what the pipeline gives them: clone, check, weights, build, plan,
export, infer, collect, measure, browse, load and gate. The model runs confined, as a service, and the product's own
gate judges it against the archived release. What is left out is what no verdict depends on: the report, the archive and
the notice of a release that is not published, and a Python for each step.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import penstock_tasks.archive.entrypoint as archive
import penstock_tasks.browse.entrypoint as browse
import penstock_tasks.build.entrypoint as build
import penstock_tasks.check.entrypoint as check
import penstock_tasks.clone.entrypoint as clone
import penstock_tasks.collect.entrypoint as collect
import penstock_tasks.export.backends as export_backends
import penstock_tasks.export.entrypoint as export
import penstock_tasks.gate.entrypoint as gate
import penstock_tasks.infer.entrypoint as infer
import penstock_tasks.interface.entrypoint as interface
import penstock_tasks.load.drive as load_drive
import penstock_tasks.load.entrypoint as load
import penstock_tasks.measure.entrypoint as measure
import penstock_tasks.plan.entrypoint as plan
import penstock_tasks.publish.entrypoint as publish
import penstock_tasks.weights.entrypoint as weights
import yaml
from penstock_tasks.browse import serve
from tests.faults.fault_table import ON_REQUEST, Judged, section_of

from penstock.bundle.directory import Bundle
from penstock.contract.load import SUITE_FILE
from penstock.contract.models import CONTRACT_FILE
from penstock.foundation.errors import PenstockError
from penstock.steps.entrypoint import parse_arguments


@dataclass(frozen=True)
class Order:
    """What is to be judged, and how. Pickled into another process."""

    repository: Path
    tag: str
    out: Path
    """Store, cache and the runs of one model."""
    sections: frozenset[str]
    """What of ``ON_REQUEST`` is asked of this release, if its contract has it."""
    changes: Mapping[str, Mapping[str, Any]]
    """Section of the contract → fields of it that are changed, where it has that section."""
    slice: str = ""
    """The suite is that of the cases which carry it; empty: all."""
    released: bool = False
    """Whether it becomes the release that the others are compared with."""

    @property
    def folder(self) -> Path:
        """The run's."""
        return self.out / self.tag.replace(".", "-")


@dataclass(frozen=True)
class Ended:
    """What came of an order, and what it took."""

    tag: str
    judged: Judged
    seconds: float
    cpu_seconds: float
    """Of this process and all that it started and waited for."""


class _Steps:
    """The steps over the workspaces of one run."""

    def __init__(self, order: Order) -> None:
        self.order = order
        folder = order.folder
        self.workspaces = {
            "source": folder / "source",
            "bundle": folder / "bundle",
            "baseline": folder / "baseline",
            "cache": order.out / "cache",
            "layers": folder / "layers",
        }
        for place in self.workspaces.values():
            place.mkdir(parents=True, exist_ok=True)
        self.planned: dict[str, str] = {}

    @property
    def bundle(self) -> Bundle:
        return Bundle(self.workspaces["bundle"])

    def __call__(self, step: ModuleType, **given: str) -> dict[str, str]:
        """Run one step with the workspaces and what of the plan it asks for; returns its results."""
        values = {**self.workspaces, **self._from_plan(), "store": self.order.out / "store", **given}
        wanted = {name: values[name] for name in step.Arguments.__dataclass_fields__ if name in values}
        argv = [f"--{name.replace('_', '-')}={value}" for name, value in wanted.items()]
        sys.stdout.write(f"== {step.__name__}\n")
        arguments, _ = parse_arguments(step.__name__, step.Arguments, argv)
        answers: dict[str, str] = step.step(arguments)
        return answers

    def _from_plan(self) -> dict[str, object]:
        if not self.planned:
            return {}
        runtime = self.workspaces["cache"] / "runtime" / self.planned["runtime"]
        return {"image": self.planned["image"], "runtime_id": self.planned["runtime"], "runtime": runtime}

    def judge(self) -> None:
        """Everything up to the verdict."""
        repository = str(self.order.repository)
        self(clone, url=repository, revision=self.order.tag, run_id=self.order.tag, allow_local="true")
        self.thin()
        self(check)
        answers = self(weights)
        self(build)
        self.planned = self(plan)
        if self.planned["export"] == "true":
            self(export_backends)
            self(export)
        if self.planned["unchanged"] != "true":
            self(infer)
        self(collect)
        self(measure, like=answers["arithmetic"], stored=answers["stored"])
        if self.planned["page"]:
            with self.service_beside("browse"):
                self(browse)
        if self.planned["interface"] == "true":
            with self.service_beside("interface"):
                self(interface)
        if self.planned["load"]:
            self(load_drive, part=self.planned["load"])
            self(load, part=self.planned["load"])
        verdict = self(gate)["verdict"]
        if self.order.released:
            self(archive)
            self(publish, verdict=verdict)

    def thin(self) -> None:
        """Take out of contract and suite what is not asked of this release, with its rules."""
        source, only = self.workspaces["source"], self.order.slice
        contract = _read(source / CONTRACT_FILE)
        left_out = ON_REQUEST.keys() - self.order.sections
        for section in left_out:
            contract.pop(section, None)
        for section, fields in self.order.changes.items():
            if section in contract:
                contract[section].update(fields)
        policy = contract["policy"]
        policy["rules"] = [
            rule
            for rule in policy["rules"]
            if section_of(rule["metric"]) not in left_out and (not only or rule.get("slice", only) == only)
        ]
        _write(source / CONTRACT_FILE, contract)
        if only:
            file = source / contract["suite"] / SUITE_FILE
            suite = _read(file)
            suite["cases"] = [case for case in suite["cases"] if only in case.get("slices", ())]
            _write(file, suite)

    @contextlib.contextmanager
    def service_beside(self, step: str) -> Iterator[None]:
        """The sidecar of the steps *browse* and *interface*."""
        given = serve.Arguments(
            step=step,
            image=self.planned["image"],
            runtime_id=self.planned["runtime"],
            python="",
            python_found="",
            source=self.workspaces["source"],
            bundle=self.workspaces["bundle"],
            runtime=self.workspaces["cache"] / "runtime" / self.planned["runtime"],
            weights=None,
            model_dir=None,
        )
        sidecar = threading.Thread(target=serve.serve, args=(given,), name="serve")
        sidecar.start()
        try:
            yield
        finally:
            sidecar.join()


def _read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return found


def _write(file: Path, value: dict[str, Any]) -> None:
    file.write_text(yaml.safe_dump(value, sort_keys=False, allow_unicode=True), encoding="utf-8")


def judge(order: Order) -> Ended:
    """Judge one release; what the steps say goes into ``steps.log`` of its folder."""
    started, before = time.monotonic(), _cpu_seconds()
    order.folder.mkdir(parents=True)
    with (order.folder / "steps.log").open("w", encoding="utf-8") as log, contextlib.redirect_stdout(log):
        steps = _Steps(order)
        try:
            steps.judge()
        except PenstockError as error:
            traceback.print_exc(file=log)
            judged = Judged(f"without a verdict: {error}")
        else:
            judged = Judged.of(steps.bundle.verdict(), steps.bundle.run().use_onnx)
    return Ended(order.tag, judged, time.monotonic() - started, _cpu_seconds() - before)


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
